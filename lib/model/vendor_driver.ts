import type { Extent } from "../base/extent.ts";
import type { PinningDriver } from "./pinning_driver.ts";

/** What a driver does when its device works; `round` counts from 0. */
export type Workload = (driver: VendorDriver, round: number) => void;

const READ = 1;
const WRITE = 2;

/**
 * A vendor driver: it pins pages of the guest and reads and writes them, as vfio_pin_pages,
 * vfio_unpin_pages and vfio_dma_rw do. A script plays the device with it.
 */
export class VendorDriver {
  readonly #driver: PinningDriver;

  /** Made by the model. */
  constructor(driver: PinningDriver) {
    this.#driver = driver;
  }

  /** What the container of the device has mapped. */
  mappings(): readonly Extent[] {
    return this.#driver.mappings();
  }

  /** What the driver holds: pages, and pins, a page as often as it was pinned. */
  get pinned(): { readonly pages: number; readonly pins: number } {
    return this.#driver.pinned;
  }

  /**
   * Pins pages for the device.
   *
   * @param iova Address of the first page.
   * @param pages How many, at most 512.
   * @returns Pages pinned, or -errno: ENODEV without a container, EACCES in one of version 1, E2BIG,
   *   EBUSY while memory moves, EINVAL for an address that is not mapped, EPERM, EFAULT, ENOMEM for
   *   the memory limit.
   * @see drivers/vfio/vfio_iommu_type1.c, vfio_iommu_type1_pin_pages
   */
  pin(iova: bigint, pages: number, write: boolean = true): number {
    return this.#driver.pinOnce(iova, pages, write ? READ | WRITE : READ);
  }

  /** Gives pins back. Pages that this driver has not pinned are left alone. */
  unpin(iova: bigint, pages: number): void {
    this.#driver.unpin(iova, pages);
  }

  /** Writes memory for the device, page by page dirty; 0 or -errno. */
  write(iova: bigint, bytes: Uint8Array): number {
    return this.#driver.access(iova, bytes, true);
  }

  /** Reads memory for the device, which makes nothing dirty; 0 or -errno. */
  read(iova: bigint, into: Uint8Array): number {
    return this.#driver.access(iova, into, false);
  }

  /** Does the next round of the workload of its scene. */
  work(): void {
    this.#driver.work();
  }

  /** The callback dma_unmap: pins in the range are given back. */
  dmaUnmap(iova: bigint, size: bigint): void {
    this.#driver.dmaUnmap(iova, size);
  }

  /** Gives everything back, when the device is closed. */
  close(): void {
    this.#driver.close();
  }
}
