import { wasmMemory } from "../../../lib/dirty/wasm_memory.ts";
import { linux } from "../../../lib/sys/libc.ts";
import { onOneCpu } from "../one_cpu.ts";
import { type MeasuredRow, PASSES, pool } from "../measure.ts";
import { missing, type Row } from "../row.ts";
import { AT, Bench, GAP } from "./bench.ts";
import { DENSITIES } from "./bitmaps.ts";
import { Native } from "./native.ts";
import { runRows } from "./run_rows.ts";
import { wayRows } from "./ways.ts";
import { wordRows } from "./words.ts";

/**
 * Measures the scan kernels.
 *
 * @param mebibytes The size of a bitmap.
 */
export async function scanRows(mebibytes: number): Promise<Row[]> {
  const bytes = mebibytes << 20;
  // Two bitmaps, and a 32-bit number for each 1024 pages.
  const memory = wasmMemory(AT + 2 * (bytes + GAP) + bytes / 1024 + 65536);
  if (memory === undefined) return [missing("scan", 1, "no WebAssembly with SIMD")];
  // As a tracker does; scan.c asks for the same, so that both sides have pages of one kind.
  using _libc = linux.retain();
  linux.advise?.(linux.addressOf(new Uint8Array(memory.buffer)), "huge");
  using _cpu = onOneCpu();
  await using native = await Native.start();
  if (native === undefined) return [missing("scan", 1, "no C compiler: install gcc")];
  await using numpy = await Native.numpy();
  const bench = new Bench(memory, { native, numpy }, bytes);
  const passes: MeasuredRow[][] = [];
  for (let pass = 1; pass <= PASSES; pass += 1) {
    const rows: MeasuredRow[] = [];
    for (const density of Object.keys(DENSITIES)) rows.push(...await runRows(bench, density));
    rows.push(...await wordRows(bench));
    if (!bench.isLarge) rows.push(...await wayRows(bytes));
    passes.push(rows);
    console.error(`measuring: scan, ${bench.size}, pass ${pass} of ${PASSES} is done`);
  }
  return pool(passes);
}
