import { AREA_BYTES, RESERVED } from "./area.ts";
import { CHUNK_PAGES } from "./chunk_size.ts";
import type { BitMemory, EdgeScan } from "./kernels.ts";
import { twinMemory } from "./twin_memory.ts";
import { wasmMemory } from "./wasm_memory.ts";

/** How two bitmaps are combined. */
export type Combine = "or" | "and" | "andNot" | "xor";

const BYTES = CHUNK_PAGES / 8;
const A = RESERVED + AREA_BYTES;
/** Not a page apart: a load would wait for the store that has the same place in its page. */
const B = A + BYTES + 512;

/**
 * Where the scan kernels work on the bits of a chunk: they are copied in, and the result out, before
 * anything else can run. All sets of pages share one.
 */
class Pad {
  readonly #memory: BitMemory = wasmMemory(B + BYTES) ?? twinMemory(B + BYTES);
  readonly #a = new Uint32Array(this.#memory.buffer, A, BYTES / 4);
  readonly #b = new Uint32Array(this.#memory.buffer, B, BYTES / 4);
  readonly #scan: EdgeScan = this.#memory.scan(RESERVED, { at: A, bits: 0 });

  /** How many bits are set. */
  count(words: Uint32Array): number {
    this.#a.set(words);
    return this.#memory.count(A, CHUNK_PAGES);
  }

  /** Puts into the first words what both give. */
  combine(into: Uint32Array, from: Uint32Array, how: Combine): void {
    this.#a.set(into);
    this.#b.set(from);
    this.#memory[how](A, B, BYTES);
    into.set(this.#a);
  }

  /**
   * Finds the runs: first bit, bit behind the last, and so on.
   *
   * @param most No more batches are taken when there are more edges than this.
   */
  edges(words: Uint32Array, most: number): number[] {
    this.#a.set(words);
    this.#scan.begin({ at: A, bits: CHUNK_PAGES });
    const found: number[] = [];
    for (let n; found.length <= most && (n = this.#scan.next()) > 0;) {
      for (let i = 0; i < n; i += 1) found.push(this.#scan.edges[i]!);
    }
    return found;
  }
}

let pad: Pad | undefined;

/** The pad; made when it is first needed. */
export function sharedPad(): Pad {
  return pad ??= new Pad();
}
