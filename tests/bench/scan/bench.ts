import { AREA_BYTES, RESERVED } from "../../../lib/dirty/area.ts";
import type { BitMemory, EdgeScan } from "../../../lib/dirty/kernels.ts";
import { WordScan } from "../../../lib/dirty/twin_memory.ts";
import { DENSITIES } from "./bitmaps.ts";
import { ROUNDS } from "../measure.ts";
import type { Native } from "./native.ts";

/** Where the first bitmap begins. */
export const AT: number = Math.ceil((RESERVED + AREA_BYTES) / 65536) * 65536;
/**
 * Bytes between two bitmaps. At a distance that is a power of two their words fall into the same sets
 * of the caches: from 256 MiB on that makes it three times as slow, by no fault of the kernels.
 */
export const GAP: number = 65536 + 4096;
/** Most bytes of one bitmap: type1 gives no more, and a place in it fits in 32 bits. */
const MOST = 256 << 20;

/** Others that are given the same bytes; undefined where they cannot be had here. */
export interface Others {
  /** Plain C, and the widest vectors of this processor. */
  readonly native: Native;
  readonly numpy: Native | undefined;
}

/** Bitmaps in a memory of ours and, the same, in that of others; and our ways to scan them. */
export class Bench {
  readonly bytes: number;
  readonly memory: BitMemory;
  readonly others: Others;
  readonly size: string;
  /** A large bitmap shows what memory allows: a few rounds do, and only C is compared. */
  readonly isLarge: boolean;
  readonly rounds: number;
  readonly #parts: number;
  readonly #part: number;

  constructor(memory: BitMemory, others: Others, bytes: number) {
    this.memory = memory;
    this.others = others;
    this.bytes = bytes;
    this.#part = Math.min(bytes, MOST);
    this.#parts = bytes / this.#part;
    this.size = `${bytes >> 20} MiB`;
    this.isLarge = bytes > 32 << 20;
    this.rounds = this.isLarge ? 3 : ROUNDS;
  }

  /** The 32-bit words of a bitmap. */
  words(slot: number): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.memory.buffer, AT + slot * (this.bytes + GAP), this.bytes / 4);
  }

  /** Makes a bitmap, here and at the native side. */
  async load(slot: number, density: string): Promise<void> {
    const words = this.words(slot);
    words.fill(0);
    DENSITIES[density]!(words);
    await this.others.native.load(slot, this.#bytesOf(slot));
  }

  /** Gives the first bitmap to another one too. */
  async share(other: Native): Promise<void> {
    await other.load(0, this.#bytesOf(0));
  }

  #bytesOf(slot: number): Uint8Array<ArrayBuffer> {
    const { buffer, byteOffset, byteLength } = this.words(slot);
    return new Uint8Array(buffer, byteOffset, byteLength);
  }

  /** Does something for each part of the bitmap, and gives the sum. */
  each(work: (at: number, bits: number) => number | void): number {
    let sum = 0;
    for (let i = 0; i < this.#parts; i += 1) {
      sum += work(AT + i * this.#part, this.#part * 8) ?? 0;
    }
    return sum;
  }

  /** Finds all runs with a scan, a run over the end of a part as one. */
  #scan(make: (chunk: { at: number; bits: number; hasMore: boolean }) => EdgeScan): bigint {
    let scan: EdgeScan | undefined;
    let edges = 0;
    this.each((at, bits) => {
      const chunk = { at, bits, hasMore: at + this.#part < AT + this.bytes };
      if (scan === undefined) scan = make(chunk);
      else scan.follow(chunk);
      for (let n; (n = scan.next()) > 0;) edges += n;
    });
    return BigInt(edges / 2);
  }

  /** How many runs there are. */
  readonly ours = (): bigint => this.#scan((chunk) => this.memory.scan(RESERVED, chunk));

  /** The same in TypeScript. */
  readonly twin = (): bigint =>
    this.#scan((chunk) =>
      new WordScan(({ at, bits }) => new Uint32Array(this.memory.buffer, at, bits / 32), chunk)
    );

  /** Both sides must find the same, or the comparison is none. */
  async same(what: string, ours: number | bigint, other = 0): Promise<void> {
    const [, theirs] = await this.others.native.run(what, 0, other);
    if (BigInt(ours) !== theirs) throw new Error(`${what}: ${ours} here, ${theirs} in C`);
  }

  /** A function of the native side, to be timed there. */
  c(what: string): () => Promise<number> {
    return async () => (await this.others.native.run(what, 0, 1))[0];
  }

  /** The checksum of all places, as `scan.c` makes it; undefined where the places are too large. */
  sum(): bigint | undefined {
    if (this.#parts > 1) return undefined;
    let sum = 0n;
    const scan = this.memory.scan(RESERVED, { at: AT, bits: this.bytes * 8 });
    for (let n; (n = scan.next()) > 0;) {
      for (let i = 0; i < n; i += 2) {
        sum = BigInt.asUintN(64, sum * 31n + BigInt(scan.edges[i]! * 7 + scan.edges[i + 1]!));
      }
    }
    return sum;
  }
}
