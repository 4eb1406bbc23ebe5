/** Dirty pages on a kernel whose vfio-pci pins nothing by itself: every mapped page, on every read. */
import { Container, type DirtyRun } from "../../../mod.ts";
import { dirty_bitmap_get_request, VFIO_IOMMU_DIRTY_PAGES } from "../../../lib/uapi/mod.ts";
import { equal, throws } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { EDU, LOW, MiB, PAGE } from "../support/machine.ts";
import { Places, words } from "../support/place.ts";
import { must, RawContainer } from "../support/raw.ts";
import { refused } from "../support/refused.ts";
import { forbidding } from "../support/spy.ts";

const GET = { argsz: 48, flags: 4, pgsize: PAGE };
const FULL = (1n << 64n) - 1n;

describe("dirty pages of a vfio-pci device", () => {
  it("are all mapped pages, on every read, and the label says so", () => {
    using container = Container.open();
    using _group = container.attach(EDU);
    using memory = container.allocate(MiB);
    using _one = container.map(memory, { iova: LOW, size: 5n * PAGE });
    using _two = container.map(memory, { iova: LOW + MiB, size: 130n * PAGE });
    using tracker = container.trackDirty();
    for (let i = 0; i < 3; i += 1) {
      equal([...tracker.runs()], [
        { iova: LOW, size: 5n * PAGE, pages: 5, label: "all-mapped" },
        { iova: LOW + MiB, size: 130n * PAGE, pages: 130, label: "all-mapped" },
      ]);
    }
  });

  it("include what is mapped while tracking, and read-only mappings", () => {
    using container = Container.open();
    using _group = container.attach(EDU);
    using memory = container.allocate(MiB);
    using tracker = container.trackDirty();
    equal([...tracker.runs()], []);
    using _mapping = container.map(memory, { iova: LOW, access: "r" });
    equal([...tracker.runs()].map((run) => run.pages), [256]);
  });

  it("are told again after tracking stopped and started", () => {
    using container = Container.open();
    using _group = container.attach(EDU);
    using memory = container.allocate(MiB);
    using _mapping = container.map(memory, { iova: LOW });
    for (let i = 0; i < 3; i += 1) {
      using tracker = container.trackDirty();
      equal(container.tracker, tracker);
      equal([...tracker.runs()].map((run) => run.pages), [256]);
    }
    equal(container.tracker, undefined);
  });
});

describe("a tracker", () => {
  it("is refused as long as another one is on", () => {
    using container = Container.open();
    using _group = container.attach(EDU);
    using first = container.trackDirty();
    throws(() => container.trackDirty(), ReferenceError, "tracking dirty pages already");
    first[Symbol.dispose]();
    using _second = container.trackDirty();
  });

  it("needs a group, and a v2 container, before any request", () => {
    using empty = Container.open();
    throws(() => empty.trackDirty(), ReferenceError, "attach a device first");
    const kernel = forbidding();
    using old = Container.open({ kernel, type: "v1" });
    using _group = old.attach(EDU);
    kernel.forbid();
    refused(() => old.trackDirty(), {
      code: "EACCES",
      operation: "VFIO_IOMMU_DIRTY_PAGES",
      rule: "dirty.v1",
      text: "a v1 container has no dirty pages; open it with type v2",
    });
    kernel.allow();
  });

  it("reads nothing after its end", () => {
    using container = Container.open();
    using _group = container.attach(EDU);
    const tracker = container.trackDirty();
    tracker[Symbol.dispose]();
    throws(() => [...tracker.drain()], ReferenceError, "tracking has ended");
  });

  it("reports a failed read once more, as incomplete", () => {
    using container = Container.open();
    using _group = container.attach(EDU);
    using memory = container.allocate(MiB);
    using _mapping = container.map(memory, { iova: LOW });
    using tracker = container.trackDirty();
    // STOP behind the tracker's back: its next read is refused.
    must(
      container.rawIoctl(VFIO_IOMMU_DIRTY_PAGES, new Uint8Array(Uint32Array.of(8, 2).buffer)),
      "STOP",
    );
    refused(() => [...tracker.drain()], {
      code: "EINVAL",
      operation: "VFIO_IOMMU_DIRTY_PAGES",
      text: /^Cannot read the dirty pages of 0x1000000..0x10fffff: .*stopped its tracking/,
    });
    must(
      container.rawIoctl(VFIO_IOMMU_DIRTY_PAGES, new Uint8Array(Uint32Array.of(8, 1).buffer)),
      "START",
    );
    equal([...tracker.runs()].map((run) => run.label), ["incomplete"]);
    equal([...tracker.runs()].map((run) => run.label), ["all-mapped"]);
  });
});

