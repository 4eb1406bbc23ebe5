/** Requests of DIRTY_PAGES around each rule, and such that break two of them. */

import type { Bench } from "../bench.ts";
import type { RangeFields } from "../container.ts";
import { KERNEL_SPACE } from "../place.ts";
import { GET, START, STOP } from "./request.ts";

/** Pages 0 to 19 are mapped, and 30 to 69; tracking is on. The request is for the first. */
export interface DirtyRow {
  readonly name: string;
  readonly rule: string;
  readonly request?: (bench: Bench) => Partial<RangeFields>;
}

const END = 1n << 64n;
/** Largest bitmap in bytes. */
const MOST = 1n << 28n;

const fields = (name: string, rule: string, request: Partial<RangeFields>): DirtyRow => ({
  name,
  rule,
  request: () => request,
});

/** The rows. */
export const dirtyRows: readonly DirtyRow[] = [
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
  ...[24, 27, 31, 32].map((bytes): DirtyRow => ({
    name: `212 pages, ${bytes} bytes`,
    rule: "dirty.bitmap-size",
    request: (b) => ({ size: b.pages(212), bitmap_size: BigInt(bytes) }),
  })),
  fields("a bitmap of 2^28 bytes", "dirty.bitmap-max", { bitmap_size: MOST }),
  fields("a bitmap of 2^28 + 1 bytes", "dirty.bitmap-max", { bitmap_size: MOST + 1n }),
  {
    name: "2^31 pages, a bitmap of 2^28 bytes, in the kernel",
    rule: "dirty.bitmap-pointer",
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
  fields("a bitmap in the kernel", "dirty.bitmap-pointer", { data: KERNEL_SPACE }),
  fields("a bitmap at 2^64 - 8", "dirty.bitmap-pointer", { data: END - 8n }),
  fields("a NULL bitmap", "dirty.copy", { data: 0n }),
  {
    name: "a read-only bitmap",
    rule: "dirty.copy",
    request: (b) => ({ data: b.places.readOnly }),
  },
  {
    name: "an unaligned bitmap",
    rule: "dirty.copy",
    request: (b) => ({ data: b.places.bitmap.address + 3n }),
  },
  {
    name: "a bitmap that ends half-way",
    rule: "dirty.copy",
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
    rule: "dirty.copy",
    request: (b) => ({ iova: b.at(20), size: b.pages(10), data: 0n }),
  },
  { name: "before all mappings", rule: "dirty.cut", request: () => ({ iova: 0n }) },
  {
    name: "beyond all mappings, NULL bitmap",
    rule: "dirty.copy",
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
