/**
 * The ranges of a device's log: as few as it takes, in pages as it has them.
 *
 * @module
 */

import type { Extent } from "../base/extent.ts";
import { alignUp } from "../base/page.ts";

const byAddress = (a: Extent, b: Extent): number => a.iova < b.iova ? -1 : 1;

/** Sorts ranges, and joins those that touch or lie over each other. */
export function joinRanges(ranges: readonly Extent[]): Extent[] {
  const joined: Extent[] = [];
  for (const { iova, size } of ranges.toSorted(byAddress)) {
    const last = joined.at(-1);
    const lastEnd = last === undefined ? undefined : last.iova + last.size;
    if (last === undefined || lastEnd === undefined || lastEnd < iova) {
      joined.push({ iova, size });
      continue;
    }
    const end = iova + size > lastEnd ? iova + size : lastEnd;
    joined[joined.length - 1] = { iova: last.iova, size: end - last.iova };
  }
  return joined;
}

/** Widens ranges to whole pages of a size, which must be a power of two. */
export function widenRanges(ranges: readonly Extent[], page: bigint): Extent[] {
  const wide = ranges.map(({ iova, size }) => {
    const start = iova & -page;
    return { iova: start, size: alignUp(iova + size, page) - start };
  });
  return joinRanges(wide);
}

/**
 * Makes ranges fewer by closing the smallest gaps between them, of equal ones the lowest.
 *
 * @param ranges Ranges that do not lie over each other.
 * @param most How many may be left.
 * @see drivers/vfio/vfio_main.c, vfio_combine_iova_ranges, which drivers do it with too
 */
export function mergeRanges(ranges: readonly Extent[], most: number): Extent[] {
  const joined = joinRanges(ranges);
  const gaps = joined.slice(1).map((range, i) => {
    const before = joined[i]!;
    return { at: i + 1, size: range.iova - before.iova - before.size };
  });
  gaps.sort((a, b) => a.size === b.size ? a.at - b.at : a.size < b.size ? -1 : 1);
  const closed = new Set(gaps.slice(0, Math.max(0, joined.length - most)).map(({ at }) => at));
  const merged: Extent[] = [];
  for (const [i, range] of joined.entries()) {
    const last = merged.at(-1);
    if (last === undefined || !closed.has(i)) merged.push(range);
    else {
      const size = range.iova + range.size - last.iova;
      merged[merged.length - 1] = { iova: last.iova, size };
    }
  }
  return merged;
}
