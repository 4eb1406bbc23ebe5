import type { Extent } from "../base/extent.ts";
import { VFIO_DMA_MAP_FLAG_WRITE } from "../uapi/flag.ts";
import type { DirtyBits } from "./dirty_bits.ts";
import type { MemoryPlace } from "./memory.ts";
import type { Process } from "./process.ts";

/** A page that drivers have pinned. @see drivers/vfio/vfio_iommu_type1.c, struct vfio_pfn */
export interface Pin {
  /** How often. */
  count: number;
  /** Where its bytes are, wherever the process maps them later. */
  readonly place: MemoryPlace;
}

/** A mapping of the modelled type1. @see drivers/vfio/vfio_iommu_type1.c, struct vfio_dma */
export class Dma implements Extent {
  /** First address that the device uses. */
  readonly iova: bigint;
  /** Bytes. */
  readonly size: bigint;
  /** What the device may do: READ 1, WRITE 2. */
  readonly rights: number;
  /** Where the memory lies in the process. */
  vaddr: bigint;
  /** The process that mapped it, or gave it its address: it pays for all pins. */
  owner: Process;
  /** Whether the owner had CAP_IPC_LOCK at that moment. */
  lockCap: boolean;
  /** Whether an IOMMU maps it; false while only emulated groups are attached. */
  iommuMapped = false;
  /** Whether UNMAP with VADDR took its address away. */
  vaddrInvalid = false;
  /** Bytes that the owner is charged for it. */
  charged = 0n;
  /** Pages that drivers have pinned, by their number in the mapping. */
  readonly pins: Map<number, Pin> = new Map();
  /** Its dirty bits, while tracking is on. */
  bits: DirtyBits | undefined;

  /** A mapping without pins. */
  constructor(
    request: {
      readonly iova: bigint;
      readonly size: bigint;
      readonly vaddr: bigint;
      readonly flags: number;
    },
    owner: Process,
  ) {
    this.iova = request.iova;
    this.size = request.size;
    this.vaddr = request.vaddr;
    this.rights = request.flags;
    this.owner = owner;
    this.lockCap = owner.account.ipcLock;
  }

  /** Whether the device may write. */
  get canWrite(): boolean {
    return (this.rights & VFIO_DMA_MAP_FLAG_WRITE) !== 0;
  }

  /** Charges the owner: false if its limit does not allow it. @see vfio_lock_acct */
  charge(bytes: bigint): boolean {
    if (!this.owner.account.charge(bytes, this.lockCap)) return false;
    this.charged += bytes;
    return true;
  }

  /** Gives back what the owner was charged. */
  uncharge(bytes: bigint): void {
    this.owner.account.uncharge(bytes);
    this.charged -= bytes;
  }

  /** Sets the bits of the pages that are pinned now. @see vfio_dma_populate_bitmap */
  populate(): void {
    for (const page of this.pins.keys()) this.bits?.set(page, page + 1);
  }
}
