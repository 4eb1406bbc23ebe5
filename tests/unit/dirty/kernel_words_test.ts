import { equal } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";
import { Random } from "../random.ts";
import { AT, MEMORIES, OTHER, put, SECOND_AREA } from "./memories.ts";
import { textOf } from "./oracle.ts";

const CELLS = SECOND_AREA;

/** What the simplest reading of a text gives. */
const ones = (text: string): number => text.split("1").length - 1;

const orLength = (place: number, text: string): number => place < 0 ? text.length : place;

/** A text of whole words. */
function randomText(random: Random, words: number): string {
  const density = random.pick([0, 0.01, 0.5, 0.99, 1]);
  return Array.from({ length: words * 64 }, () => random.chance(density) ? "1" : "0").join("");
}

/** Lengths around each step of a kernel: a word, 32, 64 and 256 bytes. */
const LENGTHS = [...Array(200).keys(), 255, 256, 257, 511, 512, 513, 1023, 1024, 1025]
  .concat(Array.from({ length: 40 }, (_, i) => 2040 + i), [4096, 4159, 6144]);

/** The same around what is counted at two places side by side: from 2 KiB on, and 8 KiB at a time. */
const WIDE = [2048, 2048 + 256, 4096 + 8, 8192, 8192 + 1024, 8192 + 2048, 16384, 16384 + 2304]
  .flatMap((bytes) => [-65, -64, -1, 0, 1, 64, 1024, 2048].map((by) => 8 * bytes + by));

