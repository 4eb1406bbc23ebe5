/**
 * What VFIO_IOMMU_UNMAP_DMA refuses, in the order of the kernel.
 *
 * @see drivers/vfio/vfio_iommu_type1.c, vfio_iommu_type1_unmap_dma and vfio_dma_do_unmap
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import type { Extent } from "../base/extent.ts";
import {
  VFIO_DMA_UNMAP_FLAG_ALL,
  VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP,
  VFIO_DMA_UNMAP_FLAG_VADDR,
} from "../uapi/flag.ts";
import type { AddressSpace } from "./map.ts";
import {
  bitmapPageRefusal,
  type BitmapRequest,
  bitmapSizeRefusal,
  notTrackingRefusal,
} from "./dirty.ts";
import { alignRefusal, cutRefusal, emptyRefusal, wrapRefusal } from "./range.ts";
import { firstRefusal, type Refusal } from "./refusal.ts";

/** The fields of an UNMAP request. */
export interface UnmapRequest extends Extent {
  readonly flags: number;
  /** With the flag GET_DIRTY_BITMAP. */
  readonly bitmap?: BitmapRequest | undefined;
}

const EINVAL = ERRNO.EINVAL;
const KNOWN = VFIO_DMA_UNMAP_FLAG_ALL | VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP |
  VFIO_DMA_UNMAP_FLAG_VADDR;

/** Finds why an UNMAP on a type1 v2 container would be refused. */
export function unmapRefusal(
  request: UnmapRequest,
  space: AddressSpace,
  tracking: boolean,
): Refusal | undefined {
  const { flags, iova, size, bitmap } = request;
  const all = (flags & VFIO_DMA_UNMAP_FLAG_ALL) !== 0;
  const withBitmap = (flags & VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP) !== 0;
  const refuse = (rule: string, reason: string): Refusal => ({ errno: EINVAL, rule, reason });
  return firstRefusal(
    () => (flags & ~KNOWN) === 0 ? undefined : refuse("unmap.flags", "a flag is unknown"),
    () =>
      withBitmap && (flags & ~VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP) !== 0
        ? refuse("unmap.flags", "a dirty bitmap goes with neither ALL nor VADDR")
        : undefined,
    () => withBitmap ? bitmapSizeRefusal(bitmap, size) : undefined,
    () => alignRefusal("unmap.align", "iova", iova, space.pageSize),
    () =>
      all && (iova !== 0n || size !== 0n)
        ? refuse("unmap.all", "ALL goes with iova 0 and size 0")
        : undefined,
    () => all ? undefined : emptyRefusal("unmap.size", size),
    () => alignRefusal("unmap.align", "size", size, space.pageSize),
    () => wrapRefusal("unmap.wrap", "iova", iova, size),
    () => withBitmap ? notTrackingRefusal(tracking) : undefined,
    () => withBitmap ? bitmapPageRefusal(bitmap, space.pageSize) : undefined,
    () => all ? undefined : cutRefusal("unmap.cut", space.mappings, iova, size),
  );
}
