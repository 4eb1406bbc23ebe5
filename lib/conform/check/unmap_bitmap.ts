/** Requests of UNMAP_DMA with the flag GET_DIRTY_BITMAP. */

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

/** Tracking is on. */
export const withBitmap: readonly UnmapRow[] = [
  { name: "a good one", rule: "unmap.flags" },
  fields("argsz 24", "unmap.bitmap-argsz", { argsz: 24 }),
  fields("argsz 47", "unmap.bitmap-argsz", { argsz: 47 }),
  fields("argsz 49", "unmap.bitmap-argsz", { argsz: 49 }),
  fields("argsz 4096", "unmap.bitmap-argsz", { argsz: 4096 }),
  fields("pgsize 0", "unmap.page-size", { pgsize: 0n }),
  {
    name: "pgsize of half a page",
    rule: "unmap.page-size",
    request: (b) => ({ pgsize: b.page / 2n }),
  },
  {
    name: "pgsize of two pages",
    rule: "unmap.page-size",
    request: (b) => ({ pgsize: b.page * 2n }),
  },
  {
    name: "pgsize of 512 pages",
    rule: "unmap.page-size",
    request: (b) => ({ pgsize: b.page * 512n }),
  },
  fields("a bitmap of 0 bytes", "unmap.bitmap-size", { bitmap_size: 0n }),
  fields("a bitmap of 7 bytes", "unmap.bitmap-size", { bitmap_size: 7n }),
  {
    name: "70 pages, 8 bytes",
    rule: "unmap.bitmap-size",
    request: (b) => ({ size: b.pages(70), bitmap_size: 8n }),
  },
  {
    name: "70 pages, 15 bytes",
    rule: "unmap.bitmap-size",
    request: (b) => ({ size: b.pages(70), bitmap_size: 15n }),
  },
  {
    name: "70 pages, 16 bytes",
    rule: "unmap.bitmap-size",
    request: (b) => ({ size: b.pages(70), bitmap_size: 16n }),
  },
  fields("a bitmap of 2^28 bytes", "unmap.bitmap-max", { bitmap_size: MOST }),
  fields("a bitmap of 2^28 + 1 bytes", "unmap.bitmap-max", { bitmap_size: MOST + 1n }),
  fields("a bitmap in the kernel", "unmap.bitmap-access", { data: KERNEL_SPACE }),
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
  fields("a NULL bitmap", "unmap.bitmap-copy", { data: 0n }),
  {
    name: "a read-only bitmap",
    rule: "unmap.bitmap-copy",
    request: (b) => ({ data: b.places.readOnly }),
  },
  fields("nothing mapped", "unmap.none", { iova: 1n << 30n }),
  fields("nothing mapped, NULL bitmap", "unmap.bitmap-copy", { iova: 1n << 30n, data: 0n }),
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
