import { hex } from "../base/format.ts";
import type { Bitmap } from "./bitmap.ts";
import type { DirtyLabel } from "./label.ts";
import type { DirtyRun } from "./run.ts";
import { countSet, nextClear, nextSet } from "./scan.ts";

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
  readonly #generation: number;

  /** Makes a window over a bitmap as it is now. */
  constructor(init: WindowInit) {
    this.iova = init.iova;
    this.size = init.size;
    this.pageSize = init.pageSize;
    this.pages = Number(init.size / init.pageSize);
    this.label = init.label;
    this.#bitmap = init.bitmap;
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
    return countSet(this.#words(), this.pages);
  }

  /**
   * Whether the page that holds an address is dirty.
   *
   * @param iova Any address; outside the window the answer is false.
   * @throws {ReferenceError} After the next read into the same buffer.
   */
  has(iova: bigint): boolean {
    const words = this.#words();
    if (iova < this.iova || iova >= this.iova + this.size) return false;
    const page = Number((iova - this.iova) / this.pageSize);
    return ((words[page >>> 5]! >>> (page & 31)) & 1) === 1;
  }

  /**
   * Gives the dirty pages as runs, by rising address, each found when it is asked for.
   *
   * @throws {ReferenceError} While going on after the next read into the same buffer.
   */
  *runs(): Generator<DirtyRun, void> {
    for (let end = 0;;) {
      const start = nextSet(this.#words(), end, this.pages);
      if (start === this.pages) return;
      end = nextClear(this.#words(), start, this.pages);
      const pages = end - start;
      yield {
        iova: this.iova + BigInt(start) * this.pageSize,
        size: BigInt(pages) * this.pageSize,
        pages,
      };
    }
  }

  /**
   * Copies the window out of the shared buffer.
   *
   * @throws {ReferenceError} After the next read into the same buffer.
   */
  copy(): DirtyWindow {
    const words = this.#words().slice(0, Math.ceil(this.pages / 32));
    const { iova, size, pageSize, label } = this;
    return new DirtyWindow({ iova, size, pageSize, label, bitmap: { words, generation: 0 } });
  }

  #words(): Uint32Array {
    if (this.isCurrent) return this.#bitmap.words;
    throw new ReferenceError(
      `Cannot use the window at ${hex(this.iova)}: the next read has reused its buffer; ` +
        "take what you need first, or keep window.copy()",
    );
  }
}
