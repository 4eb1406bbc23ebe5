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
import { dirty_bitmap_get_request, vfio_iommu_type1_dirty_bitmap } from "../uapi/type1.ts";
import type { Dma } from "./dma.ts";
import type { IoctlArgument } from "./file.ts";
import type { AddressSpace } from "./memory.ts";
import type { Type1 } from "./type1.ts";

/** Addresses above are the kernel's own. */
const USER_END = 1n << 47n;

/** Whether a bitmap pointer is a user address at all; whether it is mapped shows at the copy. */
export function isUserRange(address: bigint, size: bigint): boolean {
  return address + size <= USER_END;
}

/** Copies a mapping's bits to a caller's bitmap; false if that memory is not there. */
export function copyBits(
  dma: Dma,
  iommu: Type1,
  memory: AddressSpace,
  bitmap: { readonly base: bigint; readonly address: bigint; readonly all: boolean },
): boolean {
  const first = Number((dma.iova - bitmap.base) / iommu.pageSize);
  const pages = Number(dma.size / iommu.pageSize);
  // Only the words of this mapping are read and written, so that the others keep what they had.
  const word = Math.floor(first / 64);
  const bytes = new Uint8Array((Math.ceil((first + pages) / 64) - word) * 8);
  const address = bitmap.address + BigInt(word * 8);
  if (!memory.read(address, bytes)) return false;
  const words = new Uint32Array(bytes.buffer);
  dma.copyTo(words, first - word * 64, pages, bitmap.all && dma.iommuMapped);
  return memory.write(address, bytes);
}

/** Answers DIRTY_PAGES. */
export function dirtyPages(
  iommu: Type1,
  memory: AddressSpace,
  argument: IoctlArgument,
): number {
  if (!iommu.v2) return -ERRNO.EACCES;
  if (!(argument instanceof Uint8Array) || argument.length < 8) return -ERRNO.EFAULT;
  const { argsz, flags } = vfio_iommu_type1_dirty_bitmap.over(argument).fields;
  if (argsz < vfio_iommu_type1_dirty_bitmap.size) return -ERRNO.EINVAL;
  switch (flags) {
    case VFIO_IOMMU_DIRTY_PAGES_FLAG_START:
      return start(iommu);
    case VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP:
      for (const dma of iommu.mappings) dma.clear();
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
    dma.clear();
    dma.markPinned();
  }
  iommu.tracking = true;
  return 0;
}

function get(iommu: Type1, memory: AddressSpace, argument: Uint8Array): number {
  if (argument.length < dirty_bitmap_get_request.size) return -ERRNO.EFAULT;
  const { iova, size, pgsize, bitmap_size, data } = dirty_bitmap_get_request.over(argument).fields;
  if (!isUserRange(data, bitmap_size)) return -ERRNO.EINVAL;
  const request = { iova, size, bitmap: { pageSize: pgsize, size: bitmap_size } };
  const space = { mappings: iommu.mappings, pageSize: iommu.pageSize };
  const refusal = getBitmapRefusal(request, space, iommu.tracking);
  if (refusal !== undefined) return -refusal.errno;
  for (const dma of iommu.mappings.inRange(iova, size)) {
    const bitmap = { base: iova, address: data, all: iommu.allDirty };
    if (!copyBits(dma, iommu, memory, bitmap)) return -ERRNO.EFAULT;
    dma.clear();
    dma.markPinned();
  }
  return 0;
}
