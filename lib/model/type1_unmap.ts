/**
 * VFIO_IOMMU_UNMAP_DMA of the modelled type1.
 *
 * @see drivers/vfio/vfio_iommu_type1.c, vfio_dma_do_unmap
 * @module
 */

import { unmapRefusal, type UnmapRequest } from "../rules/unmap.ts";
import { VFIO_DMA_UNMAP_FLAG_ALL, VFIO_DMA_UNMAP_FLAG_VADDR } from "../uapi/flag.ts";
import type { Dma } from "./dma.ts";
import type { Type1 } from "./type1.ts";

/** How an UNMAP went. */
export interface Unmapped {
  /** 0 or -errno. */
  readonly result: number;
  /** Bytes that are gone, also where it failed half-way; the caller hears of them on success only. */
  readonly removed: bigint;
}

const ALL_SIZE = (1n << 64n) - 1n;

/**
 * Answers UNMAP.
 *
 * @param each Called with each mapping before it goes, after the drivers have given their pins back.
 */
export function unmap(
  iommu: Type1,
  request: UnmapRequest,
  each: (dma: Dma) => number = () => 0,
): Unmapped {
  const refusal = unmapRefusal(request, iommu, iommu.tracking);
  if (refusal !== undefined) return { result: -refusal.errno, removed: 0n };
  const all = (request.flags & VFIO_DMA_UNMAP_FLAG_ALL) !== 0;
  const [iova, size] = all ? [0n, ALL_SIZE] : [request.iova, request.size];
  const stays = (request.flags & VFIO_DMA_UNMAP_FLAG_VADDR) !== 0;
  let removed = 0n;
  for (const dma of targets(iommu, iova, size, stays)) {
    if (stays) {
      dma.vaddrInvalid = true;
      iommu.moving += 1;
    } else {
      const result = each(dma);
      if (result < 0) return { result, removed };
      iommu.remove(dma);
    }
    removed += dma.size;
  }
  return { result: 0, removed };
}

/**
 * The mappings to unmap, one after another. Where drivers have to give pins back, the search begins
 * anew: in the kernel the lock is open for that time. A mapping that stays keeps its pins.
 */
function* targets(iommu: Type1, iova: bigint, size: bigint, stays: boolean): Generator<Dma> {
  const { mappings } = iommu;
  const end = mappings.end(iova, size);
  for (let dma = mappings.firstOf(iova, size); dma !== undefined && dma.iova < end;) {
    // Version 1 removes no mapping whose begin is not asked for.
    if (iommu.v1 && iova > dma.iova) return;
    if (!stays && dma.pins.size > 0) {
      notify(iommu, dma);
      dma = mappings.firstOf(iova, size);
      continue;
    }
    const next = mappings.after(dma);
    yield dma;
    dma = next;
  }
}

/** @see vfio_notify_dma_unmap */
function notify(iommu: Type1, dma: Dma): void {
  for (const listener of [...iommu.listeners]) listener.dmaUnmap(dma.iova, dma.size);
  // A driver that keeps a pin is a bug of the driver: the kernel stops there.
  if (dma.pins.size > 0) throw new Error("A driver kept a page pinned in its dma_unmap callback");
}
