/**
 * VFIO_IOMMU_DIRTY_PAGES of the modelled type1.
 *
 * @see drivers/vfio/vfio_iommu_type1.c, vfio_iommu_type1_dirty_pages
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import { getBitmapRefusal, startRefusal } from "../rules/dirty.ts";
import {
  VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP,
  VFIO_IOMMU_DIRTY_PAGES_FLAG_START,
  VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP,
} from "../uapi/flag.ts";
import { USER_ADDRESS_END } from "../rules/bitmap.ts";
import { dirty_bitmap_get_request, vfio_iommu_type1_dirty_bitmap } from "../uapi/type1.ts";
import { DirtyBits } from "./dirty_bits.ts";
import type { IoctlArgument } from "./file.ts";
import type { AddressSpace } from "./memory.ts";
import type { Type1 } from "./type1.ts";
import { updateUserBitmap } from "./user_bitmap.ts";

/** Whether a bitmap pointer is a user address at all; whether it is mapped shows at the copy. */
export function isUserRange(address: bigint, size: bigint): boolean {
  // An x86-64 with five levels of page tables, as the lab's processor has them.
  return address + size <= USER_ADDRESS_END;
}

/** What was asked last; filled again, for this is the request that is made most often. */
const HEAD = vfio_iommu_type1_dirty_bitmap.create();
const GET = dirty_bitmap_get_request.create();

/** Answers DIRTY_PAGES. */
export function dirtyPages(
  iommu: Type1,
  memory: AddressSpace,
  argument: IoctlArgument,
): number {
  if (iommu.v1) return -ERRNO.EACCES;
  if (!(argument instanceof Uint8Array) || argument.length < 8) return -ERRNO.EFAULT;
  HEAD.bytes.set(argument.subarray(0, HEAD.bytes.length));
  const { argsz, flags } = HEAD.fields;
  if (argsz < vfio_iommu_type1_dirty_bitmap.size) return -ERRNO.EINVAL;
  switch (flags) {
    case VFIO_IOMMU_DIRTY_PAGES_FLAG_START:
      return start(iommu);
    case VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP:
      for (const dma of iommu.mappings) dma.bits = undefined;
      iommu.tracking = false;
      return 0;
    case VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP:
      return argsz < dirty_bitmap_get_request.size ? -ERRNO.EINVAL : get(iommu, memory, argument);
    default:
      return -ERRNO.EINVAL;
  }
}

function start(iommu: Type1): number {
  if (iommu.tracking) return 0;
  const refusal = startRefusal(iommu.mappings, iommu.pageSize);
  if (refusal !== undefined) return -refusal.errno;
  for (const dma of iommu.mappings) {
    dma.bits = new DirtyBits();
    dma.populate();
  }
  iommu.tracking = true;
  return 0;
}

function get(iommu: Type1, memory: AddressSpace, argument: Uint8Array): number {
  if (argument.length < dirty_bitmap_get_request.size) return -ERRNO.EFAULT;
  GET.bytes.set(argument.subarray(0, GET.bytes.length));
  const { iova, size, pgsize, bitmap_size, data } = GET.fields;
  const request = { iova, size, bitmap: { pageSize: pgsize, size: bitmap_size } };
  const refusal = getBitmapRefusal(request, iommu, iommu.tracking);
  if (refusal !== undefined) return -refusal.errno;
  // All rules behind that one say EINVAL too.
  if (!isUserRange(data, bitmap_size)) return -ERRNO.EINVAL;
  for (const dma of iommu.mappings.beginningIn(iova, size)) {
    const result = updateUserBitmap(iommu, dma, { memory, address: data, base: iova });
    if (result < 0) return result;
    // Only the mapping's own bits are cleared: what was shifted behind them comes back later.
    dma.bits?.clear(0, Number(dma.size / iommu.pageSize));
    dma.populate();
  }
  return 0;
}
