import { DirtyBits } from "../../../lib/model/dirty_bits.ts";
import { equal } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";
import { Random } from "../random.ts";

/** Words of 64 bits, of which a mapping's own bits end within the last but one. */
const WORDS = 5;
const PAGES = 230;

const mask = (from: number, to: number): bigint => ((1n << BigInt(to - from)) - 1n) << BigInt(from);

/** What the kernel does with its words, on one large number. */
const ORACLE = {
  set: (bits: bigint, from: number, to: number): bigint => bits | mask(from, to),
  clear: (bits: bigint, from: number, to: number): bigint => bits & ~mask(from, to),
  shift: (bits: bigint, count: number, words: number): bigint => {
    const inside = mask(0, words * 64);
    return (bits & ~inside) | ((bits & inside) << BigInt(count) & inside);
  },
};

function read(bits: DirtyBits): bigint {
  const words = new Uint32Array(WORDS * 2);
  bits.copy(0, words);
  return words.reduceRight((sum, word) => sum << 32n | BigInt(word), 0n);
}

describe("DirtyBits", () => {
  it("does what the kernel does with its words", () => {
    const random = new Random(7);
    for (let round = 0; round < 200; round += 1) {
      const bits = new DirtyBits();
      let expected = 0n;
      for (let step = 0; step < 30; step += 1) {
        const from = random.below(PAGES);
        const to = from + random.below(PAGES + 1 - from);
        const count = 1 + random.below(63);
        const words = Math.ceil((PAGES + count) / 64);
        const word = BigInt(random.word()) << 32n | BigInt(random.word());
        switch (random.below(4)) {
          case 0:
            bits.set(from, to);
            expected = ORACLE.set(expected, from, to);
            break;
          case 1:
            bits.clear(from, to);
            expected = ORACLE.clear(expected, from, to);
            break;
          case 2:
            bits.shift(count, words);
            expected = ORACLE.shift(expected, count, words);
            break;
          default:
            bits.orFirst(word);
            expected |= word;
        }
        equal(read(bits), expected, `round ${round}, step ${step}`);
      }
    }
  });

  it("copies any words, and overwrites what was there", () => {
    const bits = new DirtyBits();
    bits.set(60, 70);
    bits.set(127, 130);
    const words = new Uint32Array([7, 7, 7, 7]);
    bits.copy(1, words);
    equal([...words], [0x3f, 0x8000_0000, 3, 0]);
  });

  it("takes no room for what is dirty as a whole", () => {
    const bits = new DirtyBits();
    bits.set(0, 2 ** 31 - 1);
    equal(bits.runs, 1);
    bits.shift(63, 2 ** 25 + 1);
    bits.clear(0, 2 ** 31 - 1);
    equal(bits.runs, 1);
    const last = new Uint32Array(2);
    bits.copy(2 ** 25, last);
    equal([...last], [0xffff_ffff, 0x3fff_ffff]);
  });
});
