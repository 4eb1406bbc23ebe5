/** Requests of UNMAP_DMA around each rule, and such that break two of them. */

import type { Bench } from "../bench.ts";
import type { RangeFields } from "../container.ts";
import { KERNEL_SPACE } from "../place.ts";

/** What differs from a good UNMAP of the first mapping. */
export interface UnmapRow {
  readonly name: string;
  readonly rule: string;
  readonly request?: (bench: Bench) => Partial<RangeFields>;
}

const [BITMAP, ALL, VADDR] = [1, 2, 4];
const MOST = 1n << 28n;
const END = 1n << 64n;

const fields = (name: string, rule: string, request: Partial<RangeFields>): UnmapRow => ({
  name,
  rule,
  request: () => request,
});

/** Requests with the flag GET_DIRTY_BITMAP; tracking is on. */
export const bitmapUnmaps: readonly UnmapRow[] = [
  { name: "a good one", rule: "unmap.flags" },
  fields("argsz 24", "dirty.argsz", { argsz: 24 }),
  fields("argsz 47", "dirty.argsz", { argsz: 47 }),
  fields("argsz 49", "dirty.argsz", { argsz: 49 }),
  fields("argsz 4096", "dirty.argsz", { argsz: 4096 }),
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
  fields("a bitmap of 0 bytes", "dirty.bitmap-size", { bitmap_size: 0n }),
  fields("a bitmap of 7 bytes", "dirty.bitmap-size", { bitmap_size: 7n }),
  {
    name: "70 pages, 8 bytes",
    rule: "dirty.bitmap-size",
    request: (b) => ({ size: b.pages(70), bitmap_size: 8n }),
  },
  {
    name: "70 pages, 15 bytes",
    rule: "dirty.bitmap-size",
    request: (b) => ({ size: b.pages(70), bitmap_size: 15n }),
  },
  {
    name: "70 pages, 16 bytes",
    rule: "dirty.bitmap-size",
    request: (b) => ({ size: b.pages(70), bitmap_size: 16n }),
  },
  fields("a bitmap of 2^28 bytes", "dirty.bitmap-max", { bitmap_size: MOST }),
  fields("a bitmap of 2^28 + 1 bytes", "dirty.bitmap-max", { bitmap_size: MOST + 1n }),
  fields("a bitmap in the kernel", "dirty.bitmap-pointer", { data: KERNEL_SPACE }),
  { name: "a cut", rule: "unmap.cut", request: (b) => ({ size: b.pages(19) }) },
  {
    name: "a cut, and a NULL bitmap",
    rule: "unmap.cut",
    request: (b) => ({ size: b.pages(19), data: 0n }),
  },
  fields("size 0", "unmap.size", { size: 0n }),
  { name: "iova 8 bytes on", rule: "unmap.align", request: (b) => ({ iova: b.at(0) + 8n }) },
  { name: "size 8 bytes more", rule: "unmap.align", request: (b) => ({ size: b.pages(20) + 8n }) },
  {
    name: "beyond 2^64",
    rule: "unmap.wrap",
    request: (b) => ({ iova: END - b.page, size: b.pages(2) }),
  },
  {
    name: "the last page below 2^64",
    rule: "unmap.wrap",
    request: (b) => ({ iova: END - b.page, size: b.page }),
  },
  fields("with ALL", "unmap.flags", { flags: BITMAP | ALL, iova: 0n, size: 0n }),
  fields("with VADDR", "unmap.flags", { flags: BITMAP | VADDR }),
  fields("with flag 8", "unmap.flags", { flags: BITMAP | 8 }),
  fields("a NULL bitmap", "dirty.copy", { data: 0n }),
  {
    name: "a read-only bitmap",
    rule: "dirty.copy",
    request: (b) => ({ data: b.places.readOnly }),
  },
  fields("nothing mapped", "unmap.none", { iova: 1n << 30n }),
  fields("nothing mapped, NULL bitmap", "dirty.copy", { iova: 1n << 30n, data: 0n }),
  {
    name: "both mappings",
    rule: "unmap.none",
    request: (b) => ({ size: b.pages(70), bitmap_size: 16n }),
  },
  {
    name: "the second behind the gap",
    rule: "unmap.none",
    request: (b) => ({ iova: b.at(29), size: b.pages(41) }),
  },
];

