/**
 * Ranges of IOVA that do not overlap, in order: what a container has mapped.
 *
 * @module
 */

/** A range of addresses: `iova` up to, and not including, `iova + size`. */
export interface Extent {
  /** First address, in bytes. */
  readonly iova: bigint;
  /** Length in bytes, at least 1. */
  readonly size: bigint;
}

/** The bytes of ranges that do not lie over each other. */
export function totalSize(ranges: Iterable<Extent>): bigint {
  let total = 0n;
  for (const { size } of ranges) total += size;
  return total;
}

/** Extents sorted by address, none over another. Finding one takes a binary search. */
export class ExtentSet<T extends Extent> implements Iterable<T> {
  readonly #list: T[] = [];

  /** How many extents there are. */
  get length(): number {
    return this.#list.length;
  }

  /** The extent at a place in the order. */
  at(index: number): T | undefined {
    return this.#list[index];
  }

  /** The extents by rising address. */
  [Symbol.iterator](): Iterator<T> {
    return this.#list[Symbol.iterator]();
  }

  /** The place of the first extent that ends above `iova`; {@link length} if none does. */
  indexFrom(iova: bigint): number {
    let low = 0;
    let high = this.#list.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const extent = this.#list[middle]!;
      if (extent.iova + extent.size > iova) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** The first extent that shares an address with the range. */
  overlapping(iova: bigint, size: bigint): T | undefined {
    const extent = this.#list[this.indexFrom(iova)];
    return extent !== undefined && extent.iova < iova + size ? extent : undefined;
  }

  /** The extent that holds `iova` behind its first address: a range that begins there would cut it. */
  cutAt(iova: bigint): T | undefined {
    const extent = this.#list[this.indexFrom(iova)];
    return extent !== undefined && extent.iova < iova ? extent : undefined;
  }

  /**
   * All extents that share an address with the range, by rising address.
   *
   * @param into An array to fill again, for callers that must not allocate.
   */
  inRange(iova: bigint, size: bigint, into: T[] = []): T[] {
    const end = iova + size;
    let count = 0; // not emptied first: an array of length 0 would take new memory for the next one
    for (let i = this.indexFrom(iova); i < this.#list.length; i += 1) {
      const extent = this.#list[i]!;
      if (extent.iova >= end) break;
      into[count] = extent;
      count += 1;
    }
    if (into.length !== count) into.length = count;
    return into;
  }

  /**
   * Adds an extent.
   *
   * @throws {RangeError} If it lies over another: the caller has checked that.
   */
  add(extent: T): void {
    const other = this.overlapping(extent.iova, extent.size);
    if (other !== undefined) throw new RangeError(`Extents overlap at ${other.iova}`);
    this.#list.splice(this.indexFrom(extent.iova), 0, extent);
  }

  /** Takes an extent out; false if it is not in the set. */
  delete(extent: T): boolean {
    const index = this.indexFrom(extent.iova);
    if (this.#list[index] !== extent) return false;
    this.#list.splice(index, 1);
    return true;
  }

  /** Takes all extents out. */
  clear(): void {
    this.#list.length = 0;
  }
}
