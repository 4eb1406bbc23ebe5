/** What MAP_DMA answers: around each rule, and which of two rules comes first. */

import {
  VFIO_DMA_MAP_FLAG_READ as READ,
  VFIO_DMA_MAP_FLAG_VADDR as VADDR,
  VFIO_DMA_MAP_FLAG_WRITE as WRITE,
} from "../../uapi/flag.ts";
import { VFIO_IOMMU_MAP_DMA } from "../../uapi/request.ts";
import type { Bench } from "../bench.ts";
import type { Check, Need } from "../check.ts";
import type { MapFields } from "../container.ts";
import { NOWHERE } from "../place.ts";
import { answer, must, NULL } from "../raw.ts";
import { all } from "./request.ts";

/** One page is mapped at page 0 before each request; the request is for page 1. */
interface Row {
  readonly name: string;
  readonly rule: string;
  readonly source?: string;
  readonly need?: Need;
  readonly request?: (bench: Bench) => Partial<MapFields>;
}

const END = 1n << 64n;
const GOOD = READ | WRITE;

const rows: readonly Row[] = [
  { name: "a good request", rule: "map.flags" },
  { name: "argsz 0", rule: "map.argsz", request: () => ({ argsz: 0 }) },
  { name: "argsz 31", rule: "map.argsz", request: () => ({ argsz: 31 }) },
  { name: "argsz 33", rule: "map.argsz", request: () => ({ argsz: 33 }) },
  { name: "argsz 4096", rule: "map.argsz", request: () => ({ argsz: 4096 }) },
  { name: "flag 8", rule: "map.flags", request: () => ({ flags: GOOD | 8 }) },
  { name: "flag 0x80000000", rule: "map.flags", request: () => ({ flags: 0x8000_0001 }) },
  { name: "flags 0", rule: "map.rights", request: () => ({ flags: 0 }) },
  { name: "only reading", rule: "map.rights", request: () => ({ flags: READ }) },
  { name: "only writing", rule: "map.rights", request: () => ({ flags: WRITE }) },
  { name: "size 0", rule: "map.size", request: () => ({ size: 0n }) },
  { name: "iova 8 bytes on", rule: "map.align", request: (b) => ({ iova: b.at(1) + 8n }) },
  {
    name: "iova half a page on",
    rule: "map.align",
    request: (b) => ({ iova: b.at(1) + b.page / 2n }),
  },
  {
    name: "size one byte less than a page",
    rule: "map.align",
    request: (b) => ({ size: b.page - 1n }),
  },
  {
    name: "size one byte more than a page",
    rule: "map.align",
    request: (b) => ({ size: b.page + 1n }),
  },
  {
    name: "vaddr 8 bytes on",
    rule: "map.align",
    request: (b) => ({ vaddr: b.places.memory.address + 8n }),
  },
  {
    name: "iova beyond 2^64",
    rule: "map.wrap",
    request: (b) => ({ iova: END - b.page, size: b.pages(2) }),
  },
  { name: "iova up to 2^64", rule: "map.wrap", request: (b) => ({ iova: END - b.page }) },
  {
    name: "iova up to the page before 2^64",
    rule: "map.wrap",
    request: (b) => ({ iova: END - b.pages(2) }),
  },
  {
    name: "vaddr beyond 2^64",
    rule: "map.wrap",
    request: (b) => ({ vaddr: END - b.page, size: b.pages(2) }),
  },
  { name: "vaddr up to 2^64", rule: "map.wrap", request: (b) => ({ vaddr: END - b.page }) },
  { name: "the same page again", rule: "map.overlap", request: (b) => ({ iova: b.at(0) }) },
  {
    name: "over the end of a mapping",
    rule: "map.overlap",
    request: (b) => ({ iova: b.at(-1), size: b.pages(2) }),
  },
  {
    name: "around a mapping",
    rule: "map.overlap",
    request: (b) => ({ iova: b.at(-1), size: b.pages(3) }),
  },
  { name: "up to a mapping", rule: "map.overlap", request: (b) => ({ iova: b.at(-1) }) },
  { name: "iova 0", rule: "map.iova-range", request: () => ({ iova: 0n }) },
  {
    name: "the last page before the hole",
    rule: "map.iova-range",
    need: "hole",
    request: (b) => ({ iova: hole(b).start - b.page }),
  },
  {
    name: "the first page of the hole",
    rule: "map.iova-range",
    need: "hole",
    request: (b) => ({ iova: hole(b).start }),
  },
  {
    name: "the last page of the hole",
    rule: "map.iova-range",
    need: "hole",
    request: (b) => ({ iova: hole(b).end - b.page }),
  },
  {
    name: "the first page behind the hole",
    rule: "map.iova-range",
    need: "hole",
    request: (b) => ({ iova: hole(b).end }),
  },
  {
    name: "into the hole",
    rule: "map.iova-range",
    need: "hole",
    request: (b) => ({ iova: hole(b).start - b.page, size: b.pages(2) }),
  },
  {
    name: "out of the hole",
    rule: "map.iova-range",
    need: "hole",
    request: (b) => ({ iova: hole(b).end - b.page, size: b.pages(2) }),
  },
  {
    name: "the last page of the IOMMU",
    rule: "map.iova-range",
    request: (b) => ({ iova: limit(b) - b.page }),
  },
  { name: "the page behind it", rule: "map.iova-range", request: (b) => ({ iova: limit(b) }) },
  {
    name: "over the last page of the IOMMU",
    rule: "map.iova-range",
    request: (b) => ({ iova: limit(b) - b.page, size: b.pages(2) }),
  },
  { name: "memory that is not there", rule: "map.memory", request: () => ({ vaddr: NOWHERE }) },
  {
    name: "memory that is not there, to read",
    rule: "map.memory",
    request: () => ({ vaddr: NOWHERE, flags: READ }),
  },
  { name: "vaddr 0", rule: "map.memory", request: () => ({ vaddr: 0n }) },
  {
    name: "writing of read-only memory",
    rule: "map.memory",
    request: (b) => ({ vaddr: b.places.readOnly }),
  },
  {
    name: "reading of read-only memory",
    rule: "map.memory",
    request: (b) => ({ vaddr: b.places.readOnly, flags: READ }),
  },
  {
    name: "memory up to its file's end",
    rule: "map.memory",
    request: (b) => ({ vaddr: b.places.half.address }),
  },
  {
    name: "memory beyond its file's end",
    rule: "map.memory",
    request: (b) => ({ vaddr: b.places.half.address, size: b.pages(2) }),
  },
  // Which of two comes first; the first line of each group of errnos that differ.
  {
    name: "overlap, and memory that is not there",
    rule: "map.overlap",
    request: (b) => ({ iova: b.at(0), vaddr: NOWHERE }),
  },
  {
    name: "overlap, and flags 0",
    rule: "map.rights",
    request: (b) => ({ iova: b.at(0), flags: 0 }),
  },
  {
    name: "overlap, and size between pages",
    rule: "map.align",
    request: (b) => ({ iova: b.at(0), size: b.page + 8n }),
  },
  {
    name: "overlap, and beyond the IOMMU",
    rule: "map.overlap",
    request: (b) => ({ iova: b.at(0), size: limit(b), flags: READ }),
  },
  {
    name: "beyond the IOMMU, and memory that is not there",
    rule: "map.iova-range",
    request: (b) => ({ iova: limit(b), vaddr: NOWHERE }),
  },
  {
    name: "beyond 2^64, and flags 0",
    rule: "map.wrap",
    request: (b) => ({ iova: END - b.page, size: b.pages(2), flags: 0 }),
  },
  {
    name: "beyond 2^64, and flag 8",
    rule: "map.flags",
    request: (b) => ({ iova: END - b.page, size: b.pages(2), flags: 8 }),
  },
  {
    name: "beyond 2^64, and argsz 31",
    rule: "map.argsz",
    request: (b) => ({ iova: END - b.page, size: b.pages(2), argsz: 31 }),
  },
  {
    name: "beyond 2^64, and size between pages",
    rule: "map.wrap",
    request: (b) => ({ iova: END - b.page, size: b.page + 8n }),
  },
  {
    name: "beyond 2^64, and vaddr between pages",
    rule: "map.wrap",
    request: (b) => ({ iova: END - b.page, size: b.pages(2), vaddr: b.places.memory.address + 8n }),
  },
  { name: "beyond 2^64, and size 2^64 - 1", rule: "map.wrap", request: () => ({ size: END - 1n }) },
  // VADDR gives a new address to a mapping whose old one was taken away.
  {
    name: "VADDR on a valid mapping",
    rule: "map.vaddr",
    request: (b) => ({ flags: VADDR, iova: b.at(0) }),
  },
  { name: "VADDR where no mapping is", rule: "map.vaddr-none", request: () => ({ flags: VADDR }) },
  {
    name: "VADDR and READ",
    rule: "map.vaddr-flags",
    request: (b) => ({ flags: VADDR | READ, iova: b.at(0) }),
  },
  {
    name: "VADDR and READ where no mapping is",
    rule: "map.vaddr-flags",
    request: () => ({ flags: VADDR | READ }),
  },
  {
    name: "VADDR over more than a mapping",
    rule: "map.vaddr",
    request: (b) => ({ flags: VADDR, iova: b.at(0), size: b.pages(2) }),
  },
  {
    name: "VADDR, size 0, where no mapping is",
    rule: "map.size",
    request: () => ({ flags: VADDR, size: 0n }),
  },
  {
    name: "VADDR between pages, where no mapping is",
    rule: "map.align",
    request: (b) => ({ flags: VADDR, iova: b.at(1) + 8n }),
  },
];

