import { AREA_BYTES, RESERVED } from "./area.ts";
import type { Bitmap } from "./bitmap.ts";
import type { BitMemory, EdgeScan } from "./kernels.ts";
import { countSet } from "./scan.ts";
import { twinMemory, WordScan } from "./twin_memory.ts";
import { wasmMemory } from "./wasm_memory.ts";

/** Iterators that can be under way over one read, before others get memory of their own. */
const AREAS = 8;
/** Where cells are counted, behind the areas of the iterators, and how many at a time. */
const CELLS_AT = RESERVED + AREAS * AREA_BYTES;
const CELLS = AREA_BYTES / 4;
/** Where the bitmap begins: behind them all, so that nothing written past its end meets them. */
const AT = CELLS_AT + AREA_BYTES;

/** Bits that can be counted and looked through. */
export interface Bits {
  /** The bits, 32 a word. */
  readonly words: Uint32Array<ArrayBufferLike>;
  /** How many of the first bits are set. */
  count(bits: number): number;
  /** How many of each cell of `cellBits`, a multiple of 64, are set; the last cell may be shorter. */
  cells(bits: number, cellBits: number): Uint32Array<ArrayBuffer>;
  /** Begins to look for runs in the first bits. */
  open(bits: number): EdgeScan;
  /** Takes back what {@link open} gave. */
  close(scan: EdgeScan): void;
}

/** Words of any origin: TypeScript reads them where they are. */
export class WordBits implements Bits {
  readonly words: Uint32Array<ArrayBufferLike>;

  /** Shows words; copies nothing. */
  constructor(words: Uint32Array<ArrayBufferLike>) {
    this.words = words;
  }

  count(bits: number): number {
    return countSet(this.words, bits);
  }

  cells(bits: number, cellBits: number): Uint32Array<ArrayBuffer> {
    const counts = new Uint32Array(Math.ceil(bits / cellBits));
    for (let i = 0; i < counts.length; i += 1) {
      const from = i * cellBits;
      const words = this.words.subarray(from / 32);
      counts[i] = countSet(words, Math.min(cellBits, bits - from));
    }
    return counts;
  }

  open(bits: number): EdgeScan {
    return new WordScan(() => this.words, { at: 0, bits });
  }

  close(_scan: EdgeScan): void {
    // It has nothing of ours.
  }
}

/**
 * Memory of one size for one bitmap, which the kernel writes into and the scan kernels read: areas
 * for iterators, the bitmap, and the slack behind it. Nothing moves, and nothing is allocated later.
 */
export class Arena implements Bits {
  readonly words: Uint32Array<ArrayBuffer>;
  readonly #memory: BitMemory;
  /** The scans that nobody uses; each has an area. */
  readonly #idle: EdgeScan[] = [];
  readonly #busy = new Set<EdgeScan>();
  #areas = 0;

  /**
   * Takes the memory.
   *
   * @param bytes Of the bitmap with its slack.
   */
  constructor(bytes: number) {
    const size = AT + Math.ceil(bytes / 8) * 8;
    this.#memory = wasmMemory(size) ?? twinMemory(size);
    this.words = new Uint32Array(this.#memory.buffer, AT, Math.ceil(bytes / 8) * 2);
  }

  /** Who does the work. */
  get kind(): "wasm" | "typescript" {
    return this.#memory.kind;
  }

  count(bits: number): number {
    return this.#memory.count(AT, bits);
  }

  cells(bits: number, cellBits: number): Uint32Array<ArrayBuffer> {
    const counts = new Uint32Array(Math.ceil(bits / cellBits));
    for (let i = 0; i < counts.length; i += CELLS) {
      const from = i * cellBits;
      const slice = Math.min(bits - from, CELLS * cellBits);
      this.#memory.cells(AT + from / 8, slice, cellBits, CELLS_AT);
      const found = new Uint32Array(this.#memory.buffer, CELLS_AT, Math.ceil(slice / cellBits));
      counts.set(found, i);
    }
    return counts;
  }

  open(bits: number): EdgeScan {
    const chunk = { at: AT, bits };
    let scan = this.#idle.pop();
    if (scan !== undefined) scan.begin(chunk);
    else if (this.#areas === AREAS) return new WordScan(() => this.words, chunk);
    else {
      scan = this.#memory.scan(RESERVED + this.#areas * AREA_BYTES, chunk);
      this.#areas += 1;
    }
    this.#busy.add(scan);
    return scan;
  }

  close(scan: EdgeScan): void {
    if (this.#busy.delete(scan)) this.#idle.push(scan);
  }

  /** Takes all areas back: who still has one is refused anyway, because the bits are others now. */
  recycle(): void {
    for (const scan of this.#busy) this.#idle.push(scan);
    this.#busy.clear();
  }
}

/** A bitmap that lies in an {@link Arena}. */
export class ArenaBitmap implements Bitmap {
  /** The memory now; undefined before the first use, and when it was given back. */
  protected arena: Arena | undefined;
  /** Grows whenever the words change behind a window's back. */
  generation = 0;

  /** The words of the bitmap and of the slack behind it; another array after it grew. */
  get words(): Uint32Array<ArrayBuffer> {
    return this.arena?.words ?? new Uint32Array(0);
  }

  /** What the scan kernels work on. */
  static bitsOf(bitmap: Bitmap): Bits {
    const arena = bitmap instanceof ArenaBitmap ? bitmap.arena : undefined;
    return arena ?? new WordBits(bitmap.words);
  }
}

/** Bits in memory of their own, as a copy has them. */
class OwnBitmap extends ArenaBitmap {
  constructor(words: Uint32Array) {
    super();
    this.arena = new Arena(words.byteLength);
    this.arena.words.set(words);
  }
}

/** From as many bytes of bitmap on, a copy is worth an arena of its own. */
const LARGE = 1 << 18;

/** Copies words into a bitmap that nothing is read into. */
export function copyBitmap(words: Uint32Array): Bitmap {
  if (words.byteLength >= LARGE) return new OwnBitmap(words);
  return { words: words.slice(), generation: 0 };
}
