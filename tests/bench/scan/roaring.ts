/**
 * The one module that reaches roaring-wasm, compressed sets of numbers: what somebody would keep dirty
 * pages in who has no bitmap of VFIO's. Where it is not in Deno's cache it is not compared with.
 *
 * @module
 */

import { setBitsOf } from "./set_bits.ts";

/** Exact, and not in the imports of deno.json: nothing but this comparison may want it. */
const ROARING = "npm:roaring-wasm@1.1.0";
/** Numbers that are added at a time: with all at once the package trips over its growing memory. */
const BATCH = 1 << 16;

interface Bitmap32 {
  addMany(values: Uint32Array): unknown;
  toUint32Array(): Uint32Array;
  dispose(): unknown;
}

interface Roaring {
  readonly RoaringBitmap32: new () => Bitmap32;
  roaringLibraryInitialize(): Promise<void>;
}

/** Runs of a bitmap by way of a set. */
export class RoaringRuns {
  readonly #package: Roaring;
  readonly #batch = new Uint32Array(BATCH);

  private constructor(roaring: Roaring) {
    this.#package = roaring;
  }

  /** Loads the package; a text where that is not possible. */
  static async load(): Promise<RoaringRuns | string> {
    try {
      const roaring = await import(ROARING) as unknown as Roaring;
      await roaring.roaringLibraryInitialize();
      return new RoaringRuns(roaring);
    } catch {
      return `${ROARING} is not in Deno's cache: deno cache ${ROARING} fetches it`;
    }
  }

  /** Adds the pages of a bitmap to a set, and counts the runs of its sorted numbers. */
  find(words: Uint32Array): bigint {
    const set = new this.#package.RoaringBitmap32();
    setBitsOf(words, this.#batch, (numbers) => set.addMany(numbers));
    let runs = 0;
    let last = -2;
    for (const page of set.toUint32Array()) {
      if (page !== last + 1) runs += 1;
      last = page;
    }
    set.dispose();
    return BigInt(runs);
  }
}
