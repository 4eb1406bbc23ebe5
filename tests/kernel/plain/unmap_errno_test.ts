/** What UNMAP_DMA answers, raw, and what it has removed afterwards. */
import { UNMAP_RULES } from "../../../lib/rules/unmap.ts";
import { equal } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { LOW, PAGE } from "../support/machine.ts";
import { KERNEL_SPACE, Places, words } from "../support/place.ts";
import { predicts, space } from "../support/predict.ts";
import { answer, must, RawContainer, type UnmapFields } from "../support/raw.ts";

const BITMAP = 1;
const ALL = 2;
const VADDR = 4;

const pages = (count: number): bigint => BigInt(count) * PAGE;
const top = (1n << 64n) - PAGE;
const none = { argsz: 24, flags: 0, pgsize: 0n, bitmap_size: 0n, data: 0n };
const first = { ...none, iova: LOW, size: pages(20) };
const SECOND = LOW + pages(30);

/** 20 pages are mapped at LOW, and 40 more behind a gap of 10. The request is for the first. */
interface Row {
  name: string;
  request?: Partial<UnmapFields>;
  /** The bitmap; good by default. */
  bitmap?: (places: Places) => bigint;
  answer: string;
  /** Pages that `size` says were removed, where the request succeeds. */
  removed?: number;
}

const plain: Row[] = [
  { name: "one mapping", answer: "OK", removed: 20 },
  { name: "argsz 23", request: { argsz: 23 }, answer: "EINVAL" },
  { name: "argsz 0", request: { argsz: 0 }, answer: "EINVAL" },
  { name: "a larger argsz", request: { argsz: 4096 }, answer: "OK", removed: 20 },
  { name: "an unknown flag", request: { flags: 8 }, answer: "EINVAL" },
  { name: "iova between pages", request: { iova: LOW + 8n }, answer: "EINVAL" },
  { name: "size between pages", request: { size: pages(20) + 8n }, answer: "EINVAL" },
  { name: "size 0", request: { size: 0n }, answer: "EINVAL" },
  { name: "beyond 2^64", request: { iova: top, size: pages(2) }, answer: "EINVAL" },
  { name: "a cut at the head", request: { iova: LOW + PAGE, size: pages(19) }, answer: "EINVAL" },
  { name: "a cut at the tail", request: { size: pages(19) }, answer: "EINVAL" },
  { name: "a cut in the middle", request: { iova: LOW + PAGE, size: PAGE }, answer: "EINVAL" },
  { name: "one whole and a cut", request: { size: pages(31) }, answer: "EINVAL" },
  { name: "nothing mapped", request: { iova: 1n << 30n }, answer: "OK", removed: 0 },
  {
    name: "the gap",
    request: { iova: LOW + pages(20), size: pages(10) },
    answer: "OK",
    removed: 0,
  },
  { name: "both", request: { size: pages(70) }, answer: "OK", removed: 60 },
  { name: "more than both", request: { iova: 0n, size: LOW * 2n }, answer: "OK", removed: 60 },
  { name: "ALL", request: { flags: ALL, iova: 0n, size: 0n }, answer: "OK", removed: 60 },
  { name: "ALL with a size", request: { flags: ALL, iova: 0n }, answer: "EINVAL" },
  { name: "ALL with an iova", request: { flags: ALL, size: 0n }, answer: "EINVAL" },
  { name: "VADDR keeps the mapping", request: { flags: VADDR }, answer: "OK", removed: 20 },
  {
    name: "VADDR where nothing is mapped",
    request: { flags: VADDR, iova: 1n << 30n },
    answer: "OK",
    removed: 0,
  },
];

const withBitmap: Row[] = [
  { name: "a good one", answer: "OK", removed: 20 },
  { name: "argsz 24", request: { argsz: 24 }, answer: "EINVAL" },
  { name: "argsz 47", request: { argsz: 47 }, answer: "EINVAL" },
  { name: "a larger argsz", request: { argsz: 4096 }, answer: "OK", removed: 20 },
  { name: "pgsize 0", request: { pgsize: 0n }, answer: "EINVAL" },
  { name: "pgsize 2048", request: { pgsize: 2048n }, answer: "EINVAL" },
  { name: "pgsize 2 MiB", request: { pgsize: 0x20_0000n }, answer: "EINVAL" },
  { name: "a bitmap of 0 bytes", request: { bitmap_size: 0n }, answer: "EINVAL" },
  { name: "70 pages, 8 bytes", request: { size: pages(70), bitmap_size: 8n }, answer: "EINVAL" },
  {
    name: "a bitmap of 2^28 + 1 bytes",
    request: { bitmap_size: (1n << 28n) + 1n },
    answer: "EINVAL",
  },
  { name: "a bitmap in the kernel", bitmap: () => KERNEL_SPACE, answer: "EINVAL" },
  { name: "a cut", request: { size: pages(19) }, answer: "EINVAL" },
  { name: "size 0", request: { size: 0n }, answer: "EINVAL" },
  { name: "with ALL", request: { flags: BITMAP | ALL, iova: 0n, size: 0n }, answer: "EINVAL" },
  { name: "with VADDR", request: { flags: BITMAP | VADDR }, answer: "EINVAL" },
  { name: "a NULL bitmap", bitmap: () => 0n, answer: "EFAULT" },
  { name: "a read-only bitmap", bitmap: (at) => at.readOnly, answer: "EFAULT" },
  { name: "nothing mapped", request: { iova: 1n << 30n }, answer: "OK", removed: 0 },
  {
    name: "nothing mapped, NULL bitmap",
    request: { iova: 1n << 30n },
    bitmap: () => 0n,
    answer: "OK",
    removed: 0,
  },
  {
    name: "both mappings",
    request: { size: pages(70), bitmap_size: 16n },
    answer: "OK",
    removed: 60,
  },
];

