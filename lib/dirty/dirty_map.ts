import { checkKind } from "../base/argument.ts";
import { hex } from "../base/format.ts";
import {
  addTo,
  type Chunk,
  CHUNK_PAGES,
  chunkHas,
  chunkRuns,
  countChunk,
  pack,
  scratchChunk,
} from "./chunk.ts";
import type { DirtyRun } from "./run.ts";
import { clearBits, setBits } from "./scan.ts";

/** What can be added to a {@link DirtyMap}: a window, another map, or runs of any origin. */
export interface PageRuns {
  /** Bytes of a page. */
  readonly pageSize: bigint;
  /** Runs by rising address. */
  runs(): Iterable<Pick<DirtyRun, "iova" | "pages">>;
}

/** How the bits of two chunks are combined, word by word. */
type Combine = (a: number, b: number) => number;

function checkRange(iova: bigint, pages: number): void {
  checkKind("iova", iova, "bigint");
  checkKind("pages", pages, "number");
  if (Number.isSafeInteger(pages) && pages >= 0) return;
  throw new RangeError(`pages must be a whole number of at least 0; got ${pages}`);
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
  readonly #chunks = new Map<number, Chunk>();
  readonly #scratch = scratchChunk();
  #order: number[] | undefined;

  /**
   * Makes an empty set.
   *
   * @param pageSize Bytes of a page, a power of two.
   */
  constructor(pageSize: bigint) {
    checkKind("pageSize", pageSize, "bigint");
    if (pageSize <= 0n || (pageSize & (pageSize - 1n)) !== 0n) {
      throw new RangeError(`A page size is a power of two; got ${pageSize}`);
    }
    this.pageSize = pageSize;
  }

  /** How many pages are set. */
  get count(): number {
    let count = 0;
    for (const chunk of this.#chunks.values()) count += countChunk(chunk);
    return count;
  }

  /** Whether no page is set. */
  get isEmpty(): boolean {
    return this.#chunks.size === 0;
  }

  /** Bytes that the set takes, without JavaScript's own overhead. */
  get byteLength(): number {
    let bytes = 0;
    for (const chunk of this.#chunks.values()) bytes += chunk.byteLength;
    return bytes;
  }

  /**
   * Tells whether the page that holds an address is set.
   *
   * @param iova Any address, in bytes.
   * @returns Whether its page is in the set.
   * @throws {TypeError} If the address is no bigint.
   */
  has(iova: bigint): boolean {
    checkKind("iova", iova, "bigint");
    const [key, page] = this.#place(iova);
    const chunk = this.#chunks.get(key);
    return chunk !== undefined && chunkHas(chunk, page);
  }

  #place(iova: bigint): [number, number] {
    const page = Number(iova / this.pageSize); // exact: at most 52 bits for pages of 4 KiB
    return [Math.floor(page / CHUNK_PAGES), page % CHUNK_PAGES];
  }

  /**
   * Adds the pages of a window, of another map, or of anything with runs.
   *
   * @throws {RangeError} If its pages have another size.
   */
  add(source: PageRuns): this {
    this.#sameSize(source);
    let open: number | undefined;
    const flush = (): void => {
      if (open !== undefined) this.#merge(open);
    };
    for (const { iova, pages } of source.runs()) {
      let [key, from] = this.#place(iova);
      for (let left = pages; left > 0;) {
        if (key !== open) {
          flush();
          this.#scratch.fill(0);
          open = key;
        }
        const to = Math.min(CHUNK_PAGES, from + left);
        setBits(this.#scratch, from, to);
        left -= to - from;
        key += 1;
        from = 0;
      }
    }
    flush();
    return this;
  }

  /**
   * Adds pages by address.
   *
   * @param iova Address of the first page; it is rounded down to a page.
   * @param pages How many.
   * @returns This set.
   * @throws {TypeError} If the address is no bigint, or the count no number.
   * @throws {RangeError} If the count is not a whole number of at least 0.
   */
  addRange(iova: bigint, pages: number): this {
    checkRange(iova, pages);
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
   * @throws {RangeError} If the count is not a whole number of at least 0.
   */
  deleteRange(iova: bigint, pages: number): this {
    checkRange(iova, pages);
    let [key, from] = this.#place(iova);
    for (let left = pages; left > 0; key += 1, from = 0) {
      const to = Math.min(CHUNK_PAGES, from + left);
      left -= to - from;
      const chunk = this.#chunks.get(key);
      if (chunk === undefined) continue;
      this.#scratch.fill(0);
      addTo(this.#scratch, chunk);
      clearBits(this.#scratch, from, to);
      this.#store(key);
    }
    return this;
  }

  /** Adds what the scratch holds to a chunk. */
  #merge(key: number): void {
    const old = this.#chunks.get(key);
    if (old !== undefined) addTo(this.#scratch, old);
    this.#store(key);
  }

  #store(key: number): void {
    const chunk = pack(this.#scratch);
    if (chunk !== undefined) {
      if (!this.#chunks.has(key)) this.#order = undefined;
      this.#chunks.set(key, chunk);
    } else if (this.#chunks.delete(key)) this.#order = undefined;
  }

  /** Takes all pages out. */
  clear(): void {
    this.#chunks.clear();
    this.#order = undefined;
  }

  /** Gives a copy that changes apart from this one. */
  clone(): DirtyMap {
    const copy = new DirtyMap(this.pageSize);
    for (const [key, chunk] of this.#chunks) copy.#chunks.set(key, chunk.slice());
    return copy;
  }

  /** Gives the pages that are in this set, in the other, or in both. */
  union(other: DirtyMap): DirtyMap {
    return this.clone().add(other);
  }

  /** Gives the pages of this set that are not in the other. */
  difference(other: DirtyMap): DirtyMap {
    return this.#combine(other, (a, b) => a & ~b);
  }

  /** Gives the pages that are in both sets. */
  intersection(other: DirtyMap): DirtyMap {
    return this.#combine(other, (a, b) => a & b);
  }

  #combine(other: DirtyMap, combine: Combine): DirtyMap {
    this.#sameSize(other);
    const result = new DirtyMap(this.pageSize);
    const a = result.#scratch;
    const b = scratchChunk();
    for (const [key, chunk] of this.#chunks) {
      a.fill(0);
      b.fill(0);
      addTo(a, chunk);
      const theirs = other.#chunks.get(key);
      if (theirs !== undefined) addTo(b, theirs);
      for (let i = 0; i < a.length; i += 1) a[i] = combine(a[i]!, b[i]!);
      result.#store(key);
    }
    return result;
  }

  /** Whether both sets have the same pages. */
  equals(other: DirtyMap): boolean {
    return this.difference(other).isEmpty && other.difference(this).isEmpty;
  }

  /** Gives the pages as runs by rising address, as long as they can be. */
  *runs(): Generator<DirtyRun, void> {
    this.#order ??= [...this.#chunks.keys()].sort((a, b) => a - b);
    let start = 0;
    let end = 0; // page numbers of the run that is still open
    for (const key of this.#order) {
      const base = key * CHUNK_PAGES;
      for (const [from, to] of chunkRuns(this.#chunks.get(key)!)) {
        if (base + from !== end) {
          if (end > start) yield this.#run(start, end);
          start = base + from;
        }
        end = base + to;
      }
    }
    if (end > start) yield this.#run(start, end);
  }

  #run(start: number, end: number): DirtyRun {
    const pages = end - start;
    return { iova: BigInt(start) * this.pageSize, size: BigInt(pages) * this.pageSize, pages };
  }

  #sameSize(other: { readonly pageSize: bigint }): void {
    if (other.pageSize === this.pageSize) return;
    throw new RangeError(
      `Both must have pages of ${hex(this.pageSize)} bytes; got ${hex(other.pageSize)}`,
    );
  }
}
