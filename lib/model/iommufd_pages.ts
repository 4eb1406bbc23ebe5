import { ERRNO } from "../base/errno.ts";
import { PAGE } from "./page.ts";
import type { Process } from "./process.ts";

/**
 * Bytes that are pinned at once: one that ends at 2^64, or beyond, is found before a fault.
 *
 * @see mm/gup.c, gup_fast_fallback; drivers/iommu/iommufd/pages.c, TEMP_MEMORY_LIMIT
 */
const BATCH = 8192n * PAGE;

/** Who is charged for pages. @see drivers/iommu/iommufd/io_pagetable.h, IOPT_PAGES_ACCOUNT_NONE */
export type AccountMode = "none" | "user" | "process";

/** Pages of a {@link Pages}, both ends included. */
export interface PageRange {
  readonly first: bigint;
  readonly last: bigint;
}

/**
 * Memory of a process that areas of address spaces lead to: pinned and charged once, however many of
 * them do.
 *
 * @see drivers/iommu/iommufd/pages.c, struct iopt_pages
 */
export class Pages {
  /** Whose memory it is, and who is charged. */
  readonly owner: Process;
  /** Where its first page lies. */
  readonly address: bigint;
  /** Whether it was mapped for writing, by whomever. */
  readonly writable: boolean;
  /** Who is charged: nobody, if the process had CAP_IPC_LOCK when it mapped. */
  readonly mode: AccountMode;
  readonly #pinned: PageRange[] = [];

  /** Memory that nothing has pinned yet. */
  constructor(owner: Process, vaddr: bigint, writable: boolean, mode: "user" | "process") {
    this.owner = owner;
    this.address = vaddr - vaddr % PAGE;
    this.writable = writable;
    this.mode = owner.account.ipcLock ? "none" : mode;
  }

  /** How many pages are pinned. */
  get pinned(): bigint {
    let count = 0n;
    let next = 0n;
    const sorted = [...this.#pinned].sort((a, b) => a.first < b.first ? -1 : 1);
    for (const { first, last } of sorted) {
      const from = first > next ? first : next;
      if (last < from) continue;
      count += last - from + 1n;
      next = last + 1n;
    }
    return count;
  }

  /** Whether a page is pinned. */
  has(page: bigint): boolean {
    return this.#pinned.some(({ first, last }) => first <= page && page <= last);
  }

  /** Pins pages, and charges those that were not pinned: 0 or -errno. */
  pin(range: PageRange): number {
    const { memory } = this.owner;
    const address = this.address + range.first * PAGE;
    const size = (range.last - range.first + 1n) * PAGE;
    if (!memory.has(address, size, this.writable) || memory.isDevice(address)) {
      const batch = size < BATCH ? size : BATCH;
      return address + batch >= 1n << 64n ? -ERRNO.EOVERFLOW : -ERRNO.EFAULT;
    }
    const before = this.pinned;
    this.#pinned.push(range);
    const bytes = (this.pinned - before) * PAGE;
    if (this.#charge(bytes)) return 0;
    this.#pinned.pop();
    return -ERRNO.ENOMEM;
  }

  /** Gives a range back that {@link pin} was given. */
  unpin(range: PageRange): void {
    const before = this.pinned;
    this.#pinned.splice(this.#pinned.indexOf(range), 1);
    this.#charge((this.pinned - before) * PAGE);
  }

  /** @see do_update_pinned */
  #charge(bytes: bigint): boolean {
    const { account, user } = this.owner;
    if (this.mode === "process" && !account.charge(bytes, bytes < 0n)) return false;
    if (this.mode === "user") {
      if (bytes > 0n && user.locked + bytes > account.soft) return false;
      user.locked += bytes;
    }
    account.pinned += bytes;
    return true;
  }
}
