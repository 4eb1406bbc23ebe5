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
import { type Combine, sharedPad } from "./pad.ts";
import type { PageRange } from "./regions.ts";
import { clearBits, setBits } from "./scan.ts";

/** Pages by number, in chunks of 32768: what a set of pages consists of. */
export class ChunkStore {
  readonly #chunks = new Map<number, Chunk>();
  readonly #scratch = scratchChunk();
  #order: number[] | undefined;

  /** How many pages there are. */
  get count(): number {
    let count = 0;
    for (const chunk of this.#chunks.values()) count += countChunk(chunk);
    return count;
  }

  /** How many chunks have a page. */
  get size(): number {
    return this.#chunks.size;
  }

  /** Bytes of all chunks. */
  get byteLength(): number {
    let bytes = 0;
    for (const chunk of this.#chunks.values()) bytes += chunk.byteLength;
    return bytes;
  }

  /** Whether a page is there. */
  has(page: number): boolean {
    const chunk = this.#chunks.get(Math.floor(page / CHUNK_PAGES));
    return chunk !== undefined && chunkHas(chunk, page % CHUNK_PAGES);
  }

  /** Adds runs; by rising number, a chunk is packed once. */
  addRuns(runs: Iterable<readonly [first: number, pages: number]>): void {
    let open: number | undefined;
    const flush = (): void => {
      if (open !== undefined) this.#merge(open);
    };
    for (const [first, pages] of runs) {
      let key = Math.floor(first / CHUNK_PAGES);
      let from = first % CHUNK_PAGES;
      for (let left = pages; left > 0; key += 1, from = 0) {
        if (key !== open) {
          flush();
          this.#scratch.fill(0);
          open = key;
        }
        const to = Math.min(CHUNK_PAGES, from + left);
        setBits(this.#scratch, from, to);
        left -= to - from;
      }
    }
    flush();
  }

  /** Adds the pages of a bitmap; the number of the first is a multiple of 32. */
  addWords(first: number, words: Uint32Array, pages: number): void {
    let key = Math.floor(first / CHUNK_PAGES);
    let from = first % CHUNK_PAGES;
    for (let done = 0; done < pages; key += 1, from = 0) {
      const here = Math.min(CHUNK_PAGES - from, pages - done);
      this.#scratch.fill(0);
      this.#scratch.set(words.subarray(done / 32, Math.ceil((done + here) / 32)), from / 32);
      clearBits(this.#scratch, from + here, CHUNK_PAGES);
      this.#merge(key);
      done += here;
    }
  }

  /** Takes pages out. */
  delete(first: number, pages: number): void {
    let key = Math.floor(first / CHUNK_PAGES);
    let from = first % CHUNK_PAGES;
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
  }

  /** Takes all pages out. */
  clear(): void {
    this.#chunks.clear();
    this.#order = undefined;
  }

  /** Adds what the scratch holds to a chunk. */
  #merge(key: number): void {
    const old = this.#chunks.get(key);
    if (old !== undefined) addTo(this.#scratch, old);
    this.#store(key);
  }

  #store(key: number): void {
    const chunk = pack(this.#scratch);
    if (chunk !== undefined) this.put(key, chunk);
    else if (this.#chunks.delete(key)) this.#order = undefined;
  }

  /** Takes a chunk in the place of what was there. */
  put(key: number, chunk: Chunk): void {
    if (!this.#chunks.has(key)) this.#order = undefined;
    this.#chunks.set(key, chunk);
  }

  /** Takes copies of the chunks of another store, of those that a filter lets through. */
  copyFrom(other: ChunkStore, wanted: (key: number) => boolean = () => true): void {
    for (const [key, chunk] of other.#chunks) if (wanted(key)) this.put(key, chunk.slice());
  }

  /** Takes what two other stores give together; this one is empty. */
  combine(a: ChunkStore, b: ChunkStore, how: Combine): void {
    if (how !== "and") this.copyFrom(a, (key) => !b.#chunks.has(key));
    if (how === "or" || how === "xor") this.copyFrom(b, (key) => !a.#chunks.has(key));
    const theirs = scratchChunk();
    for (const [key, chunk] of a.#chunks) {
      const other = b.#chunks.get(key);
      if (other === undefined) continue;
      this.#scratch.fill(0);
      theirs.fill(0);
      addTo(this.#scratch, chunk);
      addTo(theirs, other);
      sharedPad().combine(this.#scratch, theirs, how);
      this.#store(key);
    }
  }

  /** The chunks by rising number. */
  *chunks(): Generator<readonly [key: number, chunk: Chunk], void> {
    this.#order ??= [...this.#chunks.keys()].sort((a, b) => a - b);
    for (const key of this.#order) yield [key, this.#chunks.get(key)!];
  }

  /** The pages as runs by rising number, as long as they can be. */
  *ranges(): Generator<PageRange, void> {
    let start = 0;
    let end = 0; // of the run that is still open
    for (const [key, chunk] of this.chunks()) {
      const base = key * CHUNK_PAGES;
      for (const [from, to] of chunkRuns(chunk)) {
        if (base + from !== end) {
          if (end > start) yield [start, end];
          start = base + from;
        }
        end = base + to;
      }
    }
    if (end > start) yield [start, end];
  }
}
