import { checkKind, given } from "../base/argument.ts";
import { isAligned } from "../base/page.ts";
import { hex } from "../base/format.ts";
import { ArenaBitmap, type Bits, copyBitmap } from "./arena.ts";
import type { Bitmap } from "./bitmap.ts";
import { checkPageSize, TOP } from "./check.ts";
import type { DirtyLabel } from "./label.ts";
import { WORD_PAGES } from "./plan.ts";
import type { DirtyRun } from "./run.ts";
import { eachRun, RunBatchIterator, type RunInit, RunIterator } from "./run_scan.ts";

/** What a window is made from. */
export interface WindowInit {
  /** Address of the first page. */
  readonly iova: bigint;
  /** Bytes that were read. */
  readonly size: bigint;
  /** Bytes of a page of the bitmap. */
  readonly pageSize: bigint;
  /** What the bits mean. */
  readonly label: DirtyLabel;
  /** The bits; bit 0 is the page at `iova`. */
  readonly bitmap: Bitmap;
}

/** As many bits as the scan can number, and type1 gives in one read. */
const MOST_PAGES = 1n << 31n;

function checkAligned(name: string, value: bigint, pageSize: bigint): void {
  if (isAligned(value, pageSize)) return;
  throw new RangeError(`The ${name} must be a multiple of ${pageSize} bytes; got ${value}`);
}

function checkInit({ iova, size, pageSize, bitmap }: WindowInit): void {
  checkPageSize(pageSize);
  checkKind("iova", iova, "bigint");
  checkKind("size", size, "bigint");
  checkKind("bitmap", bitmap, "object");
  const { words } = bitmap;
  if (!(words instanceof Uint32Array)) {
    throw new TypeError(`bitmap.words must be a Uint32Array; got ${given(words)}`);
  }
  checkAligned("size", size, pageSize);
  checkAligned("iova", iova, pageSize);
  if (iova < 0n || size < 0n || iova + size > TOP) {
    throw new RangeError(
      `A window must lie from address 0 to ${hex(TOP)}; got ${size} bytes at ${iova}`,
    );
  }
  if (size / pageSize > MOST_PAGES) {
    throw new RangeError(
      `A window has at most ${MOST_PAGES} pages, as one read has; got ${size / pageSize}`,
    );
  }
  const pages = Number(size / pageSize);
  const wanted = Math.ceil(pages / 64) * 8;
  if (words.byteLength % 8 !== 0 || words.byteLength < wanted) {
    throw new RangeError(
      `A bitmap of ${pages} pages has at least ${wanted} bytes, in words of 8; got ` +
        `${words.byteLength}`,
    );
  }
}

/** Set by the class, for this layer alone. */
let words: (window: DirtyWindow) => Uint32Array;

/** The bits of a window, as long as it is current: not its own, and not to be changed. */
export function wordsOf(window: DirtyWindow): Uint32Array {
  return words(window);
}

/**
 * One read of dirty pages: whole mappings, one bit a page, bits outside mappings cleared.
 *
 * A window shows the tracker's buffer. After the next read it says so instead of showing other data;
 * {@link DirtyWindow.copy} keeps one.
 *
 * @example Pages and runs of a window
 * ```ts
 * import { DirtyWindow } from "@pinscope/vfio";
 *
 * const window = new DirtyWindow({
 *   iova: 0x10000n,
 *   size: 0x8000n,
 *   pageSize: 0x1000n,
 *   label: "pinned-scope",
 *   bitmap: { words: Uint32Array.of(0b1100_0110, 0), generation: 0 },
 * });
 * if (window.count !== 4) throw new Error("four pages are dirty");
 * if ([...window.runs()].length !== 2) throw new Error("in two runs");
 * ```
 */
export class DirtyWindow {
  /** Address of the first page of the window. */
  readonly iova: bigint;
  /** Bytes from there that were read. */
  readonly size: bigint;
  /** Bytes of a page of the bitmap. */
  readonly pageSize: bigint;
  /** Pages that were read, mapped or not. */
  readonly pages: number;
  /** What the bits mean. */
  readonly label: DirtyLabel;
  readonly #bitmap: Bitmap;
  readonly #bits: Bits;
  readonly #generation: number;

  static {
    words = (window) => window.#words();
  }

  /**
   * Makes a window over a bitmap as it is now.
   *
   * @throws {TypeError} If an address or a size is no bigint, or the words are no Uint32Array.
   * @throws {RangeError} If the page size is no power of two or does not divide the size and the
   *   address, the window does not lie below 2^64 or has more than 2^31 pages, or the bitmap is not
   *   made of 64-bit words or has too few.
   */
  constructor(init: WindowInit) {
    checkInit(init);
    this.iova = init.iova;
    this.size = init.size;
    this.pageSize = init.pageSize;
    this.pages = Number(init.size / init.pageSize);
    this.label = init.label;
    this.#bitmap = init.bitmap;
    this.#bits = ArenaBitmap.bitsOf(init.bitmap);
    this.#generation = init.bitmap.generation;
  }

