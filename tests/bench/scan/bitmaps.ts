import { setBits } from "../../../lib/dirty/scan.ts";
import { Random } from "../../unit/random.ts";

/** What a bitmap is like, and how to make it from one that is all zero. */
export const DENSITIES: Readonly<Record<string, (words: Uint32Array) => void>> = {
  "zero": () => {},
  "0.01 %": (words) => scatter(words, 0.0001),
  "1 %": (words) => scatter(words, 0.01),
  "64-page runs": (words) => {
    // 5 % of the pages, in runs of 64 that begin anywhere.
    const random = new Random(64);
    const bits = words.length * 32;
    for (let at = random.below(2400); at + 64 < bits; at += 64 + 1 + random.below(2431)) {
      setBits(words, at, at + 64);
    }
  },
  "50 %": (words) => {
    const random = new Random(50);
    for (let i = 0; i < words.length; i += 1) words[i] = random.word();
  },
  "ones": (words) => {
    words.fill(0xffff_ffff);
  },
};

function scatter(words: Uint32Array, density: number): void {
  const random = new Random(density * 1e6);
  const pages = words.length * 32;
  for (let i = Math.round(pages * density); i > 0; i -= 1) {
    const page = random.below(pages);
    words[page >>> 5]! |= 1 << (page & 31);
  }
}
