import type { Limit, StatusCounters } from "./parse.ts";

/** What a {@link PinSnapshot} is made from. */
export interface PinCounters extends StatusCounters {
  /** RLIMIT_MEMLOCK, in bytes. */
  readonly limit: Limit;
  /** Mappings that the container may still make, where known. */
  readonly dmaAvailable: number | undefined;
}

/** How counters differ between two snapshots; positive where they grew. */
export interface PinDelta {
  /** VmLck, in bytes. */
  readonly locked: bigint;
  /** VmPin, in bytes. */
  readonly pinned: bigint;
  /** Mappings left; undefined where one of the two does not know. */
  readonly dmaAvailable: number | undefined;
}

/**
 * What a process has locked at one moment, and what limits it.
 *
 * @see mm/util.c, account_locked_vm and drivers/vfio/vfio_iommu_type1.c, vfio_lock_acct
 */
export class PinSnapshot {
  /** VmLck in bytes: mlock, and every page that type1 has pinned for the process. */
  readonly locked: bigint;
  /** VmPin in bytes. Type1 does not move it; iommufd does. */
  readonly pinned: bigint;
  /** RLIMIT_MEMLOCK in bytes; undefined parts are unlimited. */
  readonly limit: Limit;
  /** Whether CAP_IPC_LOCK lifts the limit. Pages are counted all the same. */
  readonly ipcLock: boolean;
  /** The name of the program. */
  readonly command: string;
  /** Mappings that the container may still make (its DMA_AVAIL capability), where known. */
  readonly dmaAvailable: number | undefined;

  /** Makes a snapshot of counters. */
  constructor(counters: PinCounters) {
    this.locked = counters.locked;
    this.pinned = counters.pinned;
    this.limit = counters.limit;
    this.ipcLock = counters.ipcLock;
    this.command = counters.command;
    this.dmaAvailable = counters.dmaAvailable;
  }

  /** Bytes that may still be locked; undefined where nothing limits it. */
  get room(): bigint | undefined {
    if (this.ipcLock || this.limit.soft === undefined) return undefined;
    return this.limit.soft > this.locked ? this.limit.soft - this.locked : 0n;
  }

  /** The same snapshot with the mappings that a container has left. */
  with(more: { readonly dmaAvailable: number | undefined }): PinSnapshot {
    const { locked, pinned, limit, ipcLock, command } = this;
    return new PinSnapshot({ locked, pinned, limit, ipcLock, command, ...more });
  }

  /** What changed since an earlier snapshot. */
  since(before: PinSnapshot): PinDelta {
    const known = this.dmaAvailable !== undefined && before.dmaAvailable !== undefined;
    return {
      locked: this.locked - before.locked,
      pinned: this.pinned - before.pinned,
      dmaAvailable: known ? this.dmaAvailable - before.dmaAvailable : undefined,
    };
  }
}
