/** What DIRTY_PAGES answers: around each rule, and by what came before. */

import { VFIO_IOMMU_DIRTY_PAGES } from "../../uapi/request.ts";
import type { Bench } from "../bench.ts";
import type { Check } from "../check.ts";
import type { RangeFields, RawContainer } from "../container.ts";
import { KERNEL_SPACE } from "../place.ts";
import { answer, must, NULL, words32 } from "../raw.ts";
import { all, GET, getRequest, mapPages, readWords, START, start, STOP } from "./request.ts";

/** Pages 0 to 19 are mapped, and 30 to 69; tracking is on. The request is for the first. */
interface Row {
  readonly name: string;
  readonly rule: string;
  readonly request?: (bench: Bench) => Partial<RangeFields>;
}

const END = 1n << 64n;
/** Largest bitmap in bytes. */
const MOST = 1n << 28n;

const fields = (name: string, rule: string, request: Partial<RangeFields>): Row => ({
  name,
  rule,
  request: () => request,
});

const rows: readonly Row[] = [
  { name: "a good GET", rule: "dirty.flags" },
  fields("argsz 0", "dirty.argsz", { argsz: 0 }),
  fields("argsz 7", "dirty.argsz", { argsz: 7 }),
  fields("GET with argsz 8", "dirty.argsz", { argsz: 8 }),
  fields("GET with argsz 47", "dirty.argsz", { argsz: 47 }),
  fields("GET with argsz 49", "dirty.argsz", { argsz: 49 }),
  fields("GET with argsz 4096", "dirty.argsz", { argsz: 4096 }),
  fields("START with argsz 7", "dirty.argsz", { argsz: 7, flags: START }),
  fields("START with argsz 8", "dirty.argsz", { argsz: 8, flags: START }),
  fields("STOP with argsz 7", "dirty.argsz", { argsz: 7, flags: STOP }),
  fields("STOP with argsz 8", "dirty.argsz", { argsz: 8, flags: STOP }),
  fields("STOP with argsz 4096", "dirty.argsz", { argsz: 4096, flags: STOP }),
  fields("flags 0", "dirty.flags", { flags: 0 }),
  fields("flag 8", "dirty.flags", { flags: 8 }),
  fields("flag 0x80000000", "dirty.flags", { flags: 0x8000_0000 }),
  fields("GET and flag 8", "dirty.flags", { flags: GET | 8 }),
  fields("START and STOP", "dirty.flags", { flags: START | STOP }),
  fields("START and GET", "dirty.flags", { flags: START | GET }),
  fields("STOP and GET", "dirty.flags", { flags: STOP | GET }),
  fields("all three", "dirty.flags", { flags: START | STOP | GET }),
  { name: "iova 8 bytes on", rule: "dirty.align", request: (b) => ({ iova: b.at(0) + 8n }) },
  { name: "size 8 bytes more", rule: "dirty.align", request: (b) => ({ size: b.pages(20) + 8n }) },
  fields("size 0", "dirty.size", { size: 0n }),
  fields("pgsize 0", "dirty.page-size", { pgsize: 0n }),
  {
    name: "pgsize of half a page",
    rule: "dirty.page-size",
    request: (b) => ({ pgsize: b.page / 2n }),
  },
  {
    name: "pgsize of two pages",
    rule: "dirty.page-size",
    request: (b) => ({ pgsize: b.page * 2n }),
  },
  {
    name: "pgsize of 512 pages",
    rule: "dirty.page-size",
    request: (b) => ({ pgsize: b.page * 512n }),
  },
  {
    name: "pgsize one byte more",
    rule: "dirty.page-size",
    request: (b) => ({ pgsize: b.page + 1n }),
  },
  fields("a bitmap of 0 bytes", "dirty.bitmap-size", { bitmap_size: 0n }),
  fields("a bitmap of 7 bytes", "dirty.bitmap-size", { bitmap_size: 7n }),
  fields("a bitmap of 9 bytes", "dirty.bitmap-size", { bitmap_size: 9n }),
  ...[24, 27, 31, 32].map((bytes): Row => ({
    name: `212 pages, ${bytes} bytes`,
    rule: "dirty.bitmap-size",
    request: (b) => ({ size: b.pages(212), bitmap_size: BigInt(bytes) }),
  })),
  fields("a bitmap of 2^28 bytes", "dirty.bitmap-max", { bitmap_size: MOST }),
  fields("a bitmap of 2^28 + 1 bytes", "dirty.bitmap-max", { bitmap_size: MOST + 1n }),
  {
    name: "2^31 pages, a bitmap of 2^28 bytes, in the kernel",
    rule: "dirty.bitmap-access",
    request: (b) => ({ iova: 0n, size: b.page << 31n, bitmap_size: MOST, data: KERNEL_SPACE }),
  },
  {
    name: "2^31 pages where nothing is mapped, NULL bitmap",
    rule: "dirty.bitmap-max",
    request: (b) => ({ iova: b.page << 31n, size: b.page << 31n, bitmap_size: MOST, data: 0n }),
  },
  {
    name: "2^31 + 1 pages where nothing is mapped, NULL bitmap",
    rule: "dirty.bitmap-max",
    request: (b) => ({
      iova: b.page << 31n,
      size: (b.page << 31n) + b.page,
      bitmap_size: MOST + 8n,
      data: 0n,
    }),
  },
  fields("a bitmap in the kernel", "dirty.bitmap-access", { data: KERNEL_SPACE }),
  fields("a bitmap at 2^64 - 8", "dirty.bitmap-access", { data: END - 8n }),
  fields("a NULL bitmap", "dirty.bitmap-copy", { data: 0n }),
  {
    name: "a read-only bitmap",
    rule: "dirty.bitmap-copy",
    request: (b) => ({ data: b.places.readOnly }),
  },
  {
    name: "an unaligned bitmap",
    rule: "dirty.bitmap-copy",
    request: (b) => ({ data: b.places.bitmap.address + 3n }),
  },
  {
    name: "a bitmap that ends half-way",
    rule: "dirty.bitmap-copy",
    request: (b) => ({ data: b.places.half.address + b.page - 4n }),
  },
  {
    name: "a cut at the head",
    rule: "dirty.cut",
    request: (b) => ({ iova: b.at(1), size: b.pages(19) }),
  },
  { name: "a cut at the tail", rule: "dirty.cut", request: (b) => ({ size: b.pages(19) }) },
  {
    name: "a cut in the middle",
    rule: "dirty.cut",
    request: (b) => ({ iova: b.at(1), size: b.page }),
  },
  { name: "a cut of the second", rule: "dirty.cut", request: (b) => ({ size: b.pages(31) }) },
  {
    name: "one page of the gap and the second",
    rule: "dirty.cut",
    request: (b) => ({ iova: b.at(29), size: b.pages(41) }),
  },
  {
    name: "both mappings and the gap",
    rule: "dirty.cut",
    request: (b) => ({ size: b.pages(70), bitmap_size: 16n }),
  },
  { name: "the gap", rule: "dirty.cut", request: (b) => ({ iova: b.at(20), size: b.pages(10) }) },
  {
    name: "the gap, NULL bitmap",
    rule: "dirty.bitmap-copy",
    request: (b) => ({ iova: b.at(20), size: b.pages(10), data: 0n }),
  },
  { name: "before all mappings", rule: "dirty.cut", request: () => ({ iova: 0n }) },
  {
    name: "beyond all mappings, NULL bitmap",
    rule: "dirty.bitmap-copy",
    request: () => ({ iova: 1n << 40n, data: 0n }),
  },
  {
    name: "more than is mapped",
    rule: "dirty.cut",
    request: (b) => ({ iova: b.at(-1), size: b.pages(300), bitmap_size: 40n }),
  },
  {
    name: "beyond 2^64",
    rule: "dirty.wrap",
    request: (b) => ({ iova: END - b.page, size: b.pages(2) }),
  },
  {
    name: "the last page below 2^64",
    rule: "dirty.wrap",
    request: (b) => ({ iova: END - b.page, size: b.page }),
  },
  {
    name: "the page before it",
    rule: "dirty.wrap",
    request: (b) => ({ iova: END - b.pages(2), size: b.page }),
  },
  // Which of two comes first.
  {
    name: "beyond 2^64, and a bitmap of 0 bytes",
    rule: "dirty.wrap",
    request: (b) => ({ iova: END - b.page, size: b.pages(2), bitmap_size: 0n }),
  },
  {
    name: "beyond 2^64, and pgsize 0",
    rule: "dirty.wrap",
    request: (b) => ({ iova: END - b.page, size: b.pages(2), pgsize: 0n }),
  },
  {
    name: "beyond 2^64, and argsz 47",
    rule: "dirty.argsz",
    request: (b) => ({ iova: END - b.page, size: b.pages(2), argsz: 47 }),
  },
  {
    name: "beyond 2^64, and a bitmap in the kernel",
    rule: "dirty.wrap",
    request: (b) => ({ iova: END - b.page, size: b.pages(2), data: KERNEL_SPACE }),
  },
  {
    name: "a cut, and a NULL bitmap",
    rule: "dirty.cut",
    request: (b) => ({ size: b.pages(19), data: 0n }),
  },
  {
    name: "the second cut, and a NULL bitmap",
    rule: "dirty.cut",
    request: (b) => ({ size: b.pages(31), data: 0n }),
  },
  {
    name: "pgsize 0, and a NULL bitmap",
    rule: "dirty.page-size",
    request: () => ({ pgsize: 0n, data: 0n }),
  },
  {
    name: "iova 8 bytes on, and a NULL bitmap",
    rule: "dirty.align",
    request: (b) => ({ iova: b.at(0) + 8n, data: 0n }),
  },
];

