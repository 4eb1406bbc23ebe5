import { Arena, ArenaBitmap, copyBitmap } from "../../../lib/dirty/arena.ts";
import type { Bitmap } from "../../../lib/dirty/bitmap.ts";
import { DirtyWindow } from "../../../lib/dirty/window.ts";
import { equal, ok, throws } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";
import { Random } from "../random.ts";
import { naiveRuns, wordsOf } from "./oracle.ts";

const PAGE = 4096n;
const BASE = 0x1_0000_0000n;

/** A bitmap that a test reads into. */
class TestBitmap extends ArenaBitmap {
  constructor(bytes: number) {
    super();
    this.arena = new Arena(bytes);
  }

  get kind(): string | undefined {
    return this.arena?.kind;
  }

  read(text: string): DirtyWindow {
    this.generation += 1;
    this.arena?.recycle();
    this.words.fill(0xffff_ffff);
    this.words.set(wordsOf(text, "1"));
    return windowOf(this, text.length);
  }
}

function windowOf(bitmap: Bitmap, pages: number): DirtyWindow {
  const size = BigInt(pages) * PAGE;
  return new DirtyWindow({ iova: BASE, size, pageSize: PAGE, label: "written", bitmap });
}

/** The runs of a window in each of the three ways, as page numbers. */
const ways: Readonly<Record<string, (window: DirtyWindow) => number[]>> = {
  "runs()": (window) =>
    [...window.runs()].flatMap(({ iova, size, pages }) => {
      equal(size, BigInt(pages) * PAGE);
      const first = Number((iova - BASE) / PAGE);
      return [first, first + pages];
    }),
  "runBatches()": (window) => [...window.runBatches().flatMap((batch) => [...batch])],
  "forEachRun()": (window) => {
    const found: number[] = [];
    window.forEachRun((first, end) => found.push(first, end));
    return found;
  },
};

function texts(): string[] {
  const random = new Random(21);
  const text = (bits: number, density: number): string =>
    Array.from({ length: bits }, () => random.chance(density) ? "1" : "0").join("");
  return ["", "0", "1", "1".repeat(64), "0".repeat(65), "01".repeat(6000), text(30_000, 0.5)]
    .concat(
      Array.from({ length: 20 }, () => text(random.below(900), random.pick([0.02, 0.5, 0.98]))),
    );
}

describe("a window gives the same runs", () => {
  const large = new TestBitmap(1 << 16);
  equal(large.kind, "wasm");
  for (const [name, way] of Object.entries(ways)) {
    it(`by ${name}, from an arena, from words and from a copy`, () => {
      for (const text of texts()) {
        const expected = naiveRuns(text).flat();
        const words = { words: wordsOf(text, "1"), generation: 0 };
        equal(way(large.read(text)), expected);
        equal(way(windowOf(words, text.length)), expected);
        equal(way(large.read(text).copy()), expected);
      }
    });
  }

  it("from a copy that is large enough for memory of its own", () => {
    const words = new Uint32Array(1 << 16);
    words[0] = 6;
    words[65535] = 0x8000_0000;
    const copy = windowOf({ words, generation: 0 }, 1 << 21).copy();
    words.fill(0);
    equal(ways["runBatches()"]!(copy), [1, 3, (1 << 21) - 1, 1 << 21]);
    ok(copyBitmap(words) instanceof ArenaBitmap);
  });

  it("up to the end of 64 bits", () => {
    const bitmap = new TestBitmap(64);
    bitmap.read("011");
    const iova = (1n << 64n) - 3n * PAGE;
    const window = new DirtyWindow({
      iova,
      size: 3n * PAGE,
      pageSize: PAGE,
      label: "written",
      bitmap,
    });
    equal([...window.runs()], [{ iova: iova + PAGE, size: 2n * PAGE, pages: 2 }]);
  });
});

describe("iterators over one window", () => {
  const text = "011".repeat(9000);

  it("do not disturb each other, however many are under way", () => {
    const window = new TestBitmap(1 << 14).read(text);
    const all = Array.from({ length: 20 }, () => window.runs());
    for (const run of window.runs()) for (const runs of all) equal(runs.next().value, run);
    for (const runs of all) equal(runs.next(), { done: true, value: undefined });
  });

  it("are refused after the next read, and do not take what a newer one has", () => {
    const bitmap = new TestBitmap(1 << 14);
    const old = bitmap.read(text).runs();
    old.next();
    const newer = bitmap.read("10".repeat(9000)).runs();
    newer.next();
    old.return?.();
    const third = windowOf(bitmap, 18_000).runs();
    third.next();
    equal([...newer].length, 8999);
    equal([...third].length, 8999);
    const stale = bitmap.read(text).runBatches();
    stale.next();
    bitmap.read(text);
    throws(() => stale.next(), ReferenceError, "the next read has reused its buffer");
  });

  it("end when they are left, and stay ended", () => {
    const window = new TestBitmap(1 << 14).read(text);
    const runs = window.runs();
    for (const _ of runs) break;
    equal(runs.next().done, true);
    equal([...window.runs()].length, 9000);
    equal(window.runs().map(({ pages }) => pages).take(2).toArray(), [2, 2]);
  });

  it("give their areas back, and nothing that is no area", () => {
    const arena = new Arena(64);
    const areas = Array.from({ length: 8 }, () => arena.open(64));
    const other = arena.open(64); // there are no more
    arena.close(other);
    const again = arena.open(64);
    equal([other, ...areas].includes(again), false);
    arena.close(areas[3]!);
    arena.close(areas[3]!);
    equal([arena.open(64) === areas[3], areas.includes(arena.open(64))], [true, false]);
  });

  it("stop where the callback reads anew, or throws", () => {
    const bitmap = new TestBitmap(1 << 14);
    const window = bitmap.read(text);
    let calls = 0;
    const readAnew = (): void => {
      calls += 1;
      bitmap.read(text);
    };
    throws(() => window.forEachRun(readAnew), ReferenceError);
    equal(calls, 1);
    const error = new Error("enough");
    throws(
      () =>
        windowOf(bitmap, 9).forEachRun(() => {
          throw error;
        }),
      Error,
      "enough",
    );
  });
});

describe("a window over a wrong bitmap", () => {
  const init = { iova: 0n, size: 65n * PAGE, pageSize: PAGE, label: "written" } as const;
  const words = (length: number): { words: Uint32Array; generation: number } => ({
    words: new Uint32Array(length),
    generation: 0,
  });
  const wrong: Readonly<Record<string, [object, string]>> = {
    "too short": [{ bitmap: words(2) }, "at least 16 bytes, in words of 8; got 8"],
    "no multiple of 8 bytes": [{ bitmap: words(5) }, "at least 16 bytes, in words of 8; got 20"],
    "a page size that does not divide": [
      { size: 4097n },
      "size must be a multiple of 4096 bytes; got 4097",
    ],
    "an address inside a page": [{ iova: 1n }, "iova must be a multiple of 4096 bytes; got 1"],
    "a page size that is no power of two": [{ pageSize: 12288n }, "a power of two; got 12288"],
  };
  for (const [name, [change, message]] of Object.entries(wrong)) {
    it(`refuses ${name}`, () => {
      const all = { ...init, bitmap: words(4), ...change };
      throws(() => new DirtyWindow(all), RangeError, message);
    });
  }

  it("wants a function to call back", () => {
    const window = new DirtyWindow({ ...init, bitmap: words(4) });
    throws(() => window.forEachRun(1 as unknown as () => void), TypeError, "found must be");
  });
});
