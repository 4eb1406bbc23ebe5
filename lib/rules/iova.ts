/**
 * The IOVA ranges that a container may use, and room to be found in them.
 *
 * @module
 */

import type { Extent, ExtentSet } from "../base/extent.ts";
import { alignUp } from "../base/page.ts";
import { ADDRESS_END } from "./range.ts";

/** A usable range, both ends included, as VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE gives it. */
export interface IovaRange {
  /** The first usable address. */
  readonly start: bigint;
  /** The last usable address. */
  readonly end: bigint;
}

/** Whether one range holds the whole extent. Without ranges every address may be used. */
export function inRanges(ranges: readonly IovaRange[] | undefined, extent: Extent): boolean {
  if (ranges === undefined) return true;
  const last = extent.iova + extent.size - 1n;
  return ranges.some(({ start, end }) => start <= extent.iova && last <= end);
}

/** What {@link findIova} looks for. */
export interface IovaWish {
  /** Bytes, more than 0. */
  readonly size: bigint;
  /** The address is a multiple of this power of two, in bytes. */
  readonly align: bigint;
  /** Look from here on. */
  readonly from?: bigint;
}

/**
 * Finds the lowest free address. Address 0 is left out, so that a device that was never set up
 * reaches no memory; it can still be asked for by name.
 *
 * @returns The address, or undefined if no gap is large enough.
 */
export function findIova(
  ranges: readonly IovaRange[] | undefined,
  mappings: ExtentSet<Extent>,
  wish: IovaWish,
): bigint | undefined {
  const lowest = wish.from ?? wish.align;
  for (const { start, end } of ranges ?? [{ start: 0n, end: ADDRESS_END - 1n }]) {
    let iova = alignUp(start > lowest ? start : lowest, wish.align);
    // The last page below 2^64 is left out: kernels before v6.18 cannot read or unmap it.
    const limit = end === ADDRESS_END - 1n ? ADDRESS_END - wish.align : end + 1n;
    for (let i = mappings.indexFrom(iova); iova + wish.size <= limit; i += 1) {
      const next = mappings.at(i);
      if (next === undefined || iova + wish.size <= next.iova) return iova;
      iova = alignUp(next.iova + next.size, wish.align);
    }
  }
  return undefined;
}
