import { MOST_EDGES, RESERVED } from "../../../lib/dirty/area.ts";
import { sourceHash } from "../../wasm/source.ts";
import { SOURCE } from "../../../lib/dirty/scan_wasm.ts";
import { equal, ok } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";
import { Random } from "../random.ts";
import { AT, edges, MEMORIES, put, rest, SECOND_AREA, wasm } from "./memories.ts";
import { naiveRuns } from "./oracle.ts";

/** Texts are compared: long lists one by one would take most of the time. */
const same = (found: readonly number[], text: string): void => {
  const expected = naiveRuns(text).flat();
  if (found.join() !== expected.join()) equal(found, expected, text.slice(0, 5000));
};

it("the generated module is built from the sources that are here", async () => {
  equal(SOURCE, await sourceHash(), "lib/dirty/wasm was changed and not built: run deno task wasm");
});

for (const [name, memory] of Object.entries(MEMORIES)) {
  describe(`runs in ${name}`, () => {
    const agree = (text: string, cuts?: readonly number[]): void =>
      same(edges(memory, text, cuts), text);

    it("are those of every bitmap of up to 12 bits", () => {
      for (let bits = 0; bits <= 12; bits += 1) {
        for (let value = 0; value < 1 << bits; value += 1) {
          agree(value.toString(2).padStart(bits, "0").slice(0, bits));
        }
      }
    });

    it("are those of every 6 bits at every edge of a word, behind zeros and behind ones", () => {
      for (const word of [1, 2, 7, 8, 9, 15, 16, 17, 24]) {
        for (let value = 0; value < 64; value += 1) {
          const middle = value.toString(2).padStart(6, "0");
          for (const fill of ["0", "1"]) {
            const before = fill.repeat(word * 64 - 3);
            agree(before + middle);
            agree(before + middle + fill.repeat(61));
            agree(before + middle + fill.repeat(64 * 9 + 61));
          }
        }
      }
    });

    it("are those of every length up to 3 words, and around 8 and 16 words", () => {
      const lengths = [...Array(193).keys(), ...Array(5).keys().map((i) => 510 + i)];
      for (const bits of [...lengths, ...Array(5).keys().map((i) => 1022 + i)]) {
        agree("1".repeat(bits));
        agree("0".repeat(bits));
        agree("01".repeat(bits).slice(0, bits));
        agree("10".repeat(bits).slice(0, bits));
      }
    });

    it("end and begin at every edge of the 128 bytes that are skipped at once", () => {
      // Alone among bits that are all the same, behind the 8 words that are done apart.
      for (let word = 8; word <= 8 + 40; word += 1) {
        for (const at of [word * 64 - 1, word * 64]) {
          for (const length of [1, 64, 65]) {
            for (const [fill, other] of [["0", "1"], ["1", "0"]] as const) {
              agree(fill.repeat(at) + other.repeat(length) + fill.repeat(3200 - at));
            }
          }
        }
      }
    });

    it("end and begin at every edge of four stretches of 512 words that are read side by side", () => {
      // Behind the 8 words that are done apart: four stretches, and once more, and words behind them.
      const bits = (8 + 2 * 4 * 512 + 70) * 64;
      for (let edge = 0; edge <= 8; edge += 1) {
        for (const by of [-65, -64, -1, 0, 1, 63, 64, 65]) {
          const from = (8 + edge * 512) * 64 + by;
          for (const length of [1, 64, 512 * 64, 3 * 512 * 64 + 1]) {
            for (const [fill, other] of [["0", "1"], ["1", "0"]] as const) {
              agree((fill.repeat(from) + other.repeat(length)).padEnd(bits, fill).slice(0, bits));
            }
          }
        }
      }
    });

    it("are those of four stretches of which some are full, with an edge anywhere in one", () => {
      const stretch = 512 * 64;
      for (let full = 0; full < 16; full += 1) {
        const text = "0".repeat(8 * 64) +
          [0, 1, 2, 3].map((i) => String(full >> i & 1).repeat(stretch)).join("");
        agree(text);
        for (let i = 0; i < 4; i += 1) {
          // 64 bytes are looked at together: what comes behind depends on the last bit of them.
          for (const at of [0, 65, 511, 512, 639, 1023, stretch / 2, stretch - 513, stretch - 1]) {
            const place = 8 * 64 + i * stretch + at;
            const other = text[place] === "0" ? "1" : "0";
            agree(text.slice(0, place) + other + text.slice(place + 1));
          }
        }
      }
    });

    it("are those of four stretches in which every word has an edge, in all of them or in one", () => {
      const stretch = 512;
      const empty = "0".repeat(64 * stretch);
      for (const word of ["01".repeat(32), "1".padEnd(64, "0"), "0".repeat(63) + "1"]) {
        const dense = word.repeat(stretch);
        agree("0".repeat(8 * 64) + dense.repeat(4) + empty);
        for (let i = 0; i < 4; i += 1) {
          agree("0".repeat(8 * 64) + empty.repeat(i) + dense + empty.repeat(4 - i) + word);
        }
      }
    });

    it("end and begin at every edge of a block of 1024 words, listed in either way", () => {
      // The first 8 words are done apart, so that blocks begin behind them.
      for (const block of [8, 8 + 1024, 8 + 2048]) {
        for (const dense of [false, true]) {
          const head = (dense ? "0110".repeat(16) : "0".repeat(64)).repeat(block);
          for (const by of [-65, -64, -2, -1, 0, 1, 2, 63, 64, 65]) {
            const from = block * 64 + by;
            for (const length of [1, 2, 64, 130]) {
              const text = head.padEnd(from, "0").slice(0, from) + "1".repeat(length);
              agree(text);
              agree(text + "0".repeat(77));
            }
          }
        }
      }
    });

    it("are those of words with few edges, or none, behind a block of words with many, and back", () => {
      // From a block of 1024 such words on, words are no longer listed, until one has few edges.
      const many = "01".repeat(32);
      const few = [0, 1, 2, 9, 10, 11, 12].map((edges) =>
        "10".repeat(edges >> 1).padStart(edges, "1").padEnd(64, "0")
      );
      const dense = many.repeat(8 + 1024);
      for (const word of [...few, "1".repeat(64), "0".repeat(63) + "1"]) {
        for (const behind of [0, 1, 5]) {
          const text = dense + many.repeat(behind) + word;
          agree(text);
          agree(text + word.slice(0, 63));
          agree(text + word + many.repeat(3) + "0".repeat(64 * 20) + many + "011", [
            text.length - 64,
            text.length,
          ]);
        }
      }
      agree((dense + "0".repeat(64 * 1024)).repeat(3));
      agree((dense + "1".repeat(64 * 1031)).repeat(2) + many);
    });

    it("are those of a block whose first words have few edges and the others more, and the reverse", () => {
      // What the first 16 words of a list are like says how all of the block are written.
      const words = ["1", "11", "101", "10101", "1010101", "01".repeat(32)].map((bits) =>
        bits.padEnd(64, "0")
      );
      const head = "0".repeat(8 * 64);
      for (const gap of ["", "0".repeat(64)]) {
        for (const first of words) {
          for (const then of words) {
            for (const many of [15, 16, 17]) {
              const text = head + (first + gap).repeat(many) + (then + gap).repeat(20);
              agree(text + "0".repeat(64 * 1024) + (then + gap).repeat(1030) + first);
            }
          }
        }
      }
      agree(head + ("11" + "0".repeat(62)).repeat(MOST_EDGES));
    });

    it("come in batches that never cut one, whatever the bit at which a batch is full", () => {
      const alternate = "01".repeat(MOST_EDGES + 300);
      for (let shift = 0; shift < 66; shift += 1) {
        agree("1".repeat(shift) + alternate);
        agree("0".repeat(shift * 3) + alternate);
      }
      // The last whole word fills a batch beyond its end, and a word that is not full follows.
      for (let empty = 0; empty < 66; empty += 1) {
        const text = "0".repeat(empty) + "01".repeat(MOST_EDGES);
        for (const words of [63, 64, 65]) agree(text.slice(0, 64 * words + 63));
      }
      for (const edges of [-66, -65, -64, -2, 0, 2, 64, 66]) {
        agree("01".repeat((MOST_EDGES + edges) / 2 | 0));
        agree("01".repeat((MOST_EDGES + edges) / 2 | 0) + "1".repeat(1000));
      }
    });

    it("go on over the end of a chunk, wherever it is cut", () => {
      const random = new Random(5);
      const parts = Array.from({ length: 40 }, () => {
        const part = random.pick(["0", "1", "01", "0011"]);
        return part.repeat(random.below(130));
      });
      const text = parts.join("");
      for (let cut = 0; cut < text.length; cut += 64) agree(text, [cut]);
      for (let cut = 64; cut + 256 < text.length; cut += 64) agree(text, [cut, cut, cut + 64]);
      agree(text, Array.from({ length: text.length >> 6 }, (_, i) => i * 64));
      for (const bits of [64, 128, 640, 65536]) {
        agree("1".repeat(bits * 3), [bits, 2 * bits]);
        agree("1".repeat(bits * 2), [bits, 2 * bits]);
        agree("0".repeat(bits - 1) + "1" + "0".repeat(bits), [bits]);
        agree("0".repeat(bits) + "1" + "0".repeat(bits - 1), [bits, 2 * bits]);
      }
    });

    it("stay found: a scan that is at its end stays there", () => {
      put(memory, AT, "0110");
      const scan = memory.scan(RESERVED, { at: AT, bits: 4 });
      equal([rest(scan), rest(scan)], [[1, 3], []]);
      put(memory, AT, "1".repeat(64));
      const open = memory.scan(RESERVED, { at: AT, bits: 64, hasMore: true });
      equal([rest(open), rest(open)], [[], []]);
      open.follow({ at: AT, bits: 0 });
      equal([rest(open), rest(open)], [[0, 64], []]);
    });

    it("of two scans at a time do not disturb each other", () => {
      const text = "0110100".repeat(9000);
      put(memory, AT, text);
      const a = memory.scan(RESERVED, { at: AT, bits: text.length });
      const b = memory.scan(SECOND_AREA, { at: AT, bits: text.length });
      const [inA, inB]: [number[], number[]] = [[], []];
      for (let going = true, first = true; going; first = false) {
        const n = a.next();
        const m = first ? 0 : b.next(); // one behind: both are in the middle at once
        for (let i = 0; i < n; i += 1) inA.push(a.edges[i]!);
        for (let i = 0; i < m; i += 1) inB.push(b.edges[i]!);
        going = n > 0 || m > 0;
      }
      same(inA, text);
      same(inB, text);
    });

    it("have addresses and sizes, up to the last page of 64 bits", () => {
      put(memory, AT, "0110001");
      const scan = memory.scan(RESERVED, { at: AT, bits: 7 });
      const n = scan.next();
      equal([...scan.addresses(n, 0x1_0000_0000n, 12n).subarray(0, n)], [
        0x1_0000_1000n,
        0x2000n,
        0x1_0000_6000n,
        0x1000n,
      ]);
      const top = (1n << 64n) - 7n * 4096n;
      equal(scan.addresses(n, top, 12n)[2], (1n << 64n) - 4096n);
    });

    for (const density of [0.0001, 0.01, 0.1, 0.5, 0.9, 0.999]) {
      it(`at random, ${density * 100} % set`, () => {
        const random = new Random(density * 1e6);
        for (let round = 0; round < 12; round += 1) {
          const bits = random.below(random.pick([300, 5000, 140_000]));
          const text = Array.from({ length: bits }, () => random.chance(density) ? "1" : "0");
          const cut = 64 * random.below((bits >> 6) + 1);
          agree(text.join(""));
          agree(text.join(""), [cut]);
        }
      });
    }

    it("at random, dense stretches between empty and full ones", () => {
      const random = new Random(99);
      for (let round = 0; round < 20; round += 1) {
        const parts = Array.from({ length: 12 }, () => {
          const length = random.below(20_000);
          const kind = random.below(4);
          if (kind < 2) return String(kind).repeat(length);
          return Array.from(
            { length: length >> 2 },
            () => random.below(kind === 2 ? 2 : 40) ? 0 : 1,
          )
            .join("");
        });
        agree(parts.join("").slice(0, 1 << 20));
      }
    });
  });
}

describe("memory of WebAssembly", () => {
  it("is of one size: it cannot grow and be detached", () => {
    const memory = wasm();
    equal(memory.kind, "wasm");
    const { byteLength } = memory.buffer;
    let refused = false;
    try {
      memory.buffer.transfer(0);
    } catch (error) {
      refused = error instanceof TypeError;
    }
    ok(refused, "the buffer could be detached");
    equal(memory.buffer.byteLength, byteLength);
  });
});
