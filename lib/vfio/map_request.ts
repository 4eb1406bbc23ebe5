import { ERRNO } from "../base/errno.ts";
import { check, PartialUnmapError } from "../base/error.ts";
import type { Extent } from "../base/extent.ts";
import { formatSize, hex } from "../base/format.ts";
import type { BitmapTarget } from "../dirty/source.ts";
import type { Kernel } from "../sys/kernel.ts";
import { VFIO_DMA_UNMAP_FLAG_ALL, VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP } from "../uapi/flag.ts";
import { VFIO_IOMMU_MAP_DMA, VFIO_IOMMU_UNMAP_DMA } from "../uapi/request.ts";
import {
  dma_unmap_with_bitmap_request,
  vfio_iommu_type1_dma_map,
  vfio_iommu_type1_dma_unmap,
} from "../uapi/type1.ts";
import { ADDRESS_END } from "../rules/range.ts";
import { explainMap } from "./explain.ts";

/** Compares what the kernel says it removed with what was asked. */
export function compareUnmapped(
  wanted: bigint,
  removed: bigint,
  action: string,
  more: string = "",
): void {
  if (removed === wanted) return;
  throw new PartialUnmapError({
    operation: "VFIO_IOMMU_UNMAP_DMA",
    errno: ERRNO.ENOENT,
    action,
    hint: `the kernel removed ${hex(removed)} bytes of ${hex(wanted)}${more}`,
    details: { wanted, removed },
  });
}

/** Before v6.18 the sum of address and length wraps around, and nothing is found. */
const whyNotLast = ({ iova, size }: Extent): string =>
  iova + size === ADDRESS_END
    ? ": before v6.18 it cannot unmap the last page below 2^64 by itself; it goes with the container"
    : "";

/** The requests MAP and UNMAP of a container, without any memory of what is mapped. */
export class MapRequests {
  readonly #host: { readonly kernel: Kernel; readonly fd: number };
  // Requests are made once and filled again, so that a call allocates nothing.
  readonly #map = vfio_iommu_type1_dma_map.create();
  readonly #unmap = vfio_iommu_type1_dma_unmap.create();
  readonly #unmapBitmap = dma_unmap_with_bitmap_request.create();

  /** Asks the container of the host. */
  constructor(host: { readonly kernel: Kernel; readonly fd: number }) {
    this.#host = host;
  }

  /** Maps a range. */
  map(piece: Extent, vaddr: bigint, flags: number): void {
    const { kernel, fd } = this.#host;
    const { fields, bytes } = this.#map;
    fields.argsz = vfio_iommu_type1_dma_map.size;
    fields.flags = flags;
    fields.vaddr = vaddr;
    fields.iova = piece.iova;
    fields.size = piece.size;
    check(
      kernel.ioctlBuffer(fd, VFIO_IOMMU_MAP_DMA, bytes),
      "VFIO_IOMMU_MAP_DMA",
      `map ${formatSize(piece.size)} at iova ${hex(piece.iova)}`,
      (errno) => explainMap(kernel, errno, piece),
    );
  }

  /** Unmaps a range of whole pieces and compares what the kernel says it removed. */
  unmap(range: Extent): void {
    const { kernel, fd } = this.#host;
    const { fields, bytes } = this.#unmap;
    fields.argsz = vfio_iommu_type1_dma_unmap.size;
    fields.flags = 0;
    fields.iova = range.iova;
    fields.size = range.size;
    const action = `unmap ${formatSize(range.size)} at iova ${hex(range.iova)}`;
    check(kernel.ioctlBuffer(fd, VFIO_IOMMU_UNMAP_DMA, bytes), "VFIO_IOMMU_UNMAP_DMA", action);
    compareUnmapped(range.size, fields.size, action, whyNotLast(range));
  }

  /** Unmaps a range of whole mappings and has its dirty bits written to `target`. */
  unmapWithBitmap(range: Extent, pageSize: bigint, target: BitmapTarget): void {
    const { kernel, fd } = this.#host;
    const { iova, size } = range;
    const action = `unmap ${formatSize(size)} at iova ${hex(iova)} with its dirty bits`;
    const request = this.#unmapBitmap;
    request.fields.argsz = dma_unmap_with_bitmap_request.size;
    request.fields.flags = VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP;
    request.fields.iova = iova;
    request.fields.size = size;
    request.fields.pgsize = pageSize;
    request.fields.bitmap_size = BigInt(target.size);
    request.point("data", target);
    check(
      kernel.ioctlBuffer(fd, VFIO_IOMMU_UNMAP_DMA, request.bytes),
      "VFIO_IOMMU_UNMAP_DMA",
      action,
      "take every page of the mapping as dirty",
    );
    compareUnmapped(size, request.fields.size, action, whyNotLast(range));
  }

  /**
   * Unmaps everything in one request.
   *
   * @returns Bytes that the kernel removed.
   */
  unmapAll(): bigint {
    const { kernel, fd } = this.#host;
    const { fields, bytes } = this.#unmap;
    fields.argsz = vfio_iommu_type1_dma_unmap.size;
    fields.flags = VFIO_DMA_UNMAP_FLAG_ALL;
    fields.iova = 0n;
    fields.size = 0n;
    const result = kernel.ioctlBuffer(fd, VFIO_IOMMU_UNMAP_DMA, bytes);
    check(result, "VFIO_IOMMU_UNMAP_DMA", "unmap everything");
    return fields.size;
  }
}
