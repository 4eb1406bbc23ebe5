import { MOST_EDGES, MOST_RUNS } from "./area.ts";
import type { BitMemory, Chunk, EdgeScan } from "./kernels.ts";
import { countSet, lastSet, nextClear, nextSet, popcount } from "./scan.ts";

/** Runs of any words, found in TypeScript, into memory of its own. */
export class WordScan implements EdgeScan {
  readonly edges: Uint32Array<ArrayBuffer>;
  readonly #view: (chunk: Chunk) => Uint32Array;
  #addresses: BigUint64Array<ArrayBuffer> | undefined;
  #words: Uint32Array;
  #chunk: Chunk;
  #base = 0;
  #next = 0;
  #isDone = false;
  /** First bit of a run that was open at the end of a chunk. */
  #open: number | undefined;

  /**
   * Begins a scan.
   *
   * @param view Gives the words of a chunk.
   */
  constructor(view: (chunk: Chunk) => Uint32Array, chunk: Chunk) {
    this.#view = view;
    this.#chunk = chunk;
    this.#words = view(chunk);
    this.edges = new Uint32Array(Math.min(MOST_EDGES, 2 * Math.ceil((chunk.bits + 1) / 2)));
  }

  next(): number {
    if (this.#isDone) return 0;
    const { bits, hasMore = false } = this.#chunk;
    const { edges } = this;
    let found = 0;
    for (let start = 0; found < edges.length;) {
      const open = this.#open;
      if (open === undefined) start = nextSet(this.#words, this.#next, bits);
      const end = nextClear(this.#words, start, bits);
      this.#next = end;
      const from = open ?? this.#base + start;
      this.#open = end === bits && hasMore && (open !== undefined || start < bits)
        ? from
        : undefined;
      this.#isDone = this.#open !== undefined || (open === undefined && start === bits);
      if (this.#isDone) break;
      edges[found++] = from;
      edges[found++] = this.#base + end;
    }
    return found;
  }

  addresses(edges: number, iova: bigint, shift: bigint): BigUint64Array<ArrayBuffer> {
    const into = this.#addresses ??= new BigUint64Array(Math.min(this.edges.length, 2 * MOST_RUNS));
    for (let i = 0; i < edges; i += 2) {
      into[i] = iova + (BigInt(this.edges[i]!) << shift);
      into[i + 1] = BigInt(this.edges[i + 1]! - this.edges[i]!) << shift;
    }
    return into;
  }

  begin(chunk: Chunk): void {
    this.#base = 0;
    this.#open = undefined;
    this.#set(chunk);
  }

  #set(chunk: Chunk): void {
    this.#chunk = chunk;
    this.#words = this.#view(chunk);
    this.#next = 0;
    this.#isDone = false;
  }

  follow(chunk: Chunk): void {
    this.#base += this.#chunk.bits;
    this.#set(chunk);
  }
}

/** The kernels in plain TypeScript: what the others are held against, and who serves without them. */
class TwinMemory implements BitMemory {
  readonly kind = "typescript";
  readonly buffer: ArrayBuffer;

  constructor(size: number) {
    this.buffer = new ArrayBuffer(size);
  }

  #words(at: number, bits: number): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.buffer, at, Math.ceil(bits / 32));
  }

  count(at: number, bits: number): number {
    return countSet(this.#words(at, bits), bits);
  }

  any(at: number, bits: number): boolean {
    return this.first(at, bits) !== bits;
  }

  first(at: number, bits: number): number {
    return nextSet(this.#words(at, bits), 0, bits);
  }

  last(at: number, bits: number): number {
    return lastSet(this.#words(at, bits), bits);
  }

  or(into: number, from: number, bytes: number): void {
    const [a, b] = [this.#words(into, bytes * 8), this.#words(from, bytes * 8)];
    for (let i = 0; i < a.length; i += 1) a[i]! |= b[i]!;
  }

  and(into: number, from: number, bytes: number): void {
    const [a, b] = [this.#words(into, bytes * 8), this.#words(from, bytes * 8)];
    for (let i = 0; i < a.length; i += 1) a[i]! &= b[i]!;
  }

  andNot(into: number, from: number, bytes: number): void {
    const [a, b] = [this.#words(into, bytes * 8), this.#words(from, bytes * 8)];
    for (let i = 0; i < a.length; i += 1) a[i]! &= ~b[i]!;
  }

  xor(into: number, from: number, bytes: number): number {
    const [a, b] = [this.#words(into, bytes * 8), this.#words(from, bytes * 8)];
    let count = 0;
    for (let i = 0; i < a.length; i += 1) count += popcount(a[i]! ^= b[i]!);
    return count;
  }

  distance(a: number, b: number, bits: number): number {
    const [x, y] = [this.#words(a, bits), this.#words(b, bits)];
    const whole = bits >>> 5;
    let count = 0;
    for (let i = 0; i < whole; i += 1) count += popcount(x[i]! ^ y[i]!);
    const rest = bits & 31;
    return rest === 0 ? count : count + popcount((x[whole]! ^ y[whole]!) & ~(-1 << rest));
  }

  cells(at: number, bits: number, cellBits: number, into: number): void {
    const counts = new Uint32Array(this.buffer, into, Math.ceil(bits / cellBits));
    for (let i = 0; i < counts.length; i += 1) {
      const from = i * cellBits;
      counts[i] = this.count(at + from / 8, Math.min(cellBits, bits - from));
    }
  }

  scan(_area: number, chunk: Chunk): EdgeScan {
    return new WordScan(({ at, bits }) => this.#words(at, bits), chunk);
  }
}

/** Makes memory with the TypeScript kernels over it. */
export function twinMemory(size: number): BitMemory {
  return new TwinMemory(size);
}
