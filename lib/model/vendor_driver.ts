import { ERRNO } from "../base/errno.ts";
import type { Extent } from "../base/extent.ts";
import type { AttachedGroup, Type1 } from "./type1.ts";

/** Where a driver's device is: the container's IOMMU, and its own group in it. */
export interface DriverPlace {
  readonly iommu: Type1;
  readonly group: AttachedGroup;
}

/** What a driver does when its device works; `round` counts from 0. */
export type Workload = (driver: VendorDriver, round: number) => void;

/** Most pages of one call. @see drivers/vfio/vfio.h, VFIO_PIN_PAGES_MAX_ENTRIES */
const PIN_MAX = 512;

/**
 * A vendor driver: it pins pages of the guest and reads and writes them, as vfio_pin_pages,
 * vfio_unpin_pages and vfio_dma_rw do. A script plays the device with it.
 */
export class VendorDriver {
  readonly #place: () => DriverPlace | undefined;
  readonly #workload: Workload | undefined;
  // What this driver holds, to be given back when the memory is unmapped or the device closed.
  readonly #pinned = new Map<bigint, number>();
  #round = 0;

  /** Made by the model. */
  constructor(place: () => DriverPlace | undefined, workload: Workload | undefined) {
    this.#place = place;
    this.#workload = workload;
  }

  /** What the container of the device has mapped. */
  mappings(): readonly Extent[] {
    const iommu = this.#place()?.iommu;
    return iommu === undefined ? [] : [...iommu.mappings];
  }

  /**
   * Pins pages for the device.
   *
   * @param iova Address of the first page.
   * @param pages How many, at most 512.
   * @returns Pages pinned, or -errno: ENODEV without a container, E2BIG, EINVAL for an address that
   *   is not mapped, EPERM, ENOMEM for the memory limit.
   * @see drivers/vfio/vfio_iommu_type1.c, vfio_iommu_type1_pin_pages
   */
  pin(iova: bigint, pages: number, write: boolean = true): number {
    const place = this.#place();
    if (place === undefined) return -ERRNO.ENODEV;
    if (pages > PIN_MAX) return -ERRNO.E2BIG;
    const { iommu, group } = place;
    const result = iommu.pin(iova, pages, write, group);
    if (result < 0) return result;
    for (let i = 0; i < pages; i += 1) {
      const page = iova + BigInt(i) * iommu.pageSize;
      this.#pinned.set(page, (this.#pinned.get(page) ?? 0) + 1);
    }
    return pages;
  }

  /** Gives pins back. Pages that this driver has not pinned are left alone. */
  unpin(iova: bigint, pages: number): void {
    const iommu = this.#place()?.iommu;
    if (iommu === undefined) return;
    for (let i = 0; i < pages; i += 1) {
      const page = iova + BigInt(i) * iommu.pageSize;
      const count = this.#pinned.get(page);
      if (count === undefined) continue;
      if (count === 1) this.#pinned.delete(page);
      else this.#pinned.set(page, count - 1);
      iommu.unpin(page);
    }
  }

  /** Writes memory for the device, page by page dirty; 0 or -errno. */
  write(iova: bigint, bytes: Uint8Array): number {
    return this.#place()?.iommu.access(iova, bytes, true) ?? -ERRNO.ENODEV;
  }

  /** Reads memory for the device, which makes nothing dirty; 0 or -errno. */
  read(iova: bigint, into: Uint8Array): number {
    return this.#place()?.iommu.access(iova, into, false) ?? -ERRNO.ENODEV;
  }

  /** Does the next round of the workload of its scene. */
  work(): void {
    this.#workload?.(this, this.#round);
    this.#round += 1;
  }

  /** The callback dma_unmap: pins in the range are given back. */
  dmaUnmap(iova: bigint, size: bigint): void {
    for (const [page, count] of [...this.#pinned]) {
      if (page < iova || page >= iova + size) continue;
      for (let i = 0; i < count; i += 1) this.unpin(page, 1);
    }
  }

  /** Gives everything back, when the device is closed. */
  close(): void {
    this.dmaUnmap(0n, 1n << 64n);
    this.#round = 0;
  }
}