describe("the kernel's defect of stale bits", () => {
  it("raw: false dirt behind a mapping, which drifts on at every read", () => {
    using places = new Places();
    using container = new RawContainer();
    const iova = LOW + PAGE;
    must(container.map({ argsz: 32, flags: 3, vaddr: places.good, iova, size: 4n * PAGE }), "MAP");
    must(container.dirtySwitch(1), "START");
    const read = (from: bigint): bigint => {
      places.memory.bytes.fill(0);
      const bitmap = { bitmap_size: 8n, data: places.good };
      must(container.dirty({ ...GET, ...bitmap, iova: from, size: 64n * PAGE }), "GET");
      return words(places.memory, 1)[0]!;
    };
    // Pages 1 to 4 are mapped. What stays behind them is shifted again by each read.
    equal([read(LOW), read(LOW), read(LOW), read(LOW)], [0x1en, 0x3en, 0x7en, 0xfen]);
    equal(read(iova), 0xffn, "a read that begins at the mapping shows it too, and moves nothing");
    equal(read(iova), 0xffn);
  });

  it("raw: a buffer that is not zeroed keeps what stood over gaps", () => {
    using places = new Places();
    using container = new RawContainer();
    const request = { argsz: 32, flags: 3, vaddr: places.good, size: PAGE };
    must(container.map({ ...request, iova: LOW }), "MAP");
    must(container.map({ ...request, iova: LOW + 128n * PAGE }), "MAP");
    must(container.dirtySwitch(1), "START");
    places.memory.bytes.fill(0xff);
    const bitmap = { bitmap_size: 24n, data: places.good };
    must(container.dirty({ ...GET, ...bitmap, iova: LOW, size: 192n * PAGE }), "GET");
    equal(words(places.memory, 4), [1n, FULL, 1n, FULL]);
  });

  it("never shows in our windows", () => {
    using container = Container.open();
    using _group = container.attach(EDU);
    using memory = container.allocate(MiB);
    // Neighbours that begin at no multiple of 64 pages, a gap of words, and a mapping behind it.
    const places: [first: number, pages: number][] = [[1, 4], [5, 4], [70, 1], [128, 1], [320, 60]];
    for (const [first, pages] of places) {
      const size = BigInt(pages) * PAGE;
      container.map(memory, { iova: LOW + BigInt(first) * PAGE, size });
    }
    const wanted: DirtyRun[] = [[1, 8], [70, 1], [128, 1], [320, 60]].map(([first, pages]) => ({
      iova: LOW + BigInt(first!) * PAGE,
      size: BigInt(pages!) * PAGE,
      pages: pages!,
    }));
    using tracker = container.trackDirty();
    for (let i = 0; i < 6; i += 1) {
      const runs = [...tracker.runs({ maxBitmapBytes: i % 2 === 0 ? 8 : 1 << 20 })];
      equal(runs.map(({ label: _, ...run }) => run), wanted, `read ${i}`);
    }
    container.unmapAll();
  });

  it("never shows, although another reader left stale bits", () => {
    using container = Container.open();
    using _group = container.attach(EDU);
    using memory = container.allocate(MiB);
    using _a = container.map(memory, { iova: LOW, size: 4n * PAGE });
    using _b = container.map(memory, { iova: LOW + 64n * PAGE, size: 4n * PAGE });
    using tracker = container.trackDirty();
    using places = new Places();
    for (let i = 0; i < 3; i += 1) {
      const request = dirty_bitmap_get_request.create();
      const range = { iova: LOW - PAGE, size: 128n * PAGE, bitmap_size: 16n };
      Object.assign(request.fields, { ...GET, ...range });
      request.point("data", places.memory);
      must(container.rawIoctl(VFIO_IOMMU_DIRTY_PAGES, request.bytes), "GET");
      places.memory.bytes.fill(0);
    }
    const windows = Array.from(tracker.drain(), (window) => [window.pages, window.count]);
    equal(windows, [[68, 8]]);
  });

  it("never shows what an earlier window left in the buffer", () => {
    using container = Container.open();
    using _group = container.attach(EDU);
    using memory = container.allocate(320n * PAGE);
    using _a = container.map(memory, { iova: LOW, size: PAGE });
    using _b = container.map(memory, { iova: LOW + 256n * PAGE, size: PAGE });
    using _all = container.map(memory, { iova: LOW + MiB * 16n });
    using tracker = container.trackDirty();
    const counts = (maxBitmapBytes: number): number[][] =>
      Array.from(tracker.drain({ maxBitmapBytes }), (window) => [window.pages, window.count]);
    // The last window fills the buffer with ones; the next read has a gap of three words.
    equal(counts(8), [[1, 1], [1, 1], [320, 320]]);
    equal(counts(40), [[257, 2], [320, 320]]);
  });
});
