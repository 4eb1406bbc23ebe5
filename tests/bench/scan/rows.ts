import { AREA_BYTES, RESERVED } from "../../../lib/dirty/area.ts";
import { copyBitmap } from "../../../lib/dirty/arena.ts";
import type { BitMemory, EdgeScan } from "../../../lib/dirty/kernels.ts";
import { WordScan } from "../../../lib/dirty/twin_memory.ts";
import { wasmMemory } from "../../../lib/dirty/wasm_memory.ts";
import { DirtyWindow } from "../../../lib/dirty/window.ts";
import { missing, type Row } from "../row.ts";
import { DENSITIES } from "./bitmaps.ts";
import { costRow, fasterRow, interleave, ROUNDS, timed } from "./measure.ts";
import { Native } from "./native.ts";

const AT = Math.ceil((RESERVED + AREA_BYTES) / 65536) * 65536;
/** Pages of a cell of the heat map, as `scan.c` has them. */
const CELL = 32768;
/**
 * Bytes between two bitmaps. At a distance that is a power of two their words fall into the same sets
 * of the caches: from 256 MiB on that makes it three times as slow, by no fault of the kernels.
 */
const GAP = 65536 + 4096;
/** Most bytes of one bitmap: type1 gives no more, and a place in it fits in 32 bits. */
const MOST = 256 << 20;

/** Targets of the runs by density: against the better C loop. */
const RUNS: Readonly<Record<string, readonly [must: number, aim: number]>> = {
  "zero": [1, 1.3],
  "0.01 %": [1, 1.3],
  "1 %": [1, 2],
  "64-page runs": [0.75, 0.95],
  "50 %": [1, 2],
  "ones": [1, 1.3],
};

/** What is measured. */
class Bench {
  readonly bytes: number;
  readonly #parts: number;
  readonly #part: number;
  readonly #memory: BitMemory;
  readonly #native: Native;
  readonly #size: string;
  /** A large bitmap shows what memory allows: a few rounds do, and TypeScript is left out. */
  readonly #isLarge: boolean;
  readonly #rounds: number;

  constructor(memory: BitMemory, native: Native, bytes: number) {
    this.#memory = memory;
    this.#native = native;
    this.bytes = bytes;
    this.#part = Math.min(bytes, MOST);
    this.#parts = bytes / this.#part;
    this.#size = `${bytes >> 20} MiB`;
    this.#isLarge = bytes > 32 << 20;
    this.#rounds = this.#isLarge ? 5 : ROUNDS;
  }

