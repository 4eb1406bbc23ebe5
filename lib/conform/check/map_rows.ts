/** Requests of MAP_DMA around each rule, and such that break two of them. */

import {
  VFIO_DMA_MAP_FLAG_READ as READ,
  VFIO_DMA_MAP_FLAG_VADDR as VADDR,
  VFIO_DMA_MAP_FLAG_WRITE as WRITE,
} from "../../uapi/flag.ts";
import type { Bench } from "../bench.ts";
import type { Need } from "../check.ts";
import type { MapFields } from "../container.ts";
import { NOWHERE } from "../place.ts";

/** One page is mapped at page 0 before each request; the request is for page 1. */
export interface MapRow {
  readonly name: string;
  readonly rule: string;
  readonly need?: Need;
  readonly request?: (bench: Bench) => Partial<MapFields>;
}

const END = 1n << 64n;
/** For reading and writing. */
export const GOOD = READ | WRITE;

/** The rows. */
export const mapRows: readonly MapRow[] = [
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
  { name: "memory that is not there", rule: "map.pin", request: () => ({ vaddr: NOWHERE }) },
  {
    name: "memory that is not there, to read",
    rule: "map.pin",
    request: () => ({ vaddr: NOWHERE, flags: READ }),
  },
  { name: "vaddr 0", rule: "map.pin", request: () => ({ vaddr: 0n }) },
  {
    name: "writing of read-only memory",
    rule: "map.pin",
    request: (b) => ({ vaddr: b.places.readOnly }),
  },
  {
    name: "reading of read-only memory",
    rule: "map.pin",
    request: (b) => ({ vaddr: b.places.readOnly, flags: READ }),
  },
  {
    name: "memory up to its file's end",
    rule: "map.pin",
    request: (b) => ({ vaddr: b.places.half.address }),
  },
  {
    name: "memory beyond its file's end",
    rule: "map.pin",
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
    rule: "map.rights",
    request: (b) => ({ flags: VADDR | READ, iova: b.at(0) }),
  },
  {
    name: "VADDR and READ where no mapping is",
    rule: "map.rights",
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
