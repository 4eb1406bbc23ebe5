/**
 * A part of a {@link DirtyMap}: 32768 pages, kept as runs or as bits, whichever is smaller.
 *
 * @module
 */

import { CHUNK_PAGES } from "./chunk_size.ts";
import { sharedPad } from "./pad.ts";
import { setBits } from "./scan.ts";

export { CHUNK_PAGES };

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
  } else sharedPad().combine(words, chunk, "or");
}

/** Packs bits; undefined if none is set. */
export function pack(words: Uint32Array): Chunk | undefined {
  const edges = sharedPad().edges(words, 2 * MAX_RUNS);
  if (edges.length === 0) return undefined;
  if (edges.length > 2 * MAX_RUNS) return words.slice();
  return Uint16Array.from(edges, (edge, i) => edge - (i & 1));
}

/** How many pages a chunk has. */
export function countChunk(chunk: Chunk): number {
  if (chunk instanceof Uint32Array) return sharedPad().count(chunk);
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
  const edges = sharedPad().edges(chunk, CHUNK_PAGES);
  for (let i = 0; i < edges.length; i += 2) yield [edges[i]!, edges[i + 1]!];
}
