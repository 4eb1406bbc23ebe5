import type { Extent } from "../base/extent.ts";

/** What a device does each time that a script reads dirty pages anew; `round` counts from 0. */
export type DmaWorkload = (dma: DeviceDma, round: number) => void;

/** What the host gives a device to reach memory with. */
export interface DmaWay {
  /** Reads or writes: 0, or -errno: -ENODEV without an IOMMU, -EFAULT for a fault. */
  readonly access: (iova: bigint, bytes: Uint8Array, write: boolean) => number;
  /** What the device can reach now. */
  readonly mappings: () => readonly Extent[];
}

/**
 * The DMA of a PCI device, for a script that plays it: through the page table that the device is
 * attached to, or the container that its group is in.
 */
export class DeviceDma {
  readonly #way: DmaWay;

  /** Made by the model. */
  constructor(way: DmaWay) {
    this.#way = way;
  }

  /** What the device can reach. */
  mappings(): readonly Extent[] {
    return this.#way.mappings();
  }

  /**
   * Writes memory as the device does; the IOMMU notes it, where it tracks dirty pages.
   *
   * @param iova The address, in bytes.
   * @returns 0, or -errno: ENODEV without an IOMMU, EFAULT for a fault, and nothing is written then.
   */
  write(iova: bigint, bytes: Uint8Array): number {
    return this.#way.access(iova, bytes, true);
  }

  /** Reads memory as the device does; answers as {@link write}. */
  read(iova: bigint, into: Uint8Array): number {
    return this.#way.access(iova, into, false);
  }
}
