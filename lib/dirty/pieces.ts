/**
 * How ranges that may be read in parts are cut into pieces, which are what a tracker knows by itself:
 * a window holds whole pieces, and what is owed after an error is owed for whole pieces.
 *
 * @module
 */

import type { Extent } from "../base/extent.ts";
import { WORD_PAGES } from "./plan.ts";

/** Pieces that ranges are cut into, about. */
const PIECES = 4096n;
/** Pages whose bits fill 1 MiB, and 256 MiB. */
const [USUAL, MOST] = [1n << 23n, 1n << 31n];

/** Where ranges may be cut. */
export interface CutLimits {
  /** Bytes of a page of the bitmap. */
  readonly pageSize: bigint;
  /**
   * Addresses at which a range may be cut are multiples of this many bytes, a power of two: of the
   * largest entry of an IOMMU, because a read of a part of an entry takes the bit of all of it.
   */
  readonly unit: bigint;
}

/**
 * Cuts ranges into pieces that can be read by themselves: small ones for small ranges, so that little
 * is read at a time where that is wanted; and not too many.
 *
 * @param ranges Ranges of whole pages that do not lie over each other, by rising address.
 */
export function cutRanges(ranges: readonly Extent[], { pageSize, unit }: CutLimits): Extent[] {
  let pages = 0n;
  for (const { size } of ranges) pages += size / pageSize;
  let piece = WORD_PAGES;
  while (piece < USUAL && piece * PIECES < pages) piece *= 2n;
  while (piece < MOST && piece * PIECES * 16n < pages) piece *= 2n;
  const word = piece * pageSize;
  const step = word > unit ? word : unit;
  const pieces: Extent[] = [];
  for (const { iova, size } of ranges) {
    const end = iova + size;
    // Ranges that may be cut anywhere are cut from their own start: those pieces share windows.
    const origin = unit > pageSize ? 0n : iova;
    for (let at = iova; at < end;) {
      const next = at + step - (at - origin) % step;
      const to = next < end ? next : end;
      pieces.push({ iova: at, size: to - at });
      at = to;
    }
  }
  return pieces;
}