function mapped(places: Places, type: "v1" | "v2" = "v2"): RawContainer {
  using stack = new DisposableStack();
  const container = stack.use(new RawContainer(type));
  const request = { argsz: 32, flags: 3, vaddr: places.good };
  must(container.map({ ...request, iova: LOW, size: pages(20) }), "the first mapping");
  must(container.map({ ...request, iova: SECOND, size: pages(40) }), "the second");
  stack.move();
  return container;
}

/** Removes everything that is left and gives the pages. */
const rest = (container: RawContainer): number =>
  Number(container.unmap({ ...none, flags: ALL, iova: 0n, size: 0n }).size / PAGE);

function expectRow(container: RawContainer, fields: UnmapFields, row: Row): void {
  const { result, size } = container.unmap(fields);
  equal(answer(result), row.answer);
  const { pgsize: pageSize, bitmap_size, data: address } = fields;
  const request = { ...fields, bitmap: { pageSize, size: bitmap_size, address } };
  const state = { ...space([LOW, 20], [SECOND, 40]), tracking: (fields.flags & BITMAP) !== 0 };
  predicts(UNMAP_RULES, request, state, row.answer);
  if (row.removed !== undefined) equal(size, pages(row.removed));
  const keeps = (fields.flags & VADDR) !== 0;
  equal(rest(container), keeps ? 60 : 60 - (row.removed ?? 0), "pages that stayed");
}

describe("UNMAP_DMA, raw", () => {
  for (const row of plain) {
    it(`${row.name}: ${row.answer}`, () => {
      using places = new Places();
      using container = mapped(places);
      expectRow(container, { ...first, ...row.request }, row);
    });
  }

  it("VADDR twice: EINVAL, and nothing is removed", () => {
    using places = new Places();
    using container = mapped(places);
    equal(container.unmap({ ...first, flags: VADDR }), { result: 0, size: pages(20) });
    equal(answer(container.unmap({ ...first, flags: VADDR }).result), "EINVAL");
    equal(rest(container), 60);
  });
});

describe("UNMAP_DMA with a bitmap, raw", () => {
  for (const row of withBitmap) {
    it(`${row.name}: ${row.answer}`, () => {
      using places = new Places();
      using container = mapped(places);
      must(container.dirtySwitch(1), "START");
      const data = row.bitmap?.(places) ?? places.good;
      const good = { argsz: 48, flags: BITMAP, pgsize: PAGE, bitmap_size: 8n, data };
      expectRow(container, { ...first, ...good, ...row.request }, row);
    });
  }

  it("before START: EINVAL", () => {
    using places = new Places();
    using container = mapped(places);
    const good = { argsz: 48, flags: BITMAP, pgsize: PAGE, bitmap_size: 8n, data: places.good };
    equal(answer(container.unmap({ ...first, ...good }).result), "EINVAL");
    equal(rest(container), 60);
  });

  it("gives the bits of what it removed", () => {
    using places = new Places();
    using container = mapped(places);
    must(container.dirtySwitch(1), "START");
    const good = { argsz: 48, flags: BITMAP, pgsize: PAGE, bitmap_size: 8n, data: places.good };
    equal(container.unmap({ ...first, ...good }), { result: 0, size: pages(20) });
    equal(words(places.memory, 1), [0xf_ffffn]);
  });

  it("EFAULT half-way: what came before is gone, the rest stays with its bits", () => {
    using places = new Places();
    using container = new RawContainer();
    // Three mappings of 64 pages, one word each: the words of the second and third do not fit.
    for (let i = 0; i < 3; i += 1) {
      const iova = LOW + pages(64 * i);
      must(
        container.map({ argsz: 32, flags: 3, vaddr: places.good, iova, size: pages(64) }),
        "MAP",
      );
    }
    must(container.dirtySwitch(1), "START");
    const data = places.halfGood + PAGE - 8n;
    const request = { argsz: 48, flags: BITMAP, pgsize: PAGE, bitmap_size: 24n, data };
    const { result, size } = container.unmap({ ...request, iova: LOW, size: pages(192) });
    equal([answer(result), size], ["EFAULT", pages(192)], "the size is not written back");
    const get = { ...request, flags: 4, iova: LOW, size: pages(192), data: places.good };
    places.memory.bytes.fill(0);
    must(container.dirty(get), "GET");
    equal(words(places.memory, 3), [0n, top | 0xfffn, top | 0xfffn]);
    equal(rest(container), 128);
  });
});

describe("UNMAP_DMA on a v1 container, raw", () => {
  it("takes a mapping whose first byte is in the range, and none that begins before it", () => {
    using places = new Places();
    using container = mapped(places, "v1");
    const unmap = (at: bigint, count: number): { result: number; size: bigint } =>
      container.unmap({ ...none, iova: at, size: pages(count) });
    equal(unmap(LOW + PAGE, 1), { result: 0, size: 0n });
    equal(unmap(LOW, 1), { result: 0, size: pages(20) });
    equal(unmap(SECOND + PAGE, 100), { result: 0, size: 0n });
    equal(rest(container), 40);
  });
});
