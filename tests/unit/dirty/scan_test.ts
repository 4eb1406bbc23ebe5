import { clearBits, countSet, nextClear, nextSet, setBits } from "../../../lib/dirty/scan.ts";
import { equal, ok } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";
import { Random } from "../random.ts";
import { bitsOf, naiveRuns, wordsOf } from "./oracle.ts";

/** The runs that the scan finds, as the window does it. */
function runs(words: Uint32Array, bits: number): [number, number][] {
  const found: [number, number][] = [];
  for (let end = 0;;) {
    const start = nextSet(words, end, bits);
    if (start === bits) return found;
    end = nextClear(words, start, bits);
    found.push([start, end]);
  }
}

/** Holds every function against the naive reading of the bits. */
function agree(text: string): void {
  const bits = text.length;
  // Bits behind the last one are none of the bitmap's, and must not be seen.
  for (const behind of ["0", "1", "01", "10"]) {
    const words = wordsOf(text, behind);
    equal(runs(words, bits), naiveRuns(text), text);
    equal(countSet(words, bits), bitsOf(text).length, text);
  }
}

describe("scan, exhaustively", () => {
  it("finds the runs of every bitmap of up to 12 bits", () => {
    for (let bits = 0; bits <= 12; bits += 1) {
      for (let value = 0; value < 1 << bits; value += 1) {
        agree(value.toString(2).padStart(bits, "0").slice(0, bits));
      }
    }
  });

  it("finds every single run in 70 bits", () => {
    for (let from = 0; from <= 70; from += 1) {
      for (let to = from; to <= 70; to += 1) {
        agree("0".repeat(from) + "1".repeat(to - from) + "0".repeat(70 - to));
      }
    }
  });

  it("starts anywhere", () => {
    const text = "0110".repeat(5) + "1".repeat(30) + "0".repeat(40) + "1010011";
    const words = wordsOf(text);
    for (let from = 0; from <= text.length; from += 1) {
      const set = text.indexOf("1", from);
      const clear = text.indexOf("0", from);
      equal(nextSet(words, from, text.length), set < 0 ? text.length : set);
      equal(nextClear(words, from, text.length), clear < 0 ? text.length : clear);
    }
  });
});

describe("scan at the edges of words", () => {
  const cases: Readonly<Record<string, string>> = {
    "nothing": "",
    "an empty word": "0".repeat(32),
    "a full word": "1".repeat(32),
    "the first bit": "1" + "0".repeat(99),
    "the last bit of a word": "0".repeat(31) + "1" + "0".repeat(32),
    "the first bit of a word": "0".repeat(32) + "1" + "0".repeat(31),
    "a straddle of 32": "0".repeat(31) + "11" + "0".repeat(31),
    "a straddle of 64": "0".repeat(63) + "11" + "0".repeat(63),
    "a run up to the end of a word": "0".repeat(20) + "1".repeat(12),
    "a run through three words": "0".repeat(31) + "1".repeat(34) + "0".repeat(31),
    "a last word that is not full": "0".repeat(64) + "1".repeat(5),
    "the last bit of a word that is not full": "0".repeat(211) + "1",
    "all ones, 212 pages": "1".repeat(212),
    "every other bit": "10".repeat(100),
  };
  for (const [name, text] of Object.entries(cases)) it(name, () => agree(text));

  it("long stretches, of every length around the steps of 8 words", () => {
    for (let words = 0; words < 40; words += 1) {
      for (const [a, b] of [["0", "1"], ["1", "0"]] as const) {
        agree(b + a.repeat(words * 32) + b);
        agree(b.repeat(40) + a.repeat(words * 32 + 7) + b.repeat(3));
        agree(a.repeat(words * 32));
      }
    }
  });

  it("ends at its last bit, whatever lies behind it", () => {
    for (let bits = 1; bits <= 32 * 32; bits += 1) {
      const words = new Uint32Array(36);
      setBits(words, bits, 36 * 32);
      equal([nextSet(words, 0, bits), countSet(words, bits)], [bits, 0]);
      words.forEach((word, i) => words[i] = ~word);
      equal([nextClear(words, 0, bits), countSet(words, bits)], [bits, bits]);
    }
  });
});

describe("scan, at random", () => {
  for (const density of [0.0005, 0.01, 0.1, 0.5, 0.9, 0.999]) {
    it(`with ${density * 100} % of the bits set`, () => {
      const random = new Random(density * 1e6);
      for (let round = 0; round < 60; round += 1) {
        const length = random.below(1500);
        agree(Array.from({ length }, () => random.chance(density) ? "1" : "0").join(""));
      }
    });
  }

  it("with runs of 64 pages", () => {
    const random = new Random(64);
    for (let round = 0; round < 60; round += 1) {
      const parts = Array.from({ length: random.below(30) }, () => random.chance(0.2) ? "1" : "0");
      agree("0".repeat(random.below(64)) + parts.map((bit) => bit.repeat(64)).join(""));
    }
  });

  it("counts 2^31 bits without a sign", () => {
    // The same empty memory stands for most of it: only the last word is read for its value.
    const words = new Uint32Array(2 ** 26);
    words[2 ** 26 - 1] = 0x8000_0000;
    equal(nextSet(words, 0, 2 ** 31), 2 ** 31 - 1);
    equal(nextClear(words, 2 ** 31 - 1, 2 ** 31), 2 ** 31);
    equal([countSet(words, 2 ** 31), countSet(words, 2 ** 31 - 1)], [1, 0]);
  });
});

describe("setBits and clearBits", () => {
  it("change the range and nothing else, for every range in 100 bits", () => {
    for (let from = 0; from <= 100; from += 1) {
      for (let to = from; to <= 100; to += 1) {
        const set = wordsOf("0".repeat(128));
        setBits(set, from, to);
        equal(bitsOf(set), Array.from({ length: to - from }, (_, i) => from + i));
        const clear = wordsOf("1".repeat(128));
        clearBits(clear, from, to);
        equal(bitsOf(clear).length, 128 - (to - from));
        ok(bitsOf(clear).every((bit) => bit < from || bit >= to));
      }
    }
  });

  it("do nothing for a range that is empty or the wrong way round", () => {
    const words = wordsOf("10".repeat(32));
    const before = bitsOf(words);
    for (const [from, to] of [[5, 5], [32, 32], [40, 3]] as const) {
      setBits(words, from, to);
      clearBits(words, from, to);
    }
    equal(bitsOf(words), before);
  });
});