/** The hole behind the first range: from `start` up to `end`, without it. */
function hole(bench: Bench): { start: bigint; end: bigint } {
  const [first, second] = bench.facts!.ranges!;
  return { start: first!.end + 1n, end: second!.start };
}

/** One past the last address of the IOMMU. */
export const limit = (bench: Bench): bigint => bench.facts!.ranges!.at(-1)!.end + 1n;

const table = rows.map(({ name, rule, source, need, request }): Check => ({
  name: `map: ${name}`,
  rule,
  source: source ?? "vfio_dma_do_map",
  needs: need === undefined ? ["container"] : ["container", need],
  run: (bench, say) => {
    using container = bench.container();
    const { address } = bench.places.memory;
    const good = { argsz: 32, flags: GOOD, vaddr: address, iova: bench.at(0), size: bench.page };
    must(container.map(good), "MAP of the page before it");
    const next = { ...good, vaddr: address + bench.page, iova: bench.at(1) };
    say("MAP", answer(container.map({ ...next, ...request?.(bench) })));
    say("pages mapped", bench.count(container.unmap(all).size));
  },
}));

const others: readonly Check[] = [
  {
    name: "map: an argument that is NULL",
    rule: "map.argument",
    source: "vfio_iommu_type1_map_dma",
    needs: ["container"],
    run: (bench, say) => {
      using container = bench.container();
      say("MAP", answer(container.file.ask(VFIO_IOMMU_MAP_DMA, NULL)));
    },
  },
  {
    name: "map: the entry limit",
    rule: "map.entries",
    source: "vfio_dma_do_map",
    needs: ["container", "entry-limit"],
    run: (bench, say) => {
      using container = bench.container();
      const { address } = bench.places.memory;
      const limit = bench.facts!.available;
      const map = (page: number, vaddr = address): string => {
        const iova = bench.at(page);
        return answer(container.map({ argsz: 32, flags: GOOD, vaddr, iova, size: bench.page }));
      };
      for (let i = 0; i < limit - 1; i += 1) map(i);
      say("the last one", map(limit - 1));
      say("one more", map(limit));
      say("one more, memory that is not there", map(limit, NOWHERE));
      say("one more, where a mapping is", map(0));
      const one = { ...all, flags: 0, iova: bench.at(0), size: bench.page };
      say("UNMAP of one", bench.count(container.unmap(one).size));
      say("another one", map(limit));
      say(
        "pages mapped",
        `${container.unmap(all).size === bench.pages(limit) ? "the limit" : "other"}`,
      );
    },
  },
];

/** All checks of the file. */
export const mapChecks: readonly Check[] = [...table, ...others];