for (const [name, memory] of Object.entries(MEMORIES)) {
  const agree = (text: string): void => {
    for (const around of ["0", "1", "01"]) {
      put(memory, AT, text, around);
      const bits = text.length;
      equal([
        memory.count(AT, bits),
        memory.any(AT, bits),
        memory.first(AT, bits),
        memory.last(AT, bits),
      ], [
        ones(text),
        text.includes("1"),
        orLength(text.indexOf("1"), text),
        orLength(text.lastIndexOf("1"), text),
      ], `${bits} bits, ${around} around them`);
    }
  };

  describe(`count, any, first and last in ${name}`, () => {
    it("are right for every bitmap of up to 10 bits", () => {
      for (let bits = 0; bits <= 10; bits += 1) {
        for (let value = 0; value < 1 << bits; value += 1) {
          agree(value.toString(2).padStart(bits, "0").slice(0, bits));
        }
      }
    });

    it("see nothing behind the last bit, and all before it, at every length", () => {
      for (const bits of LENGTHS) {
        agree("0".repeat(bits));
        agree("1".repeat(bits));
      }
    });

    it("count at two places side by side what is long enough for that", () => {
      const random = new Random(9);
      for (const bits of WIDE) {
        const text = randomText(random, (bits >> 6) + 1).slice(0, bits);
        for (const around of ["0", "1"]) {
          put(memory, AT, text, around);
          equal(memory.count(AT, bits), ones(text), `${bits} bits`);
        }
        agree("1".repeat(bits));
      }
    });

    it("find a single bit wherever it is", () => {
      for (const bits of [1, 63, 64, 65, 511, 512, 513, 1150]) {
        for (let at = 0; at < bits; at += 1) {
          agree("0".repeat(at) + "1" + "0".repeat(bits - at - 1));
        }
      }
    });

    it("are right at random", () => {
      const random = new Random(8);
      for (let round = 0; round < 200; round += 1) {
        agree(randomText(random, 1 + random.below(100)).slice(random.below(64)));
      }
    });
  });

  describe(`two bitmaps in ${name}`, () => {
    const random = new Random(11);
    const bit = (on: boolean): string => on ? "1" : "0";
    const both = (a: string, b: string, f: (x: boolean, y: boolean) => boolean): string =>
      [...a].map((x, i) => bit(f(x === "1", b[i] === "1"))).join("");
    const operations: Readonly<Record<string, (x: boolean, y: boolean) => boolean>> = {
      or: (x, y) => x || y,
      and: (x, y) => x && y,
      andNot: (x, y) => x && !y,
      xor: (x, y) => x !== y,
    };

    for (const [operation, expected] of Object.entries(operations)) {
      it(`${operation}, of every length up to 40 words, and no word more`, () => {
        for (let words = 0; words <= 40; words += 1) {
          const [a, b] = [randomText(random, words), randomText(random, words)];
          for (const [around, behind] of ["00", "01", "10", "11"]) {
            put(memory, AT, a, around);
            // One of these is such that one word more would be seen.
            put(memory, OTHER, b, behind);
            const result = memory[operation as "or" | "xor"](AT, OTHER, words * 8);
            const all = textOf(new Uint32Array(memory.buffer, AT - 8, words * 2 + 4));
            const edge = around!.repeat(64);
            equal(all, edge + both(a, b, expected) + edge, `${words} words`);
            equal(textOf(new Uint32Array(memory.buffer, OTHER, words * 2)), b);
            if (operation === "xor") equal(result, ones(both(a, b, expected)));
          }
        }
      });
    }

    it("distance, of every length up to 330 bits", () => {
      for (let bits = 0; bits <= 330; bits += 1) {
        const [a, b] = [randomText(random, 6).slice(0, bits), randomText(random, 6).slice(0, bits)];
        put(memory, AT, a, "0");
        put(memory, OTHER, b, "1");
        equal(
          memory.distance(AT, OTHER, bits),
          ones(both(a, b, operations["xor"]!)),
          `${bits} bits`,
        );
      }
    });
  });

  describe(`cells in ${name}`, () => {
    it("count the bits of each, the last one as short as it is, and write no more", () => {
      const random = new Random(12);
      for (const bits of [0, 1, 63, 64, 65, 640, 2048, 2049, 4096, 6143, 6144, 8200]) {
        const text = randomText(random, 140).slice(0, bits);
        put(memory, AT, text);
        for (const cellBits of [64, 128, 192, 448, 512, 2048, 2112, 4096, 32768]) {
          const expected: number[] = [];
          for (let from = 0; from < bits; from += cellBits) {
            expected.push(ones(text.slice(from, from + cellBits)));
          }
          const cells = new Uint32Array(memory.buffer, CELLS, 200).fill(7777);
          memory.cells(AT, bits, cellBits, CELLS);
          equal([...cells.subarray(0, expected.length + 1)], [...expected, 7777], `${cellBits}`);
        }
      }
    });

    it("of 1 KiB and more are counted two at a time, whatever lies behind the last pair", () => {
      const random = new Random(13);
      for (const cellBits of [8128, 8192, 8256, 9216, 9280, 32768, 65472, 65536, 65600, 100_032]) {
        for (
          const [cells, rest] of [[1, 64], [2, 0], [3, 65], [4, 1], [5, cellBits - 1]] as const
        ) {
          const bits = Math.min(cells * cellBits + rest, 800_000);
          const text = randomText(random, (bits >> 6) + 1).slice(0, bits);
          put(memory, AT, text);
          const expected: number[] = [];
          for (let from = 0; from < bits; from += cellBits) {
            expected.push(ones(text.slice(from, from + cellBits)));
          }
          const found = new Uint32Array(memory.buffer, CELLS, 200).fill(7777);
          memory.cells(AT, bits, cellBits, CELLS);
          equal([...found.subarray(0, expected.length + 1)], [...expected, 7777], `${cellBits}`);
        }
      }
    });
  });
}

describe("WebAssembly and TypeScript", () => {
  it("give the same on a million random bits", () => {
    const { WebAssembly: one, TypeScript: other } = MEMORIES as Required<typeof MEMORIES>;
    const random = new Random(77);
    const words = Uint32Array.from({ length: (1 << 17) / 4 }, () => random.word() & random.word());
    for (const memory of [one!, other!]) {
      new Uint32Array(memory.buffer, AT, words.length).set(words);
    }
    for (const bits of [(1 << 20) - 65, (1 << 20) - 1, 1 << 20]) {
      equal(one!.count(AT, bits), other!.count(AT, bits));
      equal(one!.distance(AT, AT + 8, bits - 64), other!.distance(AT, AT + 8, bits - 64));
    }
  });
});
