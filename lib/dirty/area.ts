/**
 * Where things stand in the area of an iterator, in bytes; `wasm/runs.ts` has the same numbers.
 *
 * @module
 */

/** Bytes at the start of a memory that are the kernels' own, their tables; in whole pages, for what follows. */
export const RESERVED = 12288;

/** Most edges that are found at a time; the last word may add 64. */
export const MOST_EDGES = 4096;

/** The 32-bit numbers of the state, by their place among them. */
export const STATE = {
  start: 0,
  bits: 1,
  next: 2,
  take: 3,
  listed: 4,
  mode: 5,
  final: 6,
  done: 7,
  open: 8,
  began: 9,
  base: 10,
} as const;

/** The words in which a run begins or ends, as 16-bit numbers. */
const LIST = 64;
/** The edges found. */
export const EDGES: number = LIST + 4 * (1024 + 32);
/** The same runs as 64-bit addresses and sizes. */
export const ADDRESSES: number = EDGES + 4 * (MOST_EDGES + 80);
/** All of it, in whole pages. */
export const AREA_BYTES = 57344;
/** Runs whose addresses fit. */
export const MOST_RUNS: number = MOST_EDGES / 2 + 32;
