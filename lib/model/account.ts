/** Locked memory of the process, as the kernel counts it. */
export class MemlockAccount {
  /** RLIMIT_MEMLOCK in bytes. */
  soft: bigint;
  /** The hard limit in bytes. */
  hard: bigint;
  /** Whether CAP_IPC_LOCK lifts the limit. */
  readonly ipcLock: boolean;
  /** VmLck in bytes. */
  locked = 0n;

  /** An account without locked memory. */
  constructor(limit: bigint, ipcLock: boolean) {
    this.soft = limit;
    this.hard = limit;
    this.ipcLock = ipcLock;
  }

  /**
   * Charges memory.
   *
   * @returns Whether it fits: exactly the limit does.
   * @see mm/util.c, __account_locked_vm
   */
  charge(bytes: bigint): boolean {
    if (!this.ipcLock && this.locked + bytes > this.soft) return false;
    this.locked += bytes;
    return true;
  }

  /** Gives back what was charged. */
  uncharge(bytes: bigint): void {
    this.locked -= bytes;
  }
}
