/** Requests on a container that nothing checks before the kernel does. */

import { type Container, UNLIMITED } from "../../../mod.ts";
import {
  dirty_bitmap_get_request,
  dma_unmap_with_bitmap_request,
  VFIO_IOMMU_DIRTY_PAGES,
  VFIO_IOMMU_GET_INFO,
  VFIO_IOMMU_MAP_DMA,
  vfio_iommu_type1_dma_map,
  vfio_iommu_type1_info,
  VFIO_IOMMU_UNMAP_DMA,
} from "../../../lib/uapi/mod.ts";
import { PAGE } from "../support/machine.ts";
import { answer } from "../support/raw.ts";

/** Addresses from `iova` on. */
interface Range {
  iova: bigint;
  size: bigint;
}

/** MAP_DMA for reading and writing. */
export function rawMap(container: Container, range: Range & { vaddr: bigint }): string {
  const request = vfio_iommu_type1_dma_map.create();
  Object.assign(request.fields, { argsz: 32, flags: 3, ...range });
  return answer(container.rawIoctl(VFIO_IOMMU_MAP_DMA, request.bytes));
}

/** UNMAP_DMA; `flags` and the bitmap may be left out. */
export function rawUnmap(
  container: Container,
  range: Range & { flags?: number; bitmap?: bigint; bitmapSize?: bigint },
): { answer: string; size: bigint } {
  const { iova, size, flags = 0, bitmap = 0n, bitmapSize = 0n } = range;
  const request = dma_unmap_with_bitmap_request.create();
  const rest = { iova, size, pgsize: PAGE, bitmap_size: bitmapSize };
  Object.assign(request.fields, { argsz: 48, flags, ...rest });
  request.point("data", { address: bitmap });
  const result = container.rawIoctl(VFIO_IOMMU_UNMAP_DMA, request.bytes);
  return { answer: answer(result), size: request.fields.size };
}

/** DIRTY_PAGES with 8 bytes: START and STOP. */
export function rawTracking(container: Container, flags: 1 | 2): string {
  const bytes = new Uint8Array(Uint32Array.of(8, flags).buffer);
  return answer(container.rawIoctl(VFIO_IOMMU_DIRTY_PAGES, bytes));
}

/** GET_BITMAP of at most 64 pages into memory that is zeroed first; the word as hexadecimal. */
export function rawWord(container: Container, range: Range): string {
  const kernel = container.rawKernel;
  const word = kernel.allocate(8);
  const request = dirty_bitmap_get_request.create();
  Object.assign(request.fields, { argsz: 48, flags: 4, ...range, pgsize: PAGE, bitmap_size: 8n });
  request.point("data", kernel.addressOf(word));
  const result = answer(container.rawIoctl(VFIO_IOMMU_DIRTY_PAGES, request.bytes));
  if (result !== "OK") return result;
  return `0x${(new DataView(word.buffer).getBigUint64(0, true) & UNLIMITED).toString(16)}`;
}

/** GET_INFO with 24 bytes: how many it would like to have, and whether it gave capabilities. */
export function rawInfo(container: Container): { argsz: number; capOffset: number } {
  const request = vfio_iommu_type1_info.create();
  request.fields.argsz = vfio_iommu_type1_info.size;
  const result = container.rawIoctl(VFIO_IOMMU_GET_INFO, request.bytes);
  if (result < 0) throw new Error(`GET_INFO: ${answer(result)}`);
  return { argsz: request.fields.argsz, capOffset: request.fields.cap_offset };
}
