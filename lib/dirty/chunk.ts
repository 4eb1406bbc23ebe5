/**
 * A part of a {@link DirtyMap}: 32768 pages, kept as runs or as bits, whichever is smaller.
 *
 * @module
 */

import { countSet, nextClear, nextSet, setBits } from "./scan.ts";

/** Pages of a chunk: their numbers fit in 16 bits. */
export const CHUNK_PAGES = 32768;
const CHUNK_WORDS = CHUNK_PAGES / 32;
/** A run takes 4 bytes; with more runs than this the bits are smaller. */
const MAX_RUNS = CHUNK_WORDS;

/** First and last page of each run, by rising page; or one bit a page. */
export type Chunk = Uint16Array | Uint32Array;

/** Room to work on the bits of a chunk. */
export function scratchChunk(): Uint32Array {
  return new Uint32Array(CHUNK_WORDS);
}

/** Sets the bits of a chunk in `words`; the others are left alone. */
export function addTo(words: Uint32Array, chunk: Chunk): void {
  if (chunk instanceof Uint16Array) {
    for (let i = 0; i < chunk.length; i += 2) setBits(words, chunk[i]!, chunk[i + 1]! + 1);
  } else {
    for (let i = 0; i < CHUNK_WORDS; i += 1) words[i]! |= chunk[i]!;
  }
}

/** Packs bits; undefined if none is set. */
export function pack(words: Uint32Array): Chunk | undefined {
  let runs = 0;
  for (let end = 0;;) {
    const start = nextSet(words, end, CHUNK_PAGES);
    if (start === CHUNK_PAGES) break;
    end = nextClear(words, start, CHUNK_PAGES);
    runs += 1;
    if (runs > MAX_RUNS) return words.slice();
  }
  if (runs === 0) return undefined;
  const chunk = new Uint16Array(runs * 2);
  for (let i = 0, end = 0; i < chunk.length; i += 2) {
    const start = nextSet(words, end, CHUNK_PAGES);
    end = nextClear(words, start, CHUNK_PAGES);
    chunk[i] = start;
    chunk[i + 1] = end - 1;
  }
  return chunk;
}

/** How many pages a chunk has. */
export function countChunk(chunk: Chunk): number {
  if (chunk instanceof Uint32Array) return countSet(chunk, CHUNK_PAGES);
  let count = 0;
  for (let i = 0; i < chunk.length; i += 2) count += chunk[i + 1]! - chunk[i]! + 1;
  return count;
}

/** Whether a chunk has a page. */
export function chunkHas(chunk: Chunk, page: number): boolean {
  if (chunk instanceof Uint32Array) return ((chunk[page >>> 5]! >>> (page & 31)) & 1) === 1;
  for (let low = 0, high = chunk.length / 2; low < high;) {
    const middle = (low + high) >>> 1;
    if (page < chunk[middle * 2]!) high = middle;
    else if (page > chunk[middle * 2 + 1]!) low = middle + 1;
    else return true;
  }
  return false;
}

/** Gives the runs of a chunk as first page and page behind the last. */
export function* chunkRuns(chunk: Chunk): Generator<readonly [number, number], void> {
  if (chunk instanceof Uint16Array) {
    for (let i = 0; i < chunk.length; i += 2) yield [chunk[i]!, chunk[i + 1]! + 1];
    return;
  }
  for (let end = 0;;) {
    const start = nextSet(chunk, end, CHUNK_PAGES);
    if (start === CHUNK_PAGES) return;
    end = nextClear(chunk, start, CHUNK_PAGES);
    yield [start, end];
  }
}
