/** Requests that many checks make. */

import { VFIO_DMA_UNMAP_FLAG_ALL } from "../../uapi/flag.ts";
import type { Bench } from "../bench.ts";
import type { RangeFields, RawContainer } from "../container.ts";
import { words } from "../place.ts";
import { answer, must } from "../raw.ts";

/** Flags of DIRTY_PAGES. */
export const [START, STOP, GET] = [1, 2, 4] as const;

/** UNMAP of everything. */
export const all: Readonly<RangeFields> = {
  argsz: 24,
  flags: VFIO_DMA_UNMAP_FLAG_ALL,
  iova: 0n,
  size: 0n,
  pgsize: 0n,
  bitmap_size: 0n,
  data: 0n,
};

/** A request of GET_BITMAP for some pages, with as many words as it needs. */
export function getRequest(bench: Bench, first: number, count: number): RangeFields {
  return {
    argsz: 48,
    flags: GET,
    iova: bench.at(first),
    size: bench.pages(count),
    pgsize: bench.page,
    bitmap_size: BigInt(Math.ceil(count / 64) * 8),
    data: bench.places.bitmap.address,
  };
}

/** Reads the bits of some pages into zeroed memory: the words, or the error. */
export function readWords(bench: Bench, on: RawContainer, first: number, count: number): string {
  const { bytes } = bench.places.bitmap;
  bytes.fill(0);
  const result = on.dirty(getRequest(bench, first, count));
  return result < 0 ? answer(result) : words(bytes, Math.ceil(count / 64));
}

/** Maps pages for reading and writing, or as told; must work. */
export function mapPages(
  bench: Bench,
  on: RawContainer,
  first: number,
  count: number,
  options: { flags?: number; vaddr?: bigint } = {},
): void {
  const { flags = 3, vaddr = bench.places.memory.address } = options;
  const size = bench.pages(count);
  must(on.map({ argsz: 32, flags, vaddr, iova: bench.at(first), size }), "MAP");
}

/** Unmaps pages: the error, or how many went. */
export function unmapPages(bench: Bench, on: RawContainer, first: number, count: number): string {
  const range = { iova: bench.at(first), size: bench.pages(count) };
  const { result, size } = on.unmap({ ...all, flags: 0, ...range });
  return result < 0 ? answer(result) : bench.count(size);
}

/** START, which must work. */
export const start = (on: RawContainer): void => void must(on.dirtySwitch(START), "START");
