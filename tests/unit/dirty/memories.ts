import { AREA_BYTES, RESERVED } from "../../../lib/dirty/area.ts";
import type { BitMemory, EdgeScan } from "../../../lib/dirty/kernels.ts";
import { twinMemory } from "../../../lib/dirty/twin_memory.ts";
import { wasmMemory } from "../../../lib/dirty/wasm_memory.ts";
import { wordsOf } from "./oracle.ts";

/** Bytes from the start of a memory to its first bitmap: an area lies before it. */
export const AT: number = RESERVED + AREA_BYTES + 64;
/** Where a second bitmap lies, and where cells go. */
export const OTHER: number = AT + (1 << 17);
/** Where the area of a second scan lies. */
export const SECOND_AREA: number = OTHER + (1 << 17);

const SIZE = SECOND_AREA + AREA_BYTES;

/** The WebAssembly memory; it must be there: the machine that tests has SIMD. */
export function wasm(): BitMemory {
  const memory = wasmMemory(SIZE);
  if (memory === undefined) throw new Error("There is no WebAssembly with SIMD here");
  return memory;
}

/** Both that must give the same, by name. */
export const MEMORIES: Readonly<Record<string, BitMemory>> = {
  WebAssembly: wasm(),
  TypeScript: twinMemory(SIZE),
};

/** Puts bits somewhere, with other bits right before and behind them that must not be seen. */
export function put(memory: BitMemory, at: number, text: string, around = "1"): void {
  const words = wordsOf(text, around);
  const all = new Uint32Array(memory.buffer);
  all.fill(around === "1" ? 0xffff_ffff : 0, at / 4 - 4, at / 4 + words.length + 4);
  all.set(words, at / 4);
}

/** All edges that a scan finds from here on. */
export function rest(scan: EdgeScan, into: number[] = []): number[] {
  for (let n; (n = scan.next()) > 0;) {
    if (n % 2 !== 0) throw new Error(`A batch has ${n} edges: half a run`);
    for (let i = 0; i < n; i += 1) into.push(scan.edges[i]!);
  }
  return into;
}

/** All edges of a bitmap, found chunk by chunk; the bits of each chunk lie at the same place. */
export function edges(memory: BitMemory, text: string, cuts: readonly number[] = []): number[] {
  const ends = [...cuts, text.length];
  const found: number[] = [];
  let scan: EdgeScan | undefined;
  let from = 0;
  for (const [i, to] of ends.entries()) {
    put(memory, AT, text.slice(from, to), i % 2 === 0 ? "1" : "0");
    const chunk = { at: AT, bits: to - from, hasMore: i < ends.length - 1 };
    if (scan === undefined) scan = memory.scan(RESERVED, chunk);
    else scan.follow(chunk);
    rest(scan, found);
    from = to;
  }
  return found;
}
