/** A session on the real kernel, traced: the same kernel gives the same again, and so does the model. */
import { Container, HostMemory, rawLinux as linux } from "../../../mod.ts";
import { ModelKernel } from "../../../lib/model/mod.ts";
import {
  formatLine,
  parseTrace,
  replay,
  type Step,
  type Trace,
  tracing,
} from "../../../lib/trace/mod.ts";
import { encodeRequest, VFIO_IOMMU_DIRTY_PAGES } from "../../../lib/uapi/mod.ts";
import { equal, ok } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { addressLimit, EDU, EDU2, LOW, MiB, PAGE, vtd } from "../support/machine.ts";
import { Places } from "../support/place.ts";

/** Runs a script on the real kernel and gives its trace, written down and read again. */
function traced(script: (kernel: ReturnType<typeof tracing>) => void): Trace {
  let text = "";
  script(tracing(linux, (line) => text += formatLine(line)));
  return parseTrace(text);
}

/** What differs, for a message that can be read. */
const shown = (steps: readonly Step[]): readonly unknown[] =>
  steps.map(({ record, differences }) => ({
    seq: record.seq,
    name: record.call === "ioctl" ? record.name : record.call,
    differences,
  }));

/** A model of this machine: its IOMMU reaches as far as the guest's. */
function model(): ModelKernel {
  const [start, end] = vtd().msi;
  const below = { start: 0n, end: start - 1n };
  const above = { start: end + 1n, end: addressLimit() - 1n };
  return new ModelKernel({ ranges: [below, above] });
}

/** Maps, tracks, reads windows, unmaps with the bitmap; an interrupt; and requests that are refused. */
function session(kernel: ReturnType<typeof tracing>): void {
  using container = Container.open({ kernel });
  using group = container.attach(EDU);
  container.info();
  using memory = container.allocate(MiB);
  using mapping = container.map(memory, { iova: LOW });
  using small = container.map(memory, { iova: LOW + 16n * MiB, size: 5n * PAGE, access: "r" });
  {
    using tracker = container.trackDirty();
    equal([...tracker.runs({ maxBitmapBytes: 64 })].map(({ pages }) => pages), [256, 5]);
    equal(small.unmapWithBitmap().count, 5);
  }
  using device = group.device();
  using event = container.event();
  device.enableIrq(1, [event]);
  device.triggerIrq(1);
  equal(event.wait(1000), 1n);
  device.disableIrq(1);
  device.region(7).read(0, 4);
  const refuses = (fields: Record<string, string>): void => {
    const { argument } = encodeRequest("container", "VFIO_IOMMU_MAP_DMA", fields);
    if (!(argument instanceof Uint8Array)) throw new Error("a struct");
    ok(container.rawIoctl(0x3b71, argument) < 0);
  };
  const vaddr = `${memory.address}`;
  const whole = { flags: "READ|WRITE", vaddr, iova: `${LOW}`, size: `${MiB}` };
  refuses(whole); //                                         EEXIST
  refuses({ ...whole, size: "0" }); //                       EINVAL
  refuses({ ...whole, iova: "0xfee00000", size: "4096" }); // EINVAL: the MSI window
  refuses({ ...whole, iova: `${2n * LOW}`, vaddr: "0x1000" }); // EFAULT
  equal(mapping.isMapped, true);
}

describe("a trace of the real kernel", () => {
  it("tells every call with its fields", () => {
    const { header, records } = traced(session);
    equal(header.kernel, "linux");
    equal(header.release, Deno.osRelease());
    const names = new Set(records.map((r) => r.call === "ioctl" ? `${r.kind} ${r.name}` : r.call));
    for (
      const name of [
        "group VFIO_GROUP_SET_CONTAINER",
        "container VFIO_IOMMU_MAP_DMA",
        "container VFIO_IOMMU_DIRTY_PAGES",
        "container VFIO_IOMMU_UNMAP_DMA",
        "device VFIO_DEVICE_SET_IRQS",
        "eventfd",
        "munmap",
      ]
    ) ok(names.has(name), `${name} is missing among ${[...names].join(", ")}`);
    const errors = records.filter((r) => r.call === "ioctl" && r.name === "VFIO_IOMMU_MAP_DMA")
      .flatMap(({ error }) => error ?? []);
    equal(errors, ["EEXIST", "EINVAL", "EINVAL", "EFAULT"]);
  });

  it("gives the same again on the same kernel", async () => {
    const { records } = traced(session);
    const { different, made } = await replay(records, linux, { all: true, registers: true });
    equal(shown(different), []);
    ok(made > 30, `${made} calls`);
  });

  it("gives the same on the model", async () => {
    const { records } = traced(session);
    const { different } = await replay(records, model(), { all: true });
    equal(shown(different), []);
  });

  it("gives the same on the same kernel with another device", async () => {
    const { records } = traced(session);
    const devices = { [EDU]: EDU2 };
    equal(shown((await replay(records, linux, { all: true, devices })).different), []);
  });

  it("shows a record that was changed", async () => {
    const { records } = traced(session);
    const at = records.findIndex((r) =>
      r.call === "ioctl" && r.name === "VFIO_IOMMU_DIRTY_PAGES" && r.pointers !== undefined
    );
    const record = records[at];
    if (record?.call !== "ioctl") throw new Error("no GET_BITMAP");
    const [pointer] = record.pointers ?? [];
    equal(pointer?.after, "ff*32");
    const changed = { ...record, pointers: [{ ...pointer!, after: "ff*31 7f" }] };
    const { different } = await replay(records.with(at, changed), linux);
    equal(shown(different), [{
      seq: record.seq,
      name: "VFIO_IOMMU_DIRTY_PAGES",
      differences: [{
        what: "bits of bitmap.data",
        wanted: "no other",
        got: "1 bit more: 255",
      }],
    }]);
  });
});

