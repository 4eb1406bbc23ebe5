import { missing } from "../row.ts";
import type { Bench } from "./bench.ts";
import { fasterRow, interleave, type MeasuredRow, type Side, timed } from "../measure.ts";
import { RoaringRuns } from "./roaring.ts";

type Target = readonly [must?: number, aim?: number];

/** Targets of the runs by density: against the better C loop, and against vectors. */
const TARGETS: Readonly<Record<string, readonly [loops: Target, vectors: Target]>> = {
  "zero": [[1, 1.3], [0.8, 0.95]],
  "0.01 %": [[1, 1.3], [0.8, 0.95]],
  "1 %": [[1, 2], [0.6, 0.8]],
  "64-page runs": [[0.75, 0.95], [0.5, 0.65]],
  "50 %": [[1, 2], [0.45, 0.6]],
  "ones": [[1, 1.3], [0.8, 0.95]],
};
/** What somebody would keep in a set of numbers at all: of a half, a set takes seconds. */
const IN_SETS = ["0.01 %", "1 %", "64-page runs"];

/** Somebody to compare with. */
interface Rival {
  readonly name: string;
  readonly target: Target;
  /** Of several ways the best counts; a text says why there is none. */
  readonly sides: readonly Side[] | string;
}

const VECTORS: Readonly<Record<string, string>> = { "512": "AVX-512 C", "2": "AVX2 C" };
/** What `scan_simd.c` says where it has compressed bytes. */
const COMPRESSES_BYTES = "513";

/** Plain C, and C with the widest vectors. */
async function native(bench: Bench, density: string): Promise<Rival[]> {
  const [loops, vectors] = TARGETS[density]!;
  const { native } = bench.others;
  const level = String((await native.run("simd-level", 0))[1]);
  const rivals: Rival[] = [
    { name: "C loops", target: loops, sides: [bench.c("next"), bench.c("edges")] },
    {
      name: VECTORS[level] ?? "AVX C",
      target: vectors,
      sides: level in VECTORS ? [bench.c("simd")] : "this processor has neither AVX-512 nor AVX2",
    },
  ];
  if (String((await native.run("bytes-level", 0))[1]) === COMPRESSES_BYTES) {
    // No target: WebAssembly has nothing like it, so the row only says what that is worth.
    rivals.push({ name: "AVX-512 VBMI2 C", target: [], sides: [bench.c("bytes")] });
  }
  return rivals;
}

/** What a user would pick instead, where it is installed. */
async function picked(bench: Bench, density: string, found: bigint): Promise<Rival[]> {
  if (!IN_SETS.includes(density)) return [];
  const roaring = await RoaringRuns.load();
  if (typeof roaring !== "string") expectSame("roaring-wasm", roaring.find(bench.words(0)), found);
  const { numpy } = bench.others;
  if (numpy !== undefined) {
    await bench.share(numpy);
    expectSame("numpy", (await numpy.run("runs", 0))[1], found);
  }
  return [
    {
      name: "roaring-wasm",
      target: [6, 10],
      sides: typeof roaring === "string"
        ? roaring
        : [() => timed(() => roaring.find(bench.words(0)))],
    },
    {
      name: "numpy",
      target: [15, 30],
      sides: numpy === undefined
        ? "python3 with numpy is not installed"
        : [async () => (await numpy.run("runs", 0))[0]],
    },
  ];
}

function expectSame(name: string, theirs: bigint, ours: bigint): void {
  if (theirs !== ours) throw new Error(`${name} finds ${theirs} runs, we ${ours}`);
}

/** Everybody finds the same runs, and in C at the same places. */
async function agree(bench: Bench, density: string): Promise<bigint> {
  const found = bench.ours();
  const hasVectors = (await bench.others.native.run("simd-level", 0))[1] !== 0n;
  const loops = ["next", "edges", ...hasVectors ? ["simd", "bytes"] : []];
  for (const loop of loops) await bench.same(loop, found);
  if (!bench.isLarge) expectSame("TypeScript", bench.twin(), found);
  const sum = density === "0.01 %" ? bench.sum() : undefined;
  if (sum !== undefined) { for (const loop of loops) await bench.same(`sum-${loop}`, sum); }
  return found;
}

/** Measures the runs of one density against everybody, one after the other, each in turns with us. */
export async function runRows(bench: Bench, density: string): Promise<MeasuredRow[]> {
  await bench.load(0, density);
  const found = await agree(bench, density);
  const rivals = [
    ...await native(bench, density),
    ...bench.isLarge ? [] : [
      { name: "TypeScript", target: [1.5, 3], sides: [() => timed(bench.twin)] } as const,
      ...await picked(bench, density, found),
    ],
  ];
  const rows: MeasuredRow[] = [];
  for (const { name: rival, target: [must, aim], sides } of rivals) {
    const name = `runs, ${density}, ${bench.size} / ${rival}`;
    if (typeof sides === "string") {
      rows.push({ ...missing(name, must ?? 0, sides), isOptional: true });
      continue;
    }
    const wanted = { name, must, aim, amount: bench.bytes, unit: "GB/s" } as const;
    const each: MeasuredRow[] = [];
    for (const side of sides) {
      // One at a time: what a third one leaves in the caches would be for one side only.
      const [ours, theirs] = await interleave([() => timed(bench.ours), side], bench.rounds);
      each.push(fasterRow(wanted, ours!, [theirs!]));
    }
    rows.push(each.reduce((a, b) => b.figure < a.figure ? b : a));
  }
  return rows;
}
