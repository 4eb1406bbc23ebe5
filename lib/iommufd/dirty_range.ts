import type { Extent } from "../base/extent.ts";
import { formatSize, hex } from "../base/format.ts";
import type { BitmapTarget } from "../dirty/source.ts";
import { checkMultiple } from "./check.ts";

/** A read of dirty bits that is asked for. */
export interface DirtyRead {
  readonly range: Extent;
  readonly target: BitmapTarget;
  /** Bytes of a page of the bitmap. */
  readonly pageSize: bigint;
  /** The unit of addresses. */
  readonly alignment: bigint;
  /** The mappings in the range, by rising address. */
  readonly found: readonly Extent[];
}

/**
 * Refuses a read that the kernel would refuse, and one that it would answer with success and wrong
 * bits: its walk ends at the first hole and says nothing, and of a page size that is no power of two
 * it takes the lowest bit.
 *
 * @see drivers/iommu/iommufd/io_pagetable.c, iommufd_check_iova_range, __iommu_read_and_clear_dirty
 */
export function checkDirtyRange({ range, target, pageSize, alignment, found }: DirtyRead): void {
  const { iova, size } = range;
  if (pageSize <= 0n || (pageSize & (pageSize - 1n)) !== 0n) {
    throw new RangeError(`pageSize must be a power of two; got ${pageSize}`);
  }
  if (iova < 0n || size <= 0n || iova + size > 1n << 64n) {
    throw new RangeError(
      `A range of dirty pages has a size above 0 and ends at 2^64 or below; got ${iova}, size ` +
        `${size}`,
    );
  }
  const unit = pageSize > alignment ? pageSize : alignment;
  checkMultiple("The range's iova", iova, unit);
  checkMultiple("The range's size", size, unit);
  const hole = firstHole(range, found);
  if (hole !== undefined) {
    throw new RangeError(
      `Not all of the range is mapped: nothing is at iova ${hex(hole)}; the kernel would report ` +
        "no page from there on",
    );
  }
  const bytes = (size / pageSize + 7n) / 8n;
  if (BigInt(target.size) < bytes) {
    throw new RangeError(
      `The bitmap of ${formatSize(size)} takes ${bytes} bytes; the target has ${target.size}`,
    );
  }
}

function firstHole({ iova, size }: Extent, found: readonly Extent[]): bigint | undefined {
  let at = iova;
  for (const mapping of found) {
    if (mapping.iova > at) return at;
    at = mapping.iova + mapping.size;
  }
  return at < iova + size ? at : undefined;
}
