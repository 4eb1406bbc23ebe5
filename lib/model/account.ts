import { ERRNO } from "../base/errno.ts";
import type { ResourceLimit } from "../sys/kernel.ts";

/** Locked memory of a process, as the kernel counts it. */
export class MemlockAccount {
  /** RLIMIT_MEMLOCK in bytes. */
  soft: bigint;
  /** The hard limit in bytes. */
  hard: bigint;
  /** Whether the process has CAP_IPC_LOCK; a mapping remembers what was so when it was made. */
  ipcLock: boolean;
  /** VmLck in bytes. */
  locked = 0n;
  /** VmPin in bytes: what iommufd has pinned, whoever is charged for it. */
  pinned = 0n;

  /** An account without locked memory. */
  constructor(limit: bigint, ipcLock: boolean, hard: bigint = limit) {
    this.soft = limit;
    this.hard = hard;
    this.ipcLock = ipcLock;
  }

  /** Whether so many bytes more stay within the limit: exactly the limit does. */
  fits(bytes: bigint): boolean {
    return this.locked + bytes <= this.soft;
  }

  /**
   * Charges memory.
   *
   * @param bypass Whether the limit does not matter.
   * @returns Whether it fits.
   * @see mm/util.c, __account_locked_vm
   */
  charge(bytes: bigint, bypass: boolean): boolean {
    if (!bypass && !this.fits(bytes)) return false;
    this.locked += bytes;
    return true;
  }

  /** Gives back what was charged. */
  uncharge(bytes: bigint): void {
    this.locked -= bytes;
  }

  /** Gives the limit, and sets another one: -EINVAL if its soft value is above its hard one. */
  limit(next?: ResourceLimit): ResourceLimit | number {
    const old = { soft: this.soft, hard: this.hard };
    if (next === undefined) return old;
    if (next.soft > next.hard) return -ERRNO.EINVAL;
    this.soft = next.soft;
    this.hard = next.hard;
    return old;
  }

  /** The account of a child: the same limits, nothing locked. */
  fork(): MemlockAccount {
    return new MemlockAccount(this.soft, this.ipcLock, this.hard);
  }
}
