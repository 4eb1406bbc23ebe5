import { ADDRESSES, EDGES, MOST_EDGES, MOST_RUNS, STATE } from "./area.ts";
import type { BitMemory, Chunk, EdgeScan } from "./kernels.ts";
import { SCAN_WASM } from "./scan_wasm.ts";

const PAGE = 65536;

/** What the module exports; numbers come back signed. */
interface Exports {
  prepare(): void;
  count(at: number, bits: number): number;
  any(at: number, bits: number): number;
  first(at: number, bits: number): number;
  last(at: number, bits: number): number;
  or(into: number, from: number, bytes: number): void;
  and(into: number, from: number, bytes: number): void;
  andNot(into: number, from: number, bytes: number): void;
  xor(into: number, from: number, bytes: number): number;
  distance(a: number, b: number, bits: number): number;
  cells(at: number, bits: number, cellBits: number, into: number): void;
  runs(area: number): number;
  expand(edges: number, count: number, iova: bigint, shift: bigint, into: number): void;
}

let compiled: WebAssembly.Module | undefined;

function compile(): WebAssembly.Module | undefined {
  if (typeof WebAssembly === "undefined") return undefined;
  const binary = Uint8Array.fromBase64(SCAN_WASM);
  return WebAssembly.validate(binary) ? new WebAssembly.Module(binary) : undefined;
}

class WasmScan implements EdgeScan {
  readonly edges: Uint32Array<ArrayBuffer>;
  readonly #addresses: BigUint64Array<ArrayBuffer>;
  readonly #state: Uint32Array<ArrayBuffer>;
  readonly #area: number;
  readonly #f: Exports;

  constructor(f: Exports, buffer: ArrayBuffer, area: number, chunk: Chunk) {
    this.#f = f;
    this.#area = area;
    this.#state = new Uint32Array(buffer, area, 16);
    this.edges = new Uint32Array(buffer, area + EDGES, MOST_EDGES + 80);
    this.#addresses = new BigUint64Array(buffer, area + ADDRESSES, 2 * MOST_RUNS);
    this.begin(chunk);
  }

  begin(chunk: Chunk): void {
    this.#state.fill(0);
    this.#set(chunk);
  }

  #set({ at, bits, hasMore = false }: Chunk): void {
    const s = this.#state;
    s[STATE.start] = at;
    s[STATE.bits] = bits;
    s[STATE.next] = at;
    s[STATE.take] = 0;
    s[STATE.listed] = 0;
    s[STATE.final] = hasMore ? 0 : 1;
    s[STATE.done] = 0;
  }

  next(): number {
    // A call that gives nothing is not the end yet: what it found may be the start of a run alone.
    const s = this.#state;
    while (s[STATE.done] === 0) {
      const edges = this.#f.runs(this.#area);
      if (edges > 0) return edges;
    }
    return 0;
  }

  addresses(edges: number, iova: bigint, shift: bigint): BigUint64Array<ArrayBuffer> {
    this.#f.expand(this.#area + EDGES, edges, iova, shift, this.#area + ADDRESSES);
    return this.#addresses;
  }

  follow(chunk: Chunk): void {
    const s = this.#state;
    s[STATE.base] = s[STATE.base]! + s[STATE.bits]!;
    this.#set(chunk);
  }
}

class WasmMemory implements BitMemory {
  readonly kind = "wasm";
  readonly buffer: ArrayBuffer;
  readonly #f: Exports;

  constructor(module: WebAssembly.Module, size: number) {
    const pages = Math.ceil(size / PAGE);
    // As large at most as at first: then it never moves, and no script can detach it.
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.buffer = memory.buffer as ArrayBuffer;
    this.#f = new WebAssembly.Instance(module, { env: { memory } })
      .exports as unknown as Exports;
    this.#f.prepare();
  }

  count(at: number, bits: number): number {
    return this.#f.count(at, bits) >>> 0;
  }

  any(at: number, bits: number): boolean {
    return this.#f.any(at, bits) !== 0;
  }

  first(at: number, bits: number): number {
    return this.#f.first(at, bits) >>> 0;
  }

  last(at: number, bits: number): number {
    return this.#f.last(at, bits) >>> 0;
  }

  or(into: number, from: number, bytes: number): void {
    this.#f.or(into, from, bytes);
  }

  and(into: number, from: number, bytes: number): void {
    this.#f.and(into, from, bytes);
  }

  andNot(into: number, from: number, bytes: number): void {
    this.#f.andNot(into, from, bytes);
  }

  xor(into: number, from: number, bytes: number): number {
    return this.#f.xor(into, from, bytes) >>> 0;
  }

  distance(a: number, b: number, bits: number): number {
    return this.#f.distance(a, b, bits) >>> 0;
  }

  cells(at: number, bits: number, cellBits: number, into: number): void {
    this.#f.cells(at, bits, cellBits, into);
  }

  scan(area: number, chunk: Chunk): EdgeScan {
    return new WasmScan(this.#f, this.buffer, area, chunk);
  }
}

/**
 * Makes memory with the WebAssembly kernels over it.
 *
 * @param size Bytes; it is rounded up to 64 KiB.
 * @returns Undefined where there is no WebAssembly, none with 128-bit SIMD, or no room for it.
 */
export function wasmMemory(size: number): BitMemory | undefined {
  compiled ??= compile();
  if (compiled === undefined) return undefined;
  try {
    return new WasmMemory(compiled, size);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