describe("bitmaps in a trace of the real kernel", () => {
  /** A GET_BITMAP from the page before a mapping of four pages, as nobody should read. */
  function stale(kernel: ReturnType<typeof tracing>): void {
    using container = Container.open({ kernel });
    using _group = container.attach(EDU);
    using memory = HostMemory.allocate(kernel, 64n * PAGE);
    using _mapping = container.map(memory, { iova: LOW + PAGE, size: 4n * PAGE });
    using _tracker = container.trackDirty();
    using bitmap = HostMemory.allocate(kernel, PAGE);
    for (let i = 0; i < 4; i += 1) {
      bitmap.bytes.fill(0);
      if (i === 3) bitmap.bytes.fill(0xff, 8, 16); // behind it: nothing writes there
      const { argument } = encodeRequest("container", VFIO_IOMMU_DIRTY_PAGES, {
        flags: "GET_BITMAP",
        iova: `${LOW}`,
        size: `${64n * PAGE}`,
        "bitmap.pgsize": "4096",
        "bitmap.size": "8",
        "bitmap.data": `${bitmap.address}`,
      });
      if (!(argument instanceof Uint8Array)) throw new Error("a struct");
      equal(container.rawIoctl(VFIO_IOMMU_DIRTY_PAGES, argument), 0);
    }
  }

  it("hold the kernel's defect of stale bits, which it repeats", async () => {
    const { records } = traced(stale);
    const words = records.flatMap((r) =>
      r.call === "ioctl" && r.name === "VFIO_IOMMU_DIRTY_PAGES"
        ? (r.pointers ?? []).map(({ after }) => after)
        : []
    );
    equal(words, ["1e00000000000000", "3e00000000000000", "7e00000000000000", "fe00000000000000"]);
    equal(shown((await replay(records, linux, { all: true })).different), []);
  });

  it("are read only where looking cannot fault", async () => {
    const { records } = traced((kernel) => {
      using container = Container.open({ kernel });
      using _group = container.attach(EDU);
      using memory = HostMemory.allocate(kernel, MiB);
      using _mapping = container.map(memory, { iova: LOW });
      using _tracker = container.trackDirty();
      using places = new Places(kernel);
      for (const data of [0n, places.readOnly, places.halfGood + PAGE, places.halfGood]) {
        const { argument } = encodeRequest("container", VFIO_IOMMU_DIRTY_PAGES, {
          flags: "GET_BITMAP",
          iova: `${LOW}`,
          size: `${MiB}`,
          "bitmap.pgsize": "4096",
          "bitmap.size": "32",
          "bitmap.data": `${data}`,
        });
        if (!(argument instanceof Uint8Array)) throw new Error("a struct");
        container.rawIoctl(VFIO_IOMMU_DIRTY_PAGES, argument);
      }
    });
    const gets = records.flatMap((r) => r.call === "ioctl" && r.pointers !== undefined ? [r] : [])
      .filter(({ name }) => name === "VFIO_IOMMU_DIRTY_PAGES");
    equal(gets.map(({ error, pointers }) => [error, pointers?.[0]?.after]), [
      ["EFAULT", undefined],
      ["EFAULT", "00*32"],
      ["EFAULT", undefined],
      [undefined, "ff*32"],
    ]);
    equal(shown((await replay(records, linux, { all: true })).different), []);
  });
});
