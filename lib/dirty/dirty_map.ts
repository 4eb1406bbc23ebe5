import { checkKind, given } from "../base/argument.ts";
import type { Extent } from "../base/extent.ts";
import { hex } from "../base/format.ts";
import { showAsText } from "../base/inspect.ts";
import { checkPageSize, checkRegion, firstPage, TOP } from "./check.ts";
import { ChunkStore } from "./chunk_store.ts";
import { describePages } from "./describe.ts";
import { packPages, unpackPages } from "./page_frame.ts";
import type { Combine } from "./pad.ts";
import { countInExtents, regionsOf, resized } from "./regions.ts";
import type { DirtyRun } from "./run.ts";
import { DirtyWindow, wordsOf } from "./window.ts";

/** What can be added to a {@link DirtyMap}: a window, another map, or runs of any origin. */
export interface PageRuns {
  /** Bytes of a page. */
  readonly pageSize: bigint;
  /** Runs by rising address. */
  runs(): Iterable<Pick<DirtyRun, "iova" | "pages">>;
}

function checkMap(other: DirtyMap): void {
  if (other instanceof DirtyMap) return;
  throw new TypeError(
    `The other must be a DirtyMap; got ${given(other)}: new DirtyMap(pageSize).add(it) makes one ` +
      "of a window or of runs",
  );
}

/**
 * A set of pages, from one window or many. It takes memory in proportion to what is set: a long run
 * a few bytes, scattered pages at most 4 bytes each.
 *
 * @example Pages that are new in the second round
 * ```ts
 * import { DirtyMap } from "@pinscope/vfio";
 *
 * const first = new DirtyMap(4096n).addRange(0x0n, 4);
 * const second = new DirtyMap(4096n).addRange(0x2000n, 4);
 * const fresh = second.difference(first);
 * if (fresh.count !== 2 || !fresh.has(0x4000n)) throw new Error("pages 4 and 5 are new");
 * ```
 */
export class DirtyMap implements PageRuns {
  /** Bytes of a page. */
  readonly pageSize: bigint;
  readonly #store = new ChunkStore();

  static {
    showAsText(this.prototype);
  }

  /**
   * Makes an empty set.
   *
   * @param pageSize Bytes of a page, a power of two.
   */
  constructor(pageSize: bigint) {
    checkPageSize(pageSize);
    this.pageSize = pageSize;
  }

  /** A line for logs, and what `console.log` shows: how many pages, and the first runs of them. */
  toString(): string {
    return describePages(this.count, this.pageSize, this.runs());
  }

  /** How many pages are set. */
  get count(): number {
    return this.#store.count;
  }

  /** Whether no page is set. */
  get isEmpty(): boolean {
    return this.#store.size === 0;
  }

  /** Bytes that the set takes, without JavaScript's own overhead. */
  get byteLength(): number {
    return this.#store.byteLength;
  }

  /**
   * Tells whether the page that holds an address is set.
   *
   * @param iova Any address, in bytes; none outside of 64 bits has a page.
   * @returns Whether its page is in the set.
   * @throws {TypeError} If the address is no bigint.
   */
  has(iova: bigint): boolean {
    checkKind("iova", iova, "bigint");
    return iova >= 0n && iova < TOP && this.#store.has(Number(iova / this.pageSize));
  }

