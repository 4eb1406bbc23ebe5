/**
 * Arithmetic on pages and on bitmaps with one bit a page.
 *
 * @module
 */

/** Whether `value` is a multiple of `unit`, a power of two. */
export function isAligned(value: bigint, unit: bigint): boolean {
  return (value & (unit - 1n)) === 0n;
}

/** The next multiple of `unit`, a power of two, at or above `value`. */
export function alignUp(value: bigint, unit: bigint): bigint {
  return (value + unit - 1n) & ~(unit - 1n);
}

/** The lowest bit that is set: the smallest page size of a bitmap of page sizes. */
export function lowestBit(bits: bigint): bigint {
  return bits & -bits;
}

/**
 * Bytes of a dirty bitmap: one bit a page, in whole 64-bit words.
 *
 * @see drivers/vfio/vfio_iommu_type1.c, DIRTY_BITMAP_BYTES
 */
export function bitmapBytes(pages: bigint): bigint {
  return ((pages + 63n) >> 6n) << 3n;
}
