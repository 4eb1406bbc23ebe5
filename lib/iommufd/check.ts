/**
 * What is found wrong with a request before the kernel sees it.
 *
 * @see drivers/iommu/iommufd/io_pagetable.c, iopt_check_iova; ioas.c, iommufd_ioas_load_iovas
 * @module
 */

import type { Extent, ExtentSet } from "../base/extent.ts";
import { hex } from "../base/format.ts";
import { inRanges, type IovaRange } from "../rules/iova.ts";
import type { IoasRanges, Place } from "./ioas_request.ts";

const END = 1n << 64n;

const show = ({ iova, size }: Extent): string => `[${hex(iova)}, ${hex(iova + size - 1n)}]`;

/** Refuses a part that is not in the whole. */
export function checkPart(what: string, offset: bigint, size: bigint, whole: bigint): void {
  if (offset >= 0n && size > 0n && offset + size <= whole) return;
  throw new RangeError(
    `${what} must lie in the ${hex(whole)} bytes that there are; got offset ${offset} and size ` +
      `${size}`,
  );
}

/** Refuses a place that the kernel would, as far as the address space tells. */
export function checkPlace(
  { iova, size }: Place,
  { ranges, alignment }: IoasRanges,
  mappings: ExtentSet<Extent>,
): void {
  checkMultiple("The size of a mapping", size, alignment);
  if (iova === undefined) return;
  if (iova < 0n || iova + size >= END) {
    throw new RangeError(`iova must be 0 or more and end below 2^64; got ${iova}, size ${size}`);
  }
  checkMultiple("iova", iova, alignment);
  if (!inRanges(ranges, { iova, size })) {
    const list = ranges.map(({ start, end }) => `[${hex(start)}, ${hex(end)}]`).join(", ");
    throw new RangeError(`A mapping must lie in one of ${list}; got ${show({ iova, size })}`);
  }
  const other = mappings.overlapping(iova, size);
  if (other === undefined) return;
  throw new RangeError(`${show({ iova, size })} overlaps the mapping ${show(other)}`);
}

/** Refuses a value that is no multiple of a power of two. */
export function checkMultiple(what: string, value: bigint, unit: bigint): void {
  if (value % unit === 0n) return;
  throw new RangeError(`${what} must be a multiple of ${hex(unit)}; got ${hex(value)}`);
}

/** Refuses ranges that are empty, overlap each other, or do not fit 64 bits. */
export function checkRanges(ranges: readonly IovaRange[]): void {
  const sorted = [...ranges].sort((a, b) => a.start < b.start ? -1 : 1);
  let last = -1n;
  for (const { start, end } of sorted) {
    if (start < 0n || end >= END || start >= end) {
      throw new RangeError(
        `An allowed range begins below its end, both in 64 bits; got ${start} to ${end}`,
      );
    }
    if (start <= last) {
      throw new RangeError(`Allowed ranges must not overlap; ${hex(start)} is in another one`);
    }
    last = end;
  }
}

/** Refuses a range to unmap that cuts a mapping, or has none. */
export function checkUnmap(range: Extent, inside: readonly Extent[]): void {
  if (range.iova < 0n || range.size <= 0n || range.iova + range.size >= END) {
    throw new RangeError(
      `A range to unmap has a size above 0 and ends below 2^64; got ${range.iova}, size ` +
        `${range.size}`,
    );
  }
  const cut = inside.find(({ iova, size }) =>
    iova < range.iova || iova + size > range.iova + range.size
  );
  if (cut !== undefined) {
    throw new RangeError(`${show(range)} cuts the mapping ${show(cut)}; a mapping goes as a whole`);
  }
  if (inside.length === 0) throw new RangeError(`Nothing is mapped in ${show(range)}`);
}
