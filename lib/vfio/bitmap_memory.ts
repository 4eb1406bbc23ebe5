import { alignUp } from "../base/page.ts";
import type { Bitmap } from "../dirty/bitmap.ts";
import type { BitmapTarget } from "../dirty/source.ts";
import type { Kernel } from "../sys/kernel.ts";
import { HostMemory } from "./memory.ts";

/** Some sources set bits behind a small bitmap: up to two pages for a 1 GiB entry. */
const SLACK = 8192;
const HOST_PAGE = 4096n;

/**
 * The memory that dirty bitmaps are read into, again and again: mmap'd, so that bits written past
 * the end hit slack and nothing else, and replaced only when a larger bitmap is wanted.
 */
export class BitmapMemory implements Bitmap, BitmapTarget, Disposable {
  /** The words of the bitmap and of the slack behind it; another array after it grew. */
  words: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  /** Grows whenever the words change behind a window's back. */
  generation = 0;
  /** Bytes of the bitmap that was prepared last. */
  size = 0;
  readonly #kernel: Kernel;
  #memory: HostMemory | undefined;

  /** Takes no memory yet. */
  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** User address of the first word. */
  get address(): bigint {
    if (this.#memory === undefined) throw new ReferenceError("The bitmap has no memory yet");
    return this.#memory.address;
  }

  /** Makes room for a bitmap and zeroes it: the kernel leaves alone what no mapping covers. */
  prepare(bytes: number): BitmapTarget {
    this.generation += 1;
    if (this.#memory === undefined || this.words.byteLength < bytes + SLACK) this.#grow(bytes);
    this.words.fill(0, 0, Math.ceil(bytes / 4));
    this.size = bytes;
    return this;
  }

  #grow(bytes: number): void {
    const size = alignUp(BigInt(bytes + SLACK), HOST_PAGE);
    const memory = HostMemory.allocate(this.#kernel, size);
    this.#free();
    this.#memory = memory;
    this.words = new Uint32Array(memory.bytes.buffer);
  }

  #free(): void {
    this.words = new Uint32Array(0);
    this.#memory?.[Symbol.dispose]();
    this.#memory = undefined;
  }

  /** Gives the memory back; windows that were read into it say that they are gone. */
  [Symbol.dispose](): void {
    this.generation += 1;
    this.#free();
  }
}
