/**
 * What the scan kernels can do, whoever does it: WebAssembly, or its twin in TypeScript.
 *
 * Places are bytes from the start of the memory, and bitmaps begin at multiples of 8. A kernel checks
 * nothing: its callers do.
 *
 * @module
 */

/** A scan for runs that is under way. */
export interface EdgeScan {
  /** The edges found: first bit of a run, bit behind its last, and so on; reused by {@link next}. */
  readonly edges: Uint32Array<ArrayBuffer>;
  /** Finds more; gives how many edges stand there now: whole runs only. 0 at the end of the chunk. */
  next(): number;
  /** The runs of that many edges as address and size; reused by the next call. */
  addresses(edges: number, iova: bigint, shift: bigint): BigUint64Array<ArrayBuffer>;
  /** Begins anew, with other bits. */
  begin(chunk: Chunk): void;
  /**
   * Goes on with the bits that follow; a run that was open at the end goes on too.
   *
   * @param chunk Where they are now.
   */
  follow(chunk: Chunk): void;
}

/** Bits to scan. */
export interface Chunk {
  /** Where the first one is, in bytes. */
  readonly at: number;
  /** How many; a multiple of 64 where others follow. */
  readonly bits: number;
  /** Others follow: a run at the end stays open. */
  readonly hasMore?: boolean;
}

/** Memory, and the kernels that work on it. */
export interface BitMemory {
  /** Who does the work. */
  readonly kind: "wasm" | "typescript";
  /** The memory: of one size, at one place. */
  readonly buffer: ArrayBuffer;
  /** How many bits are set. */
  count(at: number, bits: number): number;
  /** Whether a bit is set. */
  any(at: number, bits: number): boolean;
  /** The place of the first bit that is set; `bits` if there is none. */
  first(at: number, bits: number): number;
  /** The place of the last bit that is set; `bits` if there is none. */
  last(at: number, bits: number): number;
  /** `into |= from`, whole 64-bit words. */
  or(into: number, from: number, bytes: number): void;
  /** `into &= from`. */
  and(into: number, from: number, bytes: number): void;
  /** `into &= ~from`. */
  andNot(into: number, from: number, bytes: number): void;
  /** `into ^= from`; gives how many bits are set then. */
  xor(into: number, from: number, bytes: number): number;
  /** In how many bits two bitmaps differ. */
  distance(a: number, b: number, bits: number): number;
  /** Counts the bits of each cell of `cellBits`, a multiple of 64, as 32-bit numbers at `into`. */
  cells(at: number, bits: number, cellBits: number, into: number): void;
  /** Begins to look for runs, with an area of `AREA_BYTES` for itself. */
  scan(area: number, chunk: Chunk): EdgeScan;
}