  /** Whether the window still shows what was read for it. */
  get isCurrent(): boolean {
    return this.#bitmap.generation === this.#generation;
  }

  /**
   * Dirty pages in the window; counted anew at each use.
   *
   * @throws {ReferenceError} After the next read into the same buffer.
   */
  get count(): number {
    this.#check();
    return this.#bits.count(this.pages);
  }

  /**
   * Whether the page that holds an address is dirty.
   *
   * @param iova Any address; outside the window the answer is false.
   * @throws {TypeError} If the address is no bigint.
   * @throws {ReferenceError} After the next read into the same buffer.
   */
  has(iova: bigint): boolean {
    checkKind("iova", iova, "bigint");
    const words = this.#words();
    if (iova < this.iova || iova >= this.iova + this.size) return false;
    const page = Number((iova - this.iova) / this.pageSize);
    return ((words[page >>> 5]! >>> (page & 31)) & 1) === 1;
  }

  /**
   * Gives the dirty pages as runs, by rising address, found some thousands at a time as they are asked
   * for. The most comfortable way: a run costs some 30 ns, most of it for its two bigints.
   *
   * @returns An iterator of `{ iova, size, pages }`. Several can be under way.
   * @throws {ReferenceError} While going on after the next read into the same buffer.
   */
  runs(): IteratorObject<DirtyRun, undefined, unknown> {
    return new RunIterator(this.#init());
  }

  /**
   * Gives the same runs as arrays of page numbers: first page, page behind the last, first page of
   * the next run and so on, counted from the start of the window. The fastest way: a run costs some
   * 5 ns.
   *
   * @returns An iterator of arrays, each of which is good until the next one is asked for.
   * @throws {ReferenceError} While going on after the next read into the same buffer.
   */
  runBatches(): IteratorObject<Uint32Array<ArrayBuffer>, undefined, unknown> {
    return new RunBatchIterator(this.#init());
  }

  /**
   * Calls back for each of the same runs, with page numbers as {@link runBatches} gives them. A run
   * costs some 8 ns, and what the callback does.
   *
   * @param found Gets the first page and the page behind the last, counted from the start of the
   *   window; `window.iova + BigInt(first) * window.pageSize` is its address.
   * @throws {TypeError} If it is no function.
   * @throws {ReferenceError} After the next read into the same buffer.
   */
  forEachRun(found: (first: number, end: number) => void): void {
    checkKind("found", found, "function");
    eachRun(this.#init(), found);
  }

  /**
   * Counts the dirty pages of each cell of the window, as a heat map shows them. It costs about what
   * {@link count} does.
   *
   * @param cellSize Bytes of a cell, a multiple of 64 pages; cells begin at the start of the window,
   *   and the last one may be shorter.
   * @returns Dirty pages by cell; it is the caller's own.
   * @throws {TypeError} If the size is no bigint.
   * @throws {RangeError} If it is no multiple of 64 pages, or smaller than that.
   * @throws {ReferenceError} After the next read into the same buffer.
   */
  countCells(cellSize: bigint): Uint32Array<ArrayBuffer> {
    checkKind("cellSize", cellSize, "bigint");
    const unit = WORD_PAGES * this.pageSize;
    if (cellSize < unit || cellSize % unit !== 0n) {
      throw new RangeError(`cellSize must be a multiple of ${hex(unit)} bytes; got ${cellSize}`);
    }
    this.#check();
    // A cell that is larger than the window is as large as that: the scan counts in 32 bits.
    const pages = cellSize > this.size ? Math.ceil(this.pages / 64) * 64 : cellSize / this.pageSize;
    return this.#bits.cells(this.pages, Math.max(64, Number(pages)));
  }

  #init(): RunInit {
    const { pages, iova, pageSize } = this;
    return { bits: this.#bits, pages, iova, pageSize, check: () => this.#check() };
  }

  /**
   * Copies the window out of the shared buffer.
   *
   * @throws {ReferenceError} After the next read into the same buffer.
   */
  copy(): DirtyWindow {
    const bitmap = copyBitmap(this.#words().subarray(0, Math.ceil(this.pages / 64) * 2));
    const { iova, size, pageSize, label } = this;
    return new DirtyWindow({ iova, size, pageSize, label, bitmap });
  }

  #words(): Uint32Array {
    this.#check();
    return this.#bitmap.words;
  }

  #check(): void {
    if (this.isCurrent) return;
    throw new ReferenceError(
      `Cannot use the window at ${hex(this.iova)}: the next read has reused its buffer; ` +
        "take what you need first, or keep window.copy()",
    );
  }
}
