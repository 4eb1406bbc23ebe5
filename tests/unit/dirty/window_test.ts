import { DirtyWindow } from "../../../lib/dirty/window.ts";
import { equal, ok, throws } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";
import { Random } from "../random.ts";
import { bitsOf, naiveRuns, wordsOf } from "./oracle.ts";

const PAGE = 0x1000n;
const BASE = 0x1_0000_0000n;

/** A window over a text of bits, and the bitmap behind it. */
function windowOf(text: string, pageSize = PAGE): {
  window: DirtyWindow;
  bitmap: { words: Uint32Array; generation: number };
} {
  const bitmap = { words: wordsOf(text, "1"), generation: 5 };
  const size = BigInt(text.length) * pageSize;
  const window = new DirtyWindow({ iova: BASE, size, pageSize, label: "pinned-scope", bitmap });
  return { window, bitmap };
}

describe("DirtyWindow", () => {
  it("says where it lies and what its bits mean", () => {
    const { window } = windowOf("0110");
    const { iova, size, pageSize, pages, label, isCurrent } = window;
    equal([iova, size, pageSize, pages, label, isCurrent], [
      BASE,
      0x4000n,
      PAGE,
      4,
      "pinned-scope",
      true,
    ]);
  });

  it("gives runs as addresses, bytes and pages", () => {
    const { window } = windowOf("0110001");
    equal([...window.runs()], [
      { iova: BASE + 0x1000n, size: 0x2000n, pages: 2 },
      { iova: BASE + 0x6000n, size: 0x1000n, pages: 1 },
    ]);
    equal(window.count, 3);
  });

  it("does so with other page sizes", () => {
    const { window } = windowOf("011", 0x1_0000n);
    equal([...window.runs()], [{ iova: BASE + 0x1_0000n, size: 0x2_0000n, pages: 2 }]);
  });

  it("gives runs again each time they are asked for", () => {
    const { window } = windowOf("101");
    equal([...window.runs()], [...window.runs()]);
  });

  it("does not see bits behind its last page", () => {
    const { window } = windowOf("1");
    equal([window.count, [...window.runs()].length], [1, 1]);
    equal([...window.runs()][0]?.pages, 1);
    equal([...windowOf("0".repeat(65)).window.runs()], []);
  });

  it("tells of each address whether its page is dirty", () => {
    const { window } = windowOf("0100");
    const at = [0n, 0xfffn, 0x1000n, 0x1800n, 0x1fffn, 0x2000n].map((by) => window.has(BASE + by));
    equal(at, [false, false, true, true, true, false]);
  });

  it("has no page outside itself, whatever bits lie there", () => {
    const { window } = windowOf("1111");
    equal([-1n, 0x4000n, 0x5000n, -BASE].map((by) => window.has(BASE + by)), Array(4).fill(false));
    equal([0n, 0x3fffn].map((by) => window.has(BASE + by)), [true, true]);
  });

  it("tells pages of every word apart", () => {
    const text = "0".repeat(31) + "11" + "0".repeat(30) + "11" + "0".repeat(10);
    const { window } = windowOf(text);
    const has = [...text].map((_, page) => window.has(BASE + BigInt(page) * PAGE) ? "1" : "0");
    equal(has.join(""), text);
  });

  it("reads far up in the address space", () => {
    const iova = (1n << 64n) - 0x3000n;
    const bitmap = { words: Uint32Array.of(0b110, 0), generation: 0 };
    const init = { iova, size: 0x3000n, pageSize: PAGE, label: "written", bitmap } as const;
    const window = new DirtyWindow(init);
    equal([...window.runs()], [{ iova: iova + PAGE, size: 0x2000n, pages: 2 }]);
    equal(window.has((1n << 64n) - 1n), true);
  });
});

