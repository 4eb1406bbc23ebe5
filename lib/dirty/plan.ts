/**
 * Which mappings one read covers.
 *
 * Type1 cannot read inside a mapping, so a window holds whole mappings. It holds one, or several that
 * each begin a multiple of 64 pages from the window's start: a mapping that begins elsewhere makes
 * the kernel shift its bits, and the bits shifted out come back later as false dirt.
 *
 * @see drivers/vfio/vfio_iommu_type1.c, update_user_bitmap
 * @module
 */

import type { Extent, ExtentSet } from "../base/extent.ts";
import { bitmapBytes } from "../base/page.ts";

/** Mappings that begin a multiple of this many pages from a window's start need no shift. */
export const WORD_PAGES = 64n;

/** Where the next window begins. It is an address, so it survives maps and unmaps in between. */
export interface Cursor {
  /** Everything that ends at or below this address was read. */
  iova: bigint;
}

/** The bounds of a window. */
export interface PlanLimits {
  /** Bytes of a page of the bitmap. */
  readonly pageSize: bigint;
  /** Bytes of bitmap that a window should not exceed; one mapping alone may. */
  readonly budget: bigint;
  /** Bytes of bitmap that a window never exceeds. */
  readonly max: bigint;
}

/** A window to be read: the mappings from place `first` up to, and not including, `end`. */
export interface PlannedWindow extends Extent {
  readonly first: number;
  readonly end: number;
}

/**
 * Plans the window at a cursor.
 *
 * @param mappings What is mapped now.
 * @param cursor Where the last window ended; it is not moved.
 * @param together Whether a mapping may share a window with the one before it.
 * @returns The window; undefined when no mapping is left.
 */
export function planWindow<T extends Extent>(
  mappings: ExtentSet<T>,
  cursor: Cursor,
  limits: PlanLimits,
  together: (before: T, next: T) => boolean,
): PlannedWindow | undefined {
  const { pageSize, budget, max } = limits;
  const first = mappings.indexFrom(cursor.iova);
  let last = mappings.at(first);
  if (last === undefined) return undefined;
  const { iova } = last;
  const bound = budget < max ? budget : max;
  let end = first + 1;
  for (let next = mappings.at(end); next !== undefined; next = mappings.at(end)) {
    const fits = bitmapBytes((next.iova + next.size - iova) / pageSize) <= bound;
    const aligned = (next.iova - iova) % (WORD_PAGES * pageSize) === 0n;
    if (!fits || !aligned || !together(last, next)) break;
    last = next;
    end += 1;
  }
  return { iova, size: last.iova + last.size - iova, first, end };
}
