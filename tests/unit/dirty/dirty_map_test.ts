import { DirtyMap } from "../../../lib/dirty/dirty_map.ts";
import { DirtyWindow } from "../../../lib/dirty/window.ts";
import { equal, ok, throws } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";
import { Random } from "../random.ts";

const PAGE = 4096n;

/** The same set as a plain one: the oracle. */
function pagesOf(map: DirtyMap): number[] {
  const pages: number[] = [];
  for (const run of map.runs()) {
    for (let i = 0; i < run.pages; i += 1) pages.push(Number(run.iova / PAGE) + i);
  }
  return pages;
}

const sorted = (pages: Iterable<number>): number[] => [...new Set(pages)].sort((a, b) => a - b);

/** Ranges around the edges of words and chunks, long and short. */
function randomRanges(random: Random, count: number): [number, number][] {
  return Array.from({ length: count }, () => {
    const edge = [0, 32, 64, 32768, 65536, 3 * 32768][random.below(6)] ?? 0;
    const start = Math.max(0, edge + random.below(80) - 40);
    const pages = random.below(4) === 0 ? 1 + random.below(40000) : 1 + random.below(70);
    return [start, pages];
  });
}

function build(ranges: readonly [number, number][]): [DirtyMap, Set<number>] {
  const map = new DirtyMap(PAGE);
  const set = new Set<number>();
  for (const [start, pages] of ranges) {
    map.addRange(BigInt(start) * PAGE, pages);
    for (let i = 0; i < pages; i += 1) set.add(start + i);
  }
  return [map, set];
}

describe("DirtyMap", () => {
  it("has no page at first", () => {
    const map = new DirtyMap(PAGE);
    equal([map.count, map.isEmpty, map.byteLength, [...map.runs()]], [0, true, 0, []]);
    equal(map.has(0n), false);
    throws(() => new DirtyMap(3000n), RangeError, "power of two; got 3000");
    throws(() => new DirtyMap(0n), RangeError, "got 0");
  });

  it("joins what touches, also across chunks, and keeps apart what does not", () => {
    const map = new DirtyMap(PAGE).addRange(32760n * PAGE, 8).addRange(32768n * PAGE, 8);
    equal([...map.runs()], [{ iova: 32760n * PAGE, size: 16n * PAGE, pages: 16 }]);
    map.addRange(32777n * PAGE, 1).addRange(0n, 1);
    equal([...map.runs()].map((run) => [Number(run.iova / PAGE), run.pages]), [
      [0, 1],
      [32760, 16],
      [32777, 1],
    ]);
  });

  it("agrees with a plain set on random ranges, in every operation", () => {
    const random = new Random(42);
    for (let i = 0; i < 40; i += 1) {
      const [a, setA] = build(randomRanges(random, 1 + random.below(8)));
      const [b, setB] = build(randomRanges(random, 1 + random.below(8)));
      equal(pagesOf(a), sorted(setA));
      equal(a.count, setA.size);
      equal(pagesOf(a.union(b)), sorted([...setA, ...setB]));
      equal(pagesOf(a.difference(b)), sorted([...setA].filter((page) => !setB.has(page))));
      equal(pagesOf(a.intersection(b)), sorted([...setA].filter((page) => setB.has(page))));
      for (let probe = 0; probe < 50; probe += 1) {
        const page = random.below(140000);
        equal(a.has(BigInt(page) * PAGE + 17n), setA.has(page));
      }
      equal(a.equals(build([...setA].map((page) => [page, 1]))[0]), true);
      equal(a.equals(b), setA.size === setB.size && [...setA].every((page) => setB.has(page)));
    }
  });

  it("takes pages out as a plain set does, also across chunks", () => {
    const random = new Random(43);
    for (let i = 0; i < 40; i += 1) {
      const [map, set] = build(randomRanges(random, 1 + random.below(8)));
      for (const [start, pages] of randomRanges(random, 1 + random.below(3))) {
        map.deleteRange(BigInt(start) * PAGE + 7n, pages);
        for (let page = start; page < start + pages; page += 1) set.delete(page);
      }
      equal(pagesOf(map), sorted(set));
      equal(map.isEmpty, set.size === 0);
    }
  });

  it("keeps scattered pages as bits, and agrees all the same", () => {
    const map = new DirtyMap(PAGE);
    const pages = Array.from({ length: 16384 }, (_, i) => 2 * i);
    map.add({
      pageSize: PAGE,
      runs: () => pages.map((p) => ({ iova: BigInt(p) * PAGE, pages: 1 })),
    });
    equal(map.byteLength, 4096);
    equal([map.count, pagesOf(map).length], [16384, 16384]);
    ok(map.has(2n * PAGE) && !map.has(3n * PAGE));
  });

  it("takes memory in proportion to what is set", () => {
    const full = new DirtyMap(PAGE).addRange(0n, 2 ** 32);
    equal([full.count, [...full.runs()].length], [2 ** 32, 1]);
    ok(full.byteLength <= 2 ** 32 / 32768 * 4, `${full.byteLength} bytes`);
    const single = new DirtyMap(PAGE).addRange((1n << 64n) - PAGE, 1);
    equal([single.byteLength, single.has((1n << 64n) - 1n)], [4, true]);
  });

  it("takes windows, and refuses pages of another size", () => {
    const bitmap = { words: Uint32Array.of(0b1100_0110, 1), generation: 0 };
    const init = { iova: 0x10_0000n, size: 40n * PAGE, label: "written", bitmap } as const;
    const map = new DirtyMap(PAGE).add(new DirtyWindow({ ...init, pageSize: PAGE }));
    equal(pagesOf(map), [257, 258, 262, 263, 288]);
    const other = new DirtyWindow({ ...init, size: 4n * 0x1_0000n, pageSize: 0x1_0000n });
    throws(() => map.add(other), RangeError, "0x1000 bytes; got 0x10000");
  });

  it("changes apart from its clone", () => {
    const map = new DirtyMap(PAGE).addRange(0n, 2);
    const copy = map.clone();
    copy.addRange(8n * PAGE, 1);
    map.clear();
    equal([map.count, copy.count], [0, 3]);
  });
});
