import { PAGE } from "./page.ts";

/**
 * mmap'd memory, or a file's content that several mmaps share. What nobody looked at takes no room, so
 * that large mappings cost nothing.
 */
export class ModelMemory {
  /** Bytes. */
  readonly size: bigint;
  /** Whether it is a device's, which nobody is charged for. */
  readonly isDevice: boolean;
  /** Bytes that lie together in physical memory: those of a huge page, or of a page. */
  readonly together: bigint;
  #buffer: ArrayBuffer | undefined;
  // What a device wrote before the first view, by page.
  readonly #pages = new Map<bigint, Uint8Array>();

  /** Zeroed memory. */
  constructor(size: bigint, isDevice = false, together = PAGE) {
    this.size = size;
    this.isDevice = isDevice;
    this.together = together;
  }

  /** All bytes, as one buffer; a detached one is made anew, empty. */
  get buffer(): ArrayBuffer {
    if (this.#buffer === undefined) {
      this.#buffer = new ArrayBuffer(Number(this.size));
      const bytes = new Uint8Array(this.#buffer);
      for (const [offset, page] of this.#pages) bytes.set(page, Number(offset));
      this.#pages.clear();
    }
    return this.#buffer;
  }

  /** Whether a buffer is the one that {@link buffer} gave. */
  owns(buffer: ArrayBufferLike): boolean {
    return this.#buffer === buffer;
  }

  /** Copies out of the memory. */
  read(offset: bigint, into: Uint8Array): void {
    this.#each(offset, into, (page, part) => part.set(page));
  }

  /** Copies into the memory. */
  write(offset: bigint, from: Uint8Array): void {
    this.#each(offset, from, (page, part) => page.set(part));
  }

  #each(
    offset: bigint,
    bytes: Uint8Array,
    copy: (page: Uint8Array, part: Uint8Array) => void,
  ): void {
    if (this.#buffer !== undefined) {
      return copy(new Uint8Array(this.#buffer, Number(offset), bytes.length), bytes);
    }
    for (let done = 0; done < bytes.length;) {
      const at = offset + BigInt(done);
      const start = Number(at % PAGE);
      const length = Math.min(bytes.length - done, Number(PAGE) - start);
      const page = this.#page(at - at % PAGE);
      copy(page.subarray(start, start + length), bytes.subarray(done, done + length));
      done += length;
    }
  }

  #page(offset: bigint): Uint8Array {
    let page = this.#pages.get(offset);
    if (page === undefined) {
      const rest = this.size - offset;
      page = new Uint8Array(Number(rest < PAGE ? rest : PAGE));
      this.#pages.set(offset, page);
    }
    return page;
  }
}