  #words(slot: number): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.#memory.buffer, AT + slot * (this.bytes + GAP), this.bytes / 4);
  }

  async #load(slot: number, density: string): Promise<void> {
    const words = this.#words(slot);
    words.fill(0);
    DENSITIES[density]!(words);
    await this.#native.load(
      slot,
      new Uint8Array(words.buffer, words.byteOffset, words.byteLength),
    );
  }

  /** Does something for each part of the bitmap. */
  #each(work: (at: number, bits: number) => number | void): number {
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
    this.#each((at, bits) => {
      const chunk = { at, bits, hasMore: at + this.#part < AT + this.bytes };
      if (scan === undefined) scan = make(chunk);
      else scan.follow(chunk);
      for (let n; (n = scan.next()) > 0;) edges += n;
    });
    return BigInt(edges / 2);
  }

  readonly #ours = (): bigint => this.#scan((chunk) => this.#memory.scan(RESERVED, chunk));

  readonly #twin = (): bigint =>
    this.#scan((chunk) =>
      new WordScan(({ at, bits }) => new Uint32Array(this.#memory.buffer, at, bits / 32), chunk)
    );

  /** Both sides must find the same, or the comparison is none. */
  async #same(what: string, ours: number | bigint, other = 0): Promise<void> {
    const [, theirs] = await this.#native.run(what, 0, other);
    if (BigInt(ours) !== theirs) throw new Error(`${what}: ${ours} here, ${theirs} in C`);
  }

  #c(what: string): () => Promise<number> {
    return async () => (await this.#native.run(what, 0, 1))[0];
  }

  /** The checksum of all places, as `scan.c` makes it. */
  #sum(): bigint {
    let sum = 0n;
    const scan = this.#memory.scan(RESERVED, { at: AT, bits: this.bytes * 8 });
    for (let n; (n = scan.next()) > 0;) {
      for (let i = 0; i < n; i += 2) {
        sum = BigInt.asUintN(64, sum * 31n + BigInt(scan.edges[i]! * 7 + scan.edges[i + 1]!));
      }
    }
    return sum;
  }

  async runs(density: string): Promise<Row[]> {
    await this.#load(0, density);
    const found = this.#ours();
    for (const loop of ["next", "edges"]) await this.#same(loop, found);
    if (!this.#isLarge && this.#twin() !== found) throw new Error("TypeScript finds other runs");
    if (density === "0.01 %" && this.#parts === 1) await this.#same("sum-next", this.#sum());
    const [ours, next, edges, twin] = await interleave([
      () => timed(this.#ours),
      this.#c("next"),
      this.#c("edges"),
      ...this.#isLarge ? [] : [() => timed(this.#twin)],
    ], this.#rounds) as [number[], number[], number[], number[]?];
    const amount = this.bytes;
    const [must, aim] = RUNS[density]!;
    const name = `runs, ${density}, ${this.#size}`;
    return [
      fasterRow({ name: `${name} / C loops`, must, aim, amount, unit: "GB/s" }, ours, [
        next,
        edges,
      ]),
      ...twin === undefined ? [] : [
        fasterRow(
          { name: `${name} / TypeScript`, must: 1.5, aim: 3, amount, unit: "GB/s" },
          ours,
          [twin],
        ),
      ],
    ];
  }

  /** Count, or, xor with count, distance and heat map: none of them depends on the bits. */
  async words(): Promise<Row[]> {
    await this.#load(0, "50 %");
    await this.#load(1, "1 %");
    const { bytes } = this;
    const other = bytes + GAP;
    const cells = AT + 2 * other;
    const memory = this.#memory;
    const count = (): number => this.#each((at, bits) => memory.count(at, bits));
    const distance = (): number => this.#each((at, bits) => memory.distance(at, at + other, bits));
    const xor = (): number => this.#each((at, bits) => memory.xor(at, at + other, bits / 8));
    const or = (): number => this.#each((at, bits) => memory.or(at, at + other, bits / 8));
    const heat = (): number => {
      this.#each((at, bits) => memory.cells(at, bits, CELL, cells + (at - AT) * 8 / CELL * 4));
      return new Uint32Array(memory.buffer, cells)[bytes * 8 / CELL - 1]!;
    };
    const large = this.#isLarge;
    const rows: [string, () => number, number, number][] = [
      ["count", count, large ? 0.75 : 0.6, large ? 0.9 : 0.75],
      ["heat", heat, 0.5, 0.6],
      ["distance", distance, 0.5, 0.6],
      ["xor", xor, 0.5, 0.6],
      ["or", or, 0.75, 0.9],
    ];
    const result: Row[] = [];
    for (const [what, call, must, aim] of rows) {
      await this.#same(what, call(), 1);
      const [ours, theirs] = await interleave(
        [() => timed(call), this.#c(what)],
        this.#rounds,
      ) as [number[], number[]];
      const name = `${NAMES[what]}, ${this.#size} / C`;
      result.push(fasterRow({ name, must, aim, amount: bytes, unit: "GB/s" }, ours, [theirs]));
    }
    return result;
  }
}

const NAMES: Readonly<Record<string, string>> = {
  count: "count",
  heat: "heat map of 32768-page cells",
  distance: "bits that differ",
  xor: "xor with count",
  or: "or",
};

/** The three ways to the runs of a window. */
async function ways(bytes: number): Promise<Row[]> {
  const words = new Uint32Array(bytes / 4);
  DENSITIES["1 %"]!(words);
  const window = new DirtyWindow({
    iova: 1n << 32n,
    size: BigInt(bytes * 8) << 12n,
    pageSize: 4096n,
    label: "written",
    bitmap: copyBitmap(words),
  });
  let [inObjects, inBatches, inCalls, runs] = [0, 0, 0, 0];
  const [objects, batches, calls] = await interleave([
    () =>
      timed(() => {
        inObjects = 0;
        for (const { pages } of window.runs()) inObjects += pages;
      }),
    () =>
      timed(() => {
        inBatches = runs = 0;
        for (const batch of window.runBatches()) {
          for (let i = 0; i < batch.length; i += 2) inBatches += batch[i + 1]! - batch[i]!;
          runs += batch.length / 2;
        }
      }),
    () =>
      timed(() => {
        inCalls = 0;
        window.forEachRun((first, end) => inCalls += end - first);
      }),
  ]) as [number[], number[], number[]];
  if (inObjects !== inBatches || inCalls !== inBatches) throw new Error("The ways differ");
  const wanted = { amount: runs, unit: "ns/run" } as const;
  return [
    costRow({ ...wanted, name: "runs() / runBatches(), 1 %", must: 6, aim: 4 }, objects, batches),
    costRow({ ...wanted, name: "forEachRun() / runBatches(), 1 %", must: 3 }, calls, batches),
  ];
}

/**
 * Measures the scan kernels.
 *
 * @param mebibytes The size of a bitmap.
 */
export async function scanRows(mebibytes: number): Promise<Row[]> {
  const bytes = mebibytes << 20;
  const memory = wasmMemory(AT + 2 * (bytes + GAP) + bytes / CELL * 32 + 65536);
  if (memory === undefined) return [missing("scan", 1, "no WebAssembly with SIMD")];
  await using native = await Native.start();
  if (native === undefined) return [missing("scan", 1, "no C compiler: install gcc")];
  const bench = new Bench(memory, native, bytes);
  const rows: Row[] = [];
  for (const density of Object.keys(DENSITIES)) rows.push(...await bench.runs(density));
  rows.push(...await bench.words());
  if (mebibytes === 32) rows.push(...await ways(bytes));
  return rows;
}
