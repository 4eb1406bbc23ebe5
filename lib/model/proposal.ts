/**
 * VFIO_IOMMU_GET_DIRTY_BITMAP of a type1 that has the v9 series instead of VFIO_IOMMU_DIRTY_PAGES.
 *
 * It reports the pages that are pinned at that moment, or all of them; there is nothing to start, it
 * keeps nothing from one read to the next, and a read clears nothing.
 *
 * @see https://lore.kernel.org/kvm/1573578220-7530-1-git-send-email-kwankhede@nvidia.com/
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import { proposalBitmap, proposalFault, type ProposalV9 } from "../rules/proposal.ts";
import { vfio_iommu_type1_dirty_bitmap } from "../uapi/proposal_v9.ts";
import { setBits } from "./bits.ts";
import { isUserRange } from "./dirty.ts";
import type { Dma } from "./dma.ts";
import type { IoctlArgument } from "./file.ts";
import type { AddressSpace } from "./memory.ts";
import type { Type1 } from "./type1.ts";

/** Answers the request. */
export function dirtyBitmapV9(
  iommu: Type1,
  memory: AddressSpace,
  proposal: ProposalV9,
  argument: IoctlArgument,
): number {
  if (!iommu.v2) return -ERRNO.EACCES;
  const { size: need } = vfio_iommu_type1_dirty_bitmap;
  if (!(argument instanceof Uint8Array) || argument.length < need) return -ERRNO.EFAULT;
  // The posted code did not look at the flags.
  const { argsz, iova, size, bitmap_size, bitmap } = vfio_iommu_type1_dirty_bitmap
    .over(argument).fields;
  if (argsz < need) return -ERRNO.EINVAL;
  const request = { iova, size, bitmapSize: bitmap_size };
  if (proposalFault(request, iommu, proposal) !== undefined) return -ERRNO.EINVAL;
  const { pageSize, bits, bytes } = proposalBitmap(request, iommu.pageSize, proposal);
  // Before room is taken for it: the length may be any number.
  if (!isUserRange(bitmap, bytes) || !memory.has(bitmap, bytes, true)) return -ERRNO.EFAULT;
  const words = new Uint32Array(Math.ceil(Number(bytes) / 4));
  for (const dma of iommu.mappings.inRange(iova, size)) {
    if (iommu.allDirty && dma.iommuMapped) setBits(words, 0, Number(bits));
    else markPinned(words, dma, { iova, end: iova + size, page: iommu.pageSize, pageSize });
  }
  return memory.write(bitmap, new Uint8Array(words.buffer, 0, Number(bytes))) ? 0 : -ERRNO.EFAULT;
}

/** Sets the bits of the pages that are pinned, be a bit more or less than such a page. */
function markPinned(
  words: Uint32Array,
  dma: Dma,
  range: {
    readonly iova: bigint;
    readonly end: bigint;
    readonly page: bigint;
    readonly pageSize: bigint;
  },
): void {
  const { iova, end, page, pageSize } = range;
  for (const index of dma.pins.keys()) {
    const start = dma.iova + BigInt(index) * page;
    const from = start > iova ? start : iova;
    const to = start + page < end ? start + page : end;
    if (from >= to) continue;
    setBits(words, Number((from - iova) / pageSize), Number((to - iova - 1n) / pageSize) + 1);
  }
}
