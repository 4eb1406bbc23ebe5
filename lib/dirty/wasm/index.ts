// What lib/dirty/scan_wasm.ts is made from: deno task wasm.
export { and, andNot, or, xor } from "./combine";
export { cells, count, distance } from "./count";
export { any, first, last } from "./find";
export { prepare } from "./places";
export { expand, runs } from "./runs";