  /**
   * Adds the pages of a window, of another map, or of anything with runs. Where a run is refused, those
   * before it may be in the set.
   *
   * @throws {TypeError} If it has no runs, or the address of one is no bigint.
   * @throws {RangeError} If its pages have another size, or a run is not made of whole pages below 2^64.
   */
  add(source: PageRuns): this {
    checkKind("source", source, "object");
    this.#sameSize(source);
    const { pageSize } = this;
    if (source instanceof DirtyWindow) {
      const first = Number(source.iova / pageSize);
      if (first % 32 === 0) {
        this.#store.addWords(first, wordsOf(source), source.pages);
        return this;
      }
    }
    checkKind("source.runs", source.runs, "function");
    const runs = Iterator.from(source.runs());
    this.#store.addRuns(
      runs.map(({ iova, pages }) => [firstPage(iova, pages, pageSize), pages] as const),
    );
    return this;
  }

  /**
   * Adds pages by address.
   *
   * @param iova Address of the first page; it is rounded down to a page.
   * @param pages How many.
   * @returns This set.
   * @throws {TypeError} If the address is no bigint, or the count no number.
   * @throws {RangeError} If the count is not a whole number of at least 0, or the pages do not lie
   *   below 2^64.
   */
  addRange(iova: bigint, pages: number): this {
    const { pageSize } = this;
    return this.add({ pageSize, runs: () => [{ iova, pages }] });
  }

  /**
   * Takes pages out by address.
   *
   * @param iova Address of the first page; it is rounded down to a page.
   * @param pages How many.
   * @returns This set.
   * @throws {TypeError} If the address is no bigint, or the count no number.
   * @throws {RangeError} If the count is not a whole number of at least 0, or the pages do not lie
   *   below 2^64.
   */
  deleteRange(iova: bigint, pages: number): this {
    this.#store.delete(firstPage(iova, pages, this.pageSize), pages);
    return this;
  }

  /** Takes all pages out. */
  clear(): void {
    this.#store.clear();
  }

  /** Gives a copy that changes apart from this one. */
  clone(): DirtyMap {
    const copy = new DirtyMap(this.pageSize);
    copy.#store.copyFrom(this.#store);
    return copy;
  }

  /** Gives the pages that are in this set, in the other, or in both. */
  union(other: DirtyMap): DirtyMap {
    return this.#combine(other, "or");
  }

  /** Gives the pages of this set that are not in the other. */
  difference(other: DirtyMap): DirtyMap {
    return this.#combine(other, "andNot");
  }

  /** Gives the pages that are in both sets. */
  intersection(other: DirtyMap): DirtyMap {
    return this.#combine(other, "and");
  }

  /** Gives the pages that are in one of the sets and not in the other. */
  symmetricDifference(other: DirtyMap): DirtyMap {
    return this.#combine(other, "xor");
  }

  #combine(other: DirtyMap, how: Combine): DirtyMap {
    checkMap(other);
    this.#sameSize(other);
    const result = new DirtyMap(this.pageSize);
    result.#store.combine(this.#store, other.#store, how);
    return result;
  }

  /** Whether both sets have the same pages. */
  equals(other: DirtyMap): boolean {
    return this.symmetricDifference(other).isEmpty;
  }

  /**
   * Counts the pages of each mapping, or of any other ranges.
   *
   * @param extents Ranges of whole pages, in any order; they may overlap.
   * @returns How many pages of each are set, in the same order.
   * @throws {RangeError} If one is not made of whole pages.
   */
  countEach(extents: Iterable<Extent>): number[] {
    return countInExtents(this.#store.ranges(), [...extents], this.pageSize);
  }

  /**
   * Counts the pages of each region of one size, as a heat map does.
   *
   * @param size Bytes of a region, a multiple of the page size; regions begin at multiples of it.
   * @returns The regions that have a page in the set, by rising address.
   * @throws {RangeError} If the size is no multiple of the page size.
   */
  countByRegion(size: bigint): Generator<DirtyRun, void> {
    checkRegion(size, this.pageSize);
    return regionsOf(this.#store.ranges(), size, this.pageSize);
  }

  /**
   * Counts by region the pages that are in this set or in the other, but not in both.
   *
   * @param other The set of another round.
   * @param size Bytes of a region, a multiple of the page size.
   * @returns The regions in which the sets differ, by rising address.
   * @throws {RangeError} If the page sizes differ, or the size is no multiple of them.
   */
  churn(other: DirtyMap, size: bigint): Generator<DirtyRun, void> {
    checkRegion(size, this.pageSize);
    return this.symmetricDifference(other).countByRegion(size);
  }

  /**
   * Gives the set in pages of another size. A larger page is set if any of the smaller ones in it is;
   * of a page that is cut, all parts are set.
   *
   * @param pageSize Bytes of a page, a power of two.
   * @returns A set of its own.
   */
  withPageSize(pageSize: bigint): DirtyMap {
    const result = new DirtyMap(pageSize);
    return result.add({
      pageSize,
      runs: () => resized(this.#store.ranges(), this.pageSize, pageSize),
    });
  }

  /**
   * Packs the set into one binary frame, with a header and a checksum.
   *
   * @returns Little endian; some bytes a run, or a bit a page where that is less.
   */
  toBytes(): Uint8Array<ArrayBuffer> {
    const { pageSize } = this;
    return packPages({ pageSize, chunks: this.#store.chunks() });
  }

  /**
   * Unpacks a set.
   *
   * @param bytes What {@link toBytes} gave.
   * @returns The set.
   * @throws {TypeError} If they are no bytes.
   * @throws {RangeError} If they are cut short, damaged or of another kind: nothing is taken then.
   */
  static fromBytes(bytes: Uint8Array): DirtyMap {
    if (!(bytes instanceof Uint8Array)) {
      throw new TypeError(`bytes must be a Uint8Array; got ${given(bytes)}`);
    }
    const { pageSize, chunks } = unpackPages(bytes);
    const map = new DirtyMap(pageSize);
    for (const [key, chunk] of chunks) map.#store.put(key, chunk);
    return map;
  }

  /** Gives the pages as runs by rising address, as long as they can be. */
  *runs(): Generator<DirtyRun, void> {
    for (const [start, end] of this.#store.ranges()) {
      const pages = end - start;
      yield { iova: BigInt(start) * this.pageSize, size: BigInt(pages) * this.pageSize, pages };
    }
  }

  #sameSize(other: { readonly pageSize: bigint }): void {
    if (other.pageSize === this.pageSize) return;
    throw new RangeError(
      `Both must have pages of ${hex(this.pageSize)} bytes; got ${hex(other.pageSize)}`,
    );
  }
}
