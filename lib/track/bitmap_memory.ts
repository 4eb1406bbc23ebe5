import { Arena, ArenaBitmap } from "../dirty/arena.ts";
import type { BitmapTarget } from "../dirty/source.ts";
import type { Kernel, ViewAddress } from "../sys/kernel.ts";

/** Some sources set bits behind a small bitmap: up to two pages for a 1 GiB entry. */
const SLACK = 8192;

/**
 * The memory that dirty bitmaps are read into, again and again: of one size at one place, so that the
 * kernel writes where the scan kernels read, and replaced only when a larger bitmap is wanted. Bits
 * written past the end hit slack and nothing else.
 */
export class BitmapMemory extends ArenaBitmap implements BitmapTarget, Disposable {
  /** Bytes of the bitmap that was prepared last. */
  size = 0;
  readonly #kernel: Kernel;
  #place: ViewAddress | undefined;

  /** Takes no memory yet. */
  constructor(kernel: Kernel) {
    super();
    this.#kernel = kernel;
  }

  /** User address of the first word. */
  get address(): bigint {
    if (this.#place === undefined) throw new ReferenceError("The bitmap has no memory yet");
    return this.#place.address;
  }

  /** Makes room for a bitmap and zeroes it: the kernel leaves alone what no mapping covers. */
  prepare(bytes: number): BitmapTarget {
    this.#room(bytes).words.fill(0, 0, Math.ceil(bytes / 4));
    return this;
  }

  /**
   * Makes room for a bitmap that somebody else zeroes, as a thread for long calls does.
   *
   * @returns What is to be zeroed.
   */
  prepareUncleared(bytes: number): Uint8Array<ArrayBuffer> {
    const { buffer, byteOffset } = this.#room(bytes).words;
    return new Uint8Array(buffer, byteOffset, Math.ceil(bytes / 4) * 4);
  }

  #room(bytes: number): Arena {
    this.generation += 1;
    let { arena } = this;
    if (arena === undefined || arena.words.byteLength < bytes + SLACK) arena = this.#grow(bytes);
    arena.recycle();
    this.size = bytes;
    return arena;
  }

  #grow(bytes: number): Arena {
    this.#release(); // the old one may go before there is a new one
    const arena = new Arena(bytes + SLACK);
    const { buffer, byteOffset, byteLength } = arena.words;
    this.#place = this.#kernel.addressOf(new Uint8Array(buffer, byteOffset, byteLength));
    // All of it is written and read in each round: with small pages, looking them up costs a quarter.
    this.#kernel.advise?.(this.#place, "huge");
    this.arena = arena;
    return arena;
  }

  /** Gives its pages back at once: the collector, which sees a small object, may take its time. */
  #release(): void {
    if (this.#place !== undefined) this.#kernel.advise?.(this.#place, "done");
    this.arena = undefined;
    this.#place = undefined;
  }

  /** Gives the memory back; windows that were read into it say that they are gone. */
  [Symbol.dispose](): void {
    this.generation += 1;
    this.#release();
  }
}
