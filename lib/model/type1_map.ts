/**
 * VFIO_IOMMU_MAP_DMA of the modelled type1.
 *
 * @see drivers/vfio/vfio_iommu_type1.c, vfio_dma_do_map
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import { DIRTY_BITMAP_PAGES_MAX } from "../rules/dirty.ts";
import { mapRefusal, type MapRequest } from "../rules/map.ts";
import { VFIO_DMA_MAP_FLAG_VADDR } from "../uapi/flag.ts";
import { DirtyBits } from "./dirty_bits.ts";
import { Dma } from "./dma.ts";
import type { Process } from "./process.ts";
import type { Type1 } from "./type1.ts";

/** Answers MAP: 0 or -errno. */
export function map(
  iommu: Type1,
  request: MapRequest & { readonly vaddr: bigint },
  current: Process,
): number {
  const ranges = iommu.hasIommu || iommu.hadIommu ? iommu.ranges : undefined;
  const { pageSize, mappings, entriesLeft, behaviour, emulated, isMoving } = iommu;
  const space = { pageSize, mappings, entriesLeft, behaviour, emulated, isMoving, ranges };
  const refusal = mapRefusal(request, space);
  if (refusal !== undefined) return -refusal.errno;
  if ((request.flags & VFIO_DMA_MAP_FLAG_VADDR) !== 0) return giveAddress(iommu, request, current);
  const dma = new Dma(request, current);
  iommu.entriesLeft -= 1;
  mappings.add(dma);
  const result = pinForIommu(iommu, dma, current) || trackNew(iommu, dma);
  if (result < 0) iommu.remove(dma);
  return result;
}

/** Moves a mapping to another address, and what it costs to another process. */
function giveAddress(
  iommu: Type1,
  request: MapRequest & { readonly vaddr: bigint },
  current: Process,
): number {
  const dma = iommu.mappings.find(request.iova, request.size);
  if (dma === undefined) return -ERRNO.ENOENT;
  if (dma.owner !== current) {
    const { charged } = dma;
    const { account } = current;
    if (!account.charge(charged, account.ipcLock)) return -ERRNO.ENOMEM;
    dma.owner.account.uncharge(charged);
    dma.owner = current;
    dma.lockCap = account.ipcLock;
  }
  dma.vaddr = request.vaddr;
  dma.vaddrInvalid = false;
  iommu.moving -= 1;
  return 0;
}

/** A bitmap for a mapping that is made while tracking is on. @see vfio_dma_bitmap_alloc */
function trackNew(iommu: Type1, dma: Dma): number {
  if (!iommu.tracking) return 0;
  if (dma.size / iommu.pageSize > DIRTY_BITMAP_PAGES_MAX) return -ERRNO.EINVAL;
  dma.bits = new DirtyBits();
  return 0;
}

function pinForIommu(iommu: Type1, dma: Dma, current: Process): number {
  if (!iommu.hasIommu) return 0;
  const result = pinRemote(iommu, dma, current);
  if (result === 0) dma.iommuMapped = true;
  return result;
}

/**
 * Pins and charges all pages of a mapping but those that drivers have pinned: 0 or -errno.
 *
 * The limit that counts is that of the process that asks; the one that mapped is charged.
 *
 * @see vfio_pin_pages_remote
 */
export function pinRemote(iommu: Type1, dma: Dma, current: Process): number {
  const good = current.memory.usable(dma.vaddr, dma.size, dma.canWrite);
  if (!current.memory.isDevice(dma.vaddr)) {
    let cost = good;
    for (const page of dma.pins.keys()) {
      if (BigInt(page) * iommu.pageSize < good) cost -= iommu.pageSize;
    }
    // Page after page: the limit is met before memory that lies behind it and is not there.
    if (!dma.lockCap && !current.account.fits(cost)) return -ERRNO.ENOMEM;
    if (good === dma.size && !dma.charge(cost)) return -ERRNO.ENOMEM;
  }
  return good === dma.size ? 0 : -ERRNO.EFAULT;
}
