/**
 * What VFIO_IOMMU_DIRTY_PAGES refuses, in the order of the kernel.
 *
 * @see drivers/vfio/vfio_iommu_type1.c, vfio_iommu_type1_dirty_pages and verify_bitmap_size
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import type { Extent, ExtentSet } from "../base/extent.ts";
import { formatSize, hex } from "../base/format.ts";
import { bitmapBytes } from "../base/page.ts";
import { ADDRESS_END, alignRefusal, cutRefusal, describe, emptyRefusal } from "./range.ts";
import { firstRefusal, type Refusal } from "./refusal.ts";

/** Largest bitmap of one call, in bytes. @see DIRTY_BITMAP_SIZE_MAX */
export const DIRTY_BITMAP_SIZE_MAX = 0x1000_0000;
/** Most pages of one mapping that can be tracked. @see DIRTY_BITMAP_PAGES_MAX */
export const DIRTY_BITMAP_PAGES_MAX = 0x7fff_ffff;

/** The fields of struct vfio_bitmap that rules look at. */
export interface BitmapRequest {
  /** Bytes of a page of the bitmap. */
  readonly pageSize: bigint;
  /** Bytes of the bitmap. */
  readonly size: bigint;
}

/** The fields of a GET_BITMAP request. */
export interface DirtyRequest extends Extent {
  readonly bitmap: BitmapRequest;
}

const EINVAL = ERRNO.EINVAL;

const refuse = (rule: string, reason: string): Refusal => ({ errno: EINVAL, rule, reason });

/** A bitmap must hold a bit for each page, and not be beyond what one call may have. */
export function bitmapSizeRefusal(
  bitmap: BitmapRequest | undefined,
  size: bigint,
): Refusal | undefined {
  if (bitmap === undefined) return refuse("dirty.argsz", "the request has no bitmap");
  // The kernel counts pages of the caller's size first, so that a wrong size can look too small.
  const pages = bitmap.pageSize > 0n ? size / (bitmap.pageSize & -bitmap.pageSize) : 0n;
  const need = bitmapBytes(pages);
  if (pages === 0n || bitmap.size === 0n || bitmap.size < need) {
    return refuse(
      "dirty.bitmap-size",
      `the bitmap needs ${need} bytes for ${pages} pages; got ${bitmap.size}`,
    );
  }
  if (bitmap.size > DIRTY_BITMAP_SIZE_MAX) {
    return refuse(
      "dirty.bitmap-max",
      `a bitmap may have ${formatSize(DIRTY_BITMAP_SIZE_MAX)}; got ${bitmap.size} bytes`,
    );
  }
  return undefined;
}

/** The pages of a bitmap are the container's smallest. */
export function bitmapPageRefusal(
  bitmap: BitmapRequest | undefined,
  page: bigint,
): Refusal | undefined {
  if (bitmap === undefined || bitmap.pageSize === page) return undefined;
  const given = hex(bitmap.pageSize);
  return refuse(
    "dirty.page-size",
    `the bitmap's page size must be the container's smallest, ${hex(page)}; got ${given}`,
  );
}

/** Bitmaps exist between START and STOP only. */
export function notTrackingRefusal(tracking: boolean): Refusal | undefined {
  if (tracking) return undefined;
  return { errno: EINVAL, rule: "dirty.started", reason: "dirty tracking was not started" };
}

/**
 * The range of a read must end below 2^64, and not at it.
 *
 * Since Linux v6.18 a range may end at 2^64.
 */
function endRefusal(request: Extent): Refusal | undefined {
  if (request.iova + request.size < ADDRESS_END) return undefined;
  const reason = `a read must end below 2^64; got ${describe(request)}`;
  return { errno: EINVAL, rule: "dirty.wrap", reason };
}

/** Finds why a GET_BITMAP would be refused. */
export function getBitmapRefusal(
  request: DirtyRequest,
  space: { readonly pageSize: bigint; readonly mappings: ExtentSet<Extent> },
  tracking: boolean,
): Refusal | undefined {
  const { iova, size, bitmap } = request;
  return firstRefusal(
    () => emptyRefusal("dirty.size", size),
    () => endRefusal(request),
    () => bitmapSizeRefusal(bitmap, size),
    () => bitmapPageRefusal(bitmap, space.pageSize),
    () => alignRefusal("dirty.align", "iova", iova, space.pageSize),
    () => alignRefusal("dirty.align", "size", size, space.pageSize),
    () => notTrackingRefusal(tracking),
    () => cutRefusal("dirty.cut", space.mappings, iova, size),
  );
}

/** Finds why START would be refused: a mapping with more pages than a bitmap can count. */
export function startRefusal(
  mappings: Iterable<Extent>,
  page: bigint,
): Refusal | undefined {
  for (const mapping of mappings) {
    const pages = mapping.size / page;
    if (pages > DIRTY_BITMAP_PAGES_MAX) {
      const reason =
        `the mapping ${
          describe(mapping)
        } has ${pages} pages, and at most ${DIRTY_BITMAP_PAGES_MAX} ` +
        "can be tracked in one; map it in pieces";
      return { errno: EINVAL, rule: "dirty.pages-max", reason };
    }
  }
  return undefined;
}