/** The two mappings of the rows. */
function mapped(bench: Bench, type: "v1" | "v2" = "v2"): RawContainer {
  using stack = new DisposableStack();
  const container = stack.use(bench.container(bench.pci, type));
  mapPages(bench, container, 0, 20);
  mapPages(bench, container, 30, 40);
  stack.move();
  return container;
}

const SOURCE = "vfio_iommu_type1_dirty_pages";

const table = rows.map(({ name, rule, request }): Check => ({
  name: `dirty: ${name}`,
  rule,
  source: SOURCE,
  needs: ["container"],
  run: (bench, say) => {
    using container = mapped(bench);
    start(container);
    say(
      "DIRTY_PAGES",
      answer(container.dirty({ ...getRequest(bench, 0, 20), ...request?.(bench) })),
    );
    say("then a good GET", readWords(bench, container, 0, 20));
  },
}));

const before = [
  "beyond 2^64",
  "pgsize 0",
  "a NULL bitmap",
  "a cut at the tail",
  "size 0",
  "the gap",
];

/** The same before START: which rules come before the one that tracking is on. */
const unstarted = rows.filter(({ name }) => before.includes(name)).map((
  { name, request },
): Check => ({
  name: `dirty: not started, ${name}`,
  rule: "dirty.started",
  source: SOURCE,
  needs: ["container"],
  run: (bench, say) => {
    using container = mapped(bench);
    say("GET", answer(container.dirty({ ...getRequest(bench, 0, 20), ...request?.(bench) })));
  },
}));

