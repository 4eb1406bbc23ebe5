import { ERRNO } from "../base/errno.ts";
import type { Extent } from "../base/extent.ts";
import type { FoundBits } from "./hwpt_dirty.ts";

const isPower = (value: bigint): boolean => value > 0n && (value & (value - 1n)) === 0n;

/** The smallest page of a log, and what one write may cover. */
const MIN = 4096n;
const MAX_WRITE = 1n << 30n;
/** Any number of bytes. */
const MOST = (1n << 64n) - 1n;
/** No error number of the kernel is as large. */
const MAX_ERRNO = 4095;

/**
 * The log that a device keeps of its own writes, as the driver of Pinscope's lab does.
 *
 * @see tests/lab/vendor/log.c
 */
export class DeviceLog {
  #smallest = MIN;
  #largest = 1n << 21n;
  #fewest = 0n;
  #most = MOST;
  #pageSize = 0n;
  #ranges: readonly Extent[] = [];
  readonly #dirty = new Set<bigint>();
  #error = 0;

  /** Bytes of a page; 0 where none is kept. */
  get pageSize(): bigint {
    return this.#pageSize;
  }

  /** Pages in it. */
  get dirty(): number {
    return this.#dirty.size;
  }

  /** How many ranges are logged. */
  get ranges(): number {
    return this.#ranges.length;
  }

  /** Whether a log is kept. */
  get isOn(): boolean {
    return this.#pageSize > 0n;
  }

  /** Sets the pages that it can be kept in: 0 or -errno. */
  setSizes(smallest: bigint, largest: bigint): number {
    const fit = isPower(smallest) && isPower(largest) && smallest >= MIN && largest >= smallest;
    if (!fit) return -ERRNO.EINVAL;
    this.#smallest = smallest;
    this.#largest = largest;
    return 0;
  }

  /** Sets how many bytes all ranges of a log together may have: 0 or -errno. */
  setSpace(fewest: bigint, most: bigint): number {
    if (most < fewest) return -ERRNO.EINVAL;
    this.#fewest = fewest;
    this.#most = most;
    return 0;
  }

  /** Starts a log that is not on: 0 or -errno; the page size is the nearest that there is. */
  start(ranges: readonly Extent[], wish: bigint): number {
    if (!isPower(wish)) return -ERRNO.EINVAL;
    const space = ranges.reduce((sum, { size }) => sum + size, 0n);
    if (space < this.#fewest || space > this.#most) return -ERRNO.EOPNOTSUPP;
    const most = wish < this.#largest ? wish : this.#largest;
    this.#pageSize = most > this.#smallest ? most : this.#smallest;
    this.#ranges = ranges;
    return 0;
  }

  /** Ends it. */
  stop(): void {
    this.#pageSize = 0n;
    this.#ranges = [];
    this.#dirty.clear();
    this.#error = 0;
  }

  /** As after loading. */
  reset(): void {
    this.stop();
    this.#smallest = MIN;
    this.#largest = 1n << 21n;
    this.#fewest = 0n;
    this.#most = MOST;
  }

  #isLogged(iova: bigint, size: bigint): boolean {
    return this.#ranges.some((range) => iova < range.iova + range.size && range.iova < iova + size);
  }

  /** Notes a write: how many pages of the log it touches, or -errno. */
  write(iova: bigint, size: bigint): number {
    if (!this.isOn || size === 0n) return 0;
    if (size > MAX_WRITE || iova + size > 1n << 64n) return -ERRNO.EINVAL;
    let pages = 0;
    const end = (iova + size - 1n) / this.#pageSize;
    for (let page = iova / this.#pageSize; page <= end; page += 1n) {
      if (!this.#isLogged(page * this.#pageSize, this.#pageSize)) continue;
      pages += 1;
      this.#dirty.add(page);
    }
    return pages;
  }

  /** Lets each report until the log ends answer -errno, after it took its pages: 0 or -errno. */
  fail(errno: number): number {
    if (!this.isOn || errno >= MAX_ERRNO) return -ERRNO.EINVAL;
    this.#error = errno;
    return 0;
  }

  /** Takes what a range touches, of a page also what lies outside of the range: 0 or -errno. */
  report({ iova, size }: Extent, found: FoundBits): number {
    const end = iova + size;
    for (const page of this.#dirty) {
      const first = page * this.#pageSize;
      const from = first > iova ? first : iova;
      const to = first + this.#pageSize < end ? first + this.#pageSize : end;
      if (from >= to) continue;
      found.set(from, to - from);
      this.#dirty.delete(page);
    }
    return this.#error === 0 ? 0 : -this.#error;
  }
}