describe("DirtyWindow after the next read", () => {
  it("refuses to show other data", () => {
    const { window, bitmap } = windowOf("0110");
    bitmap.generation += 1;
    equal(window.isCurrent, false);
    const uses = [
      (): unknown => window.count,
      (): unknown => window.has(BASE),
      (): unknown => [...window.runs()],
      (): unknown => window.copy(),
    ];
    for (const use of uses) {
      throws(use, ReferenceError, "Cannot use the window at 0x100000000: the next read has reused");
    }
    equal([window.iova, window.pages, window.label], [BASE, 4, "pinned-scope"]);
  });

  it("stops in the middle of its runs", () => {
    const { window, bitmap } = windowOf("1010");
    const runs = window.runs();
    equal(runs.next().value, { iova: BASE, size: PAGE, pages: 1 });
    bitmap.generation += 1;
    throws(() => runs.next(), ReferenceError);
  });

  it("lives on as a copy", () => {
    const text = "0110" + "0".repeat(40) + "11";
    const { window, bitmap } = windowOf(text);
    const before = [...window.runs()];
    const copy = window.copy();
    bitmap.words.fill(0);
    bitmap.generation += 1;
    equal([...copy.runs()], before);
    equal([copy.count, copy.label, copy.iova, copy.size, copy.isCurrent], [
      4,
      "pinned-scope",
      BASE,
      BigInt(text.length) * PAGE,
      true,
    ]);
    equal([...copy.copy().runs()], before);
  });
});

describe("DirtyWindow, at random", () => {
  it("agrees with the bits, page by page and run by run", () => {
    const random = new Random(3);
    for (let round = 0; round < 200; round += 1) {
      const density = random.pick([0.01, 0.2, 0.5, 0.95]);
      const length = 1 + random.below(400);
      const text = Array.from({ length }, () => random.chance(density) ? "1" : "0").join("");
      const { window } = windowOf(text);
      equal(window.count, bitsOf(text).length);
      const runs = [...window.runs()];
      equal(
        runs.map((
          { iova, size },
        ) => [Number((iova - BASE) / PAGE), Number((iova + size - BASE) / PAGE)]),
        naiveRuns(text),
      );
      ok(runs.every(({ size, pages }) => size === BigInt(pages) * PAGE));
    }
  });
});

describe("the cells of a window", () => {
  /** The dirty pages of each cell, counted one by one. */
  const cellsOf = (text: string, pages: number): number[] =>
    Array.from(
      { length: Math.ceil(text.length / pages) },
      (_, i) => text.slice(i * pages, (i + 1) * pages).replaceAll("0", "").length,
    );

  for (const [name, copy] of [["words", false], ["a large copy", true]] as const) {
    it(`count what is dirty in ${name}`, () => {
      const random = new Random(9);
      const length = copy ? (1 << 21) + 65 : 4200;
      const text = Array.from({ length }, () => random.below(2)).join("");
      const { window } = windowOf(text);
      const seen = copy ? window.copy() : window;
      for (const words of [1, 2, 3, 64, 1 << 20]) {
        const cells = seen.countCells(BigInt(words * 64) * PAGE);
        equal([...cells], cellsOf(text, words * 64), `${words} words a cell`);
      }
    });
  }

  it("are one if the cell is larger than the window, and none of an empty one", () => {
    equal([...windowOf("0110").window.countCells(64n * PAGE)], [2]);
    equal([...windowOf("0110").window.countCells(1n << 62n)], [2]);
    equal([...windowOf("").window.countCells(64n * PAGE)], []);
  });

  it("are made of whole words, and counted while the window is current", () => {
    const { window, bitmap } = windowOf("0110");
    for (const size of [0n, -64n * PAGE, PAGE, 65n * PAGE, 64n * PAGE + 1n]) {
      throws(() => window.countCells(size), RangeError, `multiple of 0x40000 bytes; got ${size}`);
    }
    throws(() => window.countCells(64 as unknown as bigint), TypeError, "cellSize");
    bitmap.generation += 1;
    throws(() => window.countCells(64n * PAGE), ReferenceError, "reused its buffer");
  });
});
