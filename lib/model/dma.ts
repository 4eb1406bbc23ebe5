import type { Extent } from "../base/extent.ts";
import { clearBits, setBits } from "./bits.ts";

/** A mapping of the modelled type1, with its pins and its dirty bits. */
export class Dma implements Extent {
  /** First address that the device uses. */
  readonly iova: bigint;
  /** Bytes. */
  readonly size: bigint;
  /** Where the memory lies in the process. */
  readonly vaddr: bigint;
  /** What the device may do: READ 1, WRITE 2. */
  readonly rights: number;
  /** Whether an IOMMU maps it; false while only emulated groups are attached. */
  iommuMapped = false;
  /** How often each page is pinned by drivers. */
  readonly pins: Map<number, number> = new Map();
  /** Pages with a bit; only what is set takes room. */
  readonly #dirty = new Set<number>();
  #full = false;

  /** A mapping without pins. */
  constructor(iova: bigint, size: bigint, vaddr: bigint, rights: number) {
    this.iova = iova;
    this.size = size;
    this.vaddr = vaddr;
    this.rights = rights;
  }

  /** Sets the bit of a page. */
  mark(page: number): void {
    this.#dirty.add(page);
  }

  /** Sets the bits of all pages, as when the past is unknown. */
  markAll(): void {
    this.#full = true;
  }

  /** Sets the bits of the pages that are pinned now. */
  markPinned(): void {
    for (const page of this.pins.keys()) this.#dirty.add(page);
  }

  /** Forgets all bits. */
  clear(): void {
    this.#dirty.clear();
    this.#full = false;
  }

  /**
   * Copies the bits to the caller, from bit `first` on, as the kernel does: words are overwritten,
   * but the first one, which is merged where the mapping does not begin at a word.
   */
  copyTo(words: Uint32Array, first: number, pages: number, all: boolean): void {
    const end = first + pages;
    const own = first % 64 === 0 ? first : Math.ceil(first / 64) * 64;
    clearBits(words, own, Math.min(Math.ceil(end / 64) * 64, words.length * 32));
    if (all || this.#full) return setBits(words, first, end);
    for (const page of this.#dirty) setBits(words, first + page, first + page + 1);
  }
}