/** Requests without a bitmap. */
export const plainUnmaps: readonly UnmapRow[] = [
  { name: "one mapping", rule: "unmap.flags" },
  fields("argsz 0", "unmap.argsz", { argsz: 0 }),
  fields("argsz 23", "unmap.argsz", { argsz: 23 }),
  fields("argsz 25", "unmap.argsz", { argsz: 25 }),
  fields("argsz 4096", "unmap.argsz", { argsz: 4096 }),
  fields("flag 8", "unmap.flags", { flags: 8 }),
  fields("flag 0x80000000", "unmap.flags", { flags: 0x8000_0000 }),
  { name: "iova 8 bytes on", rule: "unmap.align", request: (b) => ({ iova: b.at(0) + 8n }) },
  { name: "size 8 bytes more", rule: "unmap.align", request: (b) => ({ size: b.pages(20) + 8n }) },
  { name: "size 8 bytes less", rule: "unmap.align", request: (b) => ({ size: b.pages(20) - 8n }) },
  fields("size 0", "unmap.size", { size: 0n }),
  {
    name: "beyond 2^64",
    rule: "unmap.wrap",
    request: (b) => ({ iova: END - b.page, size: b.pages(2) }),
  },
  {
    name: "beyond 2^64 from a mapping on",
    rule: "unmap.wrap",
    request: (b) => ({ size: END - b.page }),
  },
  {
    name: "the last page below 2^64",
    rule: "unmap.wrap",
    request: (b) => ({ iova: END - b.page, size: b.page }),
  },
  { name: "up to 2^64", rule: "unmap.wrap", request: (b) => ({ size: END - b.at(0) }) },
  {
    name: "up to the page before 2^64",
    rule: "unmap.wrap",
    request: (b) => ({ size: END - b.at(1) }),
  },
  {
    name: "everything but the last page",
    rule: "unmap.wrap",
    request: (b) => ({ iova: 0n, size: END - b.page }),
  },
  {
    name: "a cut at the head",
    rule: "unmap.cut",
    request: (b) => ({ iova: b.at(1), size: b.pages(19) }),
  },
  { name: "a cut at the tail", rule: "unmap.cut", request: (b) => ({ size: b.pages(19) }) },
  {
    name: "a cut in the middle",
    rule: "unmap.cut",
    request: (b) => ({ iova: b.at(1), size: b.page }),
  },
  { name: "one whole and a cut", rule: "unmap.cut", request: (b) => ({ size: b.pages(31) }) },
  {
    name: "a cut and one whole",
    rule: "unmap.cut",
    request: (b) => ({ iova: b.at(19), size: b.pages(51) }),
  },
  { name: "nothing mapped", rule: "unmap.none", request: () => ({ iova: 1n << 30n }) },
  { name: "the gap", rule: "unmap.none", request: (b) => ({ iova: b.at(20), size: b.pages(10) }) },
  { name: "both", rule: "unmap.none", request: (b) => ({ size: b.pages(70) }) },
  {
    name: "more than both",
    rule: "unmap.none",
    request: (b) => ({ iova: 0n, size: b.at(0) * 2n }),
  },
  fields("ALL", "unmap.all", { flags: ALL, iova: 0n, size: 0n }),
  fields("ALL with a size", "unmap.all", { flags: ALL, iova: 0n }),
  {
    name: "ALL with one page",
    rule: "unmap.all",
    request: (b) => ({ flags: ALL, iova: 0n, size: b.page }),
  },
  fields("ALL with an iova", "unmap.all", { flags: ALL, size: 0n }),
  fields("ALL with iova 8", "unmap.align", { flags: ALL, iova: 8n, size: 0n }),
  fields("VADDR keeps the mapping", "unmap.vaddr", { flags: VADDR }),
  fields("VADDR where nothing is mapped", "unmap.vaddr", { flags: VADDR, iova: 1n << 30n }),
  {
    name: "VADDR of both",
    rule: "unmap.vaddr",
    request: (b) => ({ flags: VADDR, size: b.pages(70) }),
  },
  {
    name: "VADDR with a cut",
    rule: "unmap.cut",
    request: (b) => ({ flags: VADDR, size: b.pages(19) }),
  },
  fields("VADDR and ALL", "unmap.vaddr", { flags: VADDR | ALL, iova: 0n, size: 0n }),
  fields("VADDR and ALL with a size", "unmap.all", { flags: VADDR | ALL, iova: 0n }),
  fields("VADDR and flag 8", "unmap.flags", { flags: VADDR | 8 }),
  {
    name: "beyond 2^64, and size between pages",
    rule: "unmap.align",
    request: (b) => ({ iova: END - b.page, size: b.page + 8n }),
  },
  {
    name: "beyond 2^64, and flag 8",
    rule: "unmap.flags",
    request: (b) => ({ iova: END - b.page, size: b.pages(2), flags: 8 }),
  },
  {
    name: "beyond 2^64, and ALL",
    rule: "unmap.all",
    request: (b) => ({ iova: END - b.page, size: b.pages(2), flags: ALL }),
  },
];
