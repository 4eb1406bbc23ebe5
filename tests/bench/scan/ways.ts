import { copyBitmap } from "../../../lib/dirty/arena.ts";
import { DirtyWindow } from "../../../lib/dirty/window.ts";
import { DENSITIES } from "./bitmaps.ts";
import { costRow, interleave, type MeasuredRow, timed } from "../measure.ts";

/** Compares the three ways to the runs of a window. */
export async function wayRows(bytes: number): Promise<MeasuredRow[]> {
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
  const wanted = { amount: runs, unit: "ns" } as const;
  return [
    costRow({ ...wanted, name: "runs() / runBatches(), 1 %", must: 6, aim: 4 }, objects, batches),
    costRow({ ...wanted, name: "forEachRun() / runBatches(), 1 %", must: 3 }, calls, batches),
  ];
}
