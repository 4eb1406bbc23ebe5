import { AT, type Bench, GAP } from "./bench.ts";
import { fasterRow, interleave, type MeasuredRow, timed } from "../measure.ts";

/** Pages of a cell of the heat map, as `scan.c` has them. */
const CELL = 32768;

const NAMES: Readonly<Record<string, string>> = {
  count: "count",
  heat: "heat map of 32768-page cells",
  distance: "bits that differ",
  xor: "xor with count",
  or: "or",
};

/** Measures count, or, xor with count, distance and heat map: none of them depends on the bits. */
export async function wordRows(bench: Bench): Promise<MeasuredRow[]> {
  await bench.load(0, "50 %");
  await bench.load(1, "1 %");
  const { bytes, memory } = bench;
  const other = bytes + GAP;
  const cells = AT + 2 * other;
  const count = (): number => bench.each((at, bits) => memory.count(at, bits));
  const distance = (): number => bench.each((at, bits) => memory.distance(at, at + other, bits));
  const xor = (): number => bench.each((at, bits) => memory.xor(at, at + other, bits / 8));
  const or = (): number => bench.each((at, bits) => memory.or(at, at + other, bits / 8));
  const heat = (): number => {
    bench.each((at, bits) => memory.cells(at, bits, CELL, cells + (at - AT) * 8 / CELL * 4));
    return new Uint32Array(memory.buffer, cells)[bytes * 8 / CELL - 1]!;
  };
  const large = bench.isLarge;
  const rows: [string, () => number, number, number][] = [
    ["count", count, large ? 0.75 : 0.6, large ? 0.9 : 0.75],
    ["heat", heat, 0.5, 0.6],
    ["distance", distance, 0.5, 0.6],
    ["xor", xor, 0.5, 0.6],
    ["or", or, 0.75, 0.9],
  ];
  const result: MeasuredRow[] = [];
  for (const [what, call, must, aim] of rows) {
    await bench.same(what, call(), 1);
    const [ours, theirs] = await interleave(
      [() => timed(call), bench.c(what)],
      bench.rounds,
    ) as [number[], number[]];
    const name = `${NAMES[what]}, ${bench.size} / C`;
    result.push(fasterRow({ name, must, aim, amount: bytes, unit: "GB/s" }, ours, [theirs]));
  }
  return result;
}