const ask = (on: RawContainer, flags: number): string => answer(on.dirtySwitch(flags));

const others: readonly Check[] = [
  {
    name: "dirty: an argument that is NULL",
    rule: "dirty.argument",
    source: SOURCE,
    needs: ["container"],
    run: (bench, say) => {
      using container = bench.container();
      say("DIRTY_PAGES", answer(container.file.ask(VFIO_IOMMU_DIRTY_PAGES, NULL)));
    },
  },
  {
    name: "dirty: START and STOP, once and twice",
    rule: "dirty.started",
    source: SOURCE,
    needs: ["container"],
    run: (bench, say) => {
      using container = mapped(bench);
      const get = (): string => readWords(bench, container, 0, 70);
      say("GET before START", get());
      say("STOP before START", ask(container, STOP));
      say("START", ask(container, START));
      say("GET", get());
      say("GET again", get());
      say("START again", ask(container, START));
      say("GET after two STARTs", get());
      say("STOP", ask(container, STOP));
      say("GET after one STOP", get());
      say("STOP again", ask(container, STOP));
      say("START after STOP", ask(container, START));
      say("GET after START", get());
    },
  },
  {
    name: "dirty: a v1 container",
    rule: "dirty.v2",
    source: SOURCE,
    needs: ["container"],
    run: (bench, say) => {
      using container = mapped(bench, "v1");
      for (const flags of [START, STOP, GET, 0, 8]) {
        say(`8 bytes, flags ${flags}`, ask(container, flags));
      }
      say("GET", readWords(bench, container, 0, 20));
      say("argsz 0", answer(container.file.ask(VFIO_IOMMU_DIRTY_PAGES, words32(0, 0))));
      say("NULL", answer(container.file.ask(VFIO_IOMMU_DIRTY_PAGES, NULL)));
    },
  },
  {
    name: "dirty: a mapping made while tracking is on",
    rule: "dirty.scope",
    source: "vfio_dma_do_map",
    needs: ["container"],
    run: (bench, say) => {
      using container = bench.container();
      say("START without mappings", ask(container, START));
      say("GET without mappings", readWords(bench, container, 0, 64));
      mapPages(bench, container, 3, 5);
      say("GET", readWords(bench, container, 0, 64));
      say("pages unmapped", bench.count(container.unmap(all).size));
      say("GET after UNMAP", readWords(bench, container, 0, 64));
    },
  },
  {
    name: "dirty: what is written over a buffer full of ones",
    rule: "dirty.buffer",
    source: "update_user_bitmap",
    needs: ["container"],
    run: (bench, say) => {
      using container = bench.container();
      mapPages(bench, container, 0, 20);
      mapPages(bench, container, 128, 20);
      mapPages(bench, container, 200, 5);
      start(container);
      const { bytes } = bench.places.bitmap;
      const get = (first: number, count: number): string => {
        bytes.fill(0xff);
        must(container.dirty(getRequest(bench, first, count)), "GET");
        const view = new DataView(bytes.buffer);
        return [0, 1, 2, 3, 4].map((i) => `0x${view.getBigUint64(8 * i, true).toString(16)}`)
          .join(" ");
      };
      say("three mappings, the last not at a word", get(0, 256));
      say("into zeroed memory after it", readWords(bench, container, 0, 256));
      say("one mapping", get(0, 20));
      say("the gap", get(20, 40));
    },
  },
];

/** All checks of the file. */
export const dirtyChecks: readonly Check[] = [...table, ...unstarted, ...others];
