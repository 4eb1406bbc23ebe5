import { copyBitmap } from "../../../lib/dirty/arena.ts";
import { DirtyMap } from "../../../lib/dirty/dirty_map.ts";
import { DirtyWindow } from "../../../lib/dirty/window.ts";
import { equal, throws } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";
import { Random } from "../random.ts";
import { bitsOf, wordsOf } from "./oracle.ts";

const PAGE = 4096n;

function pagesOf(map: DirtyMap): number[] {
  return [...map.runs()].flatMap(({ iova, pages }) => {
    const first = Number(iova / map.pageSize);
    return Array.from({ length: pages }, (_, i) => first + i);
  });
}

const mapOf = (pages: Iterable<number>, pageSize = PAGE): DirtyMap => {
  const runs = [...new Set(pages)].sort((a, b) => a - b)
    .map((page) => ({ iova: BigInt(page) * pageSize, pages: 1 }));
  return new DirtyMap(pageSize).add({ pageSize, runs: () => runs });
};

/** Pages around the edges of words, regions and chunks. */
function randomPages(random: Random): Set<number> {
  const pages = new Set<number>();
  for (let run = random.below(40); run > 0; run -= 1) {
    const edge = random.pick([0, 64, 512, 1024, 32768, 65536, 32768 * 5]);
    const first = Math.max(0, edge + random.below(80) - 40);
    for (let i = random.pick([1, 2, 70, 600]); i > 0; i -= 1) pages.add(first + i);
  }
  return pages;
}

/** How many pages each region has. */
function byRegion(pages: Iterable<number>, perRegion: number): [number, number][] {
  const counts = new Map<number, number>();
  for (const page of pages) {
    const region = Math.floor(page / perRegion);
    counts.set(region, (counts.get(region) ?? 0) + 1);
  }
  return [...counts].sort(([a], [b]) => a - b);
}

describe("DirtyMap by region and by mapping", () => {
  const random = new Random(31);
  const regions = (of: Iterable<{ iova: bigint; size: bigint; pages: number }>, size: bigint) =>
    [...of].map((region) => {
      equal(region.size, size);
      return [Number(region.iova / size), region.pages];
    });

  it("counts the pages of each region, and the churn of two rounds", () => {
    for (let round = 0; round < 40; round += 1) {
      const [a, b] = [randomPages(random), randomPages(random)];
      const [first, second] = [mapOf(a), mapOf(b)];
      const changed = a.symmetricDifference(b);
      equal(pagesOf(first.symmetricDifference(second)), [...changed].sort((x, y) => x - y));
      for (const perRegion of [1, 3, 64, 512, 32768, 40000, 1 << 20]) {
        const size = BigInt(perRegion) * PAGE;
        equal(regions(first.countByRegion(size), size), byRegion(a, perRegion));
        equal(regions(first.churn(second, size), size), byRegion(changed, perRegion));
      }
    }
  });

  it("counts the pages of mappings, in any order, also where they overlap", () => {
    for (let round = 0; round < 60; round += 1) {
      const pages = randomPages(random);
      const ranges = Array.from({ length: random.below(12) }, () => {
        const first = random.pick([0, 64, 1000, 32768, 65536]) + random.below(90);
        return [first, first + random.pick([0, 1, 50, 40000])] as const;
      });
      const extents = ranges.map(([from, to]) => ({
        iova: BigInt(from) * PAGE,
        size: BigInt(to - from) * PAGE,
      }));
      const expected = ranges.map(([from, to]) =>
        [...pages].filter((page) => page >= from && page < to).length
      );
      equal(mapOf(pages).countEach(extents), expected);
    }
  });

  it("counts a mapping whose last page, or first, is the edge of a later run", () => {
    const extent = (first: number, pages: number): { iova: bigint; size: bigint } => ({
      iova: BigInt(first) * PAGE,
      size: BigInt(pages) * PAGE,
    });
    const map = mapOf([2, 9, 10, 20]);
    const extents = [extent(0, 10), extent(0, 9), extent(10, 10), extent(10, 11), extent(20, 1)];
    equal(map.countEach(extents), [2, 1, 1, 2, 1]);
    equal(map.countEach(extents.toReversed()), [1, 2, 1, 1, 2]);
  });

  it("refuses what would cut a page", () => {
    const map = mapOf([1]);
    throws(() => map.countByRegion(5000n), RangeError, "multiple of 4096 bytes; got 5000");
    throws(() => map.countByRegion(0n), RangeError, "got 0");
    throws(() => map.countByRegion(4096 as unknown as bigint), TypeError, "size must be a bigint");
    throws(() => map.churn(map, 1n), RangeError, "multiple of 4096 bytes; got 1");
    throws(() => map.countEach([{ iova: 1n, size: PAGE }]), RangeError, "0x1000 at 0x1");
    throws(() => map.countEach([{ iova: 0n, size: 7n }]), RangeError, "0x7 at 0x0");
    throws(
      () => map.churn(new DirtyMap(8192n), 8192n),
      RangeError,
      "pages of 0x1000 bytes; got 0x2000",
    );
    throws(() => map.symmetricDifference(new DirtyMap(1n << 21n)), RangeError, "got 0x200000");
  });
});

describe("DirtyMap in pages of another size", () => {
  it("sets a larger page if any part of it is set, and all parts of one that is cut", () => {
    const random = new Random(32);
    for (let round = 0; round < 40; round += 1) {
      const pages = randomPages(random);
      const map = mapOf(pages);
      for (const times of [1, 2, 16, 512, 65536]) {
        const larger = map.withPageSize(PAGE * BigInt(times));
        equal(pagesOf(larger), byRegion(pages, times).map(([region]) => region));
        equal(larger.pageSize, PAGE * BigInt(times));
        if (times > 16) continue;
        const smaller = mapOf(pages, PAGE * BigInt(times)).withPageSize(PAGE);
        equal(smaller.count, pages.size * times);
        equal(smaller.withPageSize(PAGE * BigInt(times)).count, pages.size);
        equal([...pages].every((page) => smaller.has(BigInt(page * times) * PAGE)), true);
      }
    }
  });

  it("leaves the set as it is, and refuses what is no page size", () => {
    const map = mapOf([1, 2, 3]);
    map.withPageSize(1n << 21n).clear();
    equal(map.count, 3);
    throws(() => map.withPageSize(3000n), RangeError, "power of two; got 3000");
  });
});

describe("DirtyMap takes a window", () => {
  it("the same whether its bits lie as those of the set or not", () => {
    const random = new Random(33);
    for (let round = 0; round < 40; round += 1) {
      const density = random.pick([0, 0.01, 0.5, 1]);
      const length = random.pick([1, 31, 33, 64, 1000, 70_000]);
      const text = Array.from({ length }, () => random.chance(density) ? "1" : "0").join("");
      const bitmap = copyBitmap(wordsOf(text, "1"));
      for (const first of [0, 32, 5, 32768 - 32, 32768 - 7, 65536]) {
        const iova = BigInt(first) * PAGE;
        const size = BigInt(length) * PAGE;
        const window = new DirtyWindow({ iova, size, pageSize: PAGE, label: "written", bitmap });
        const before = mapOf([3, 32767, 70_000]);
        const expected = [
          ...new Set([...pagesOf(before), ...bitsOf(text).map((bit) => bit + first)]),
        ]
          .sort((a, b) => a - b);
        equal(pagesOf(before.add(window)).join(), expected.join());
      }
    }
  });

  it("and no window that is gone", () => {
    const bitmap = { words: new Uint32Array(2), generation: 0 };
    const init = { iova: 0n, size: PAGE, pageSize: PAGE, label: "written" } as const;
    const window = new DirtyWindow({ ...init, bitmap });
    bitmap.generation += 1;
    throws(() => new DirtyMap(PAGE).add(window), ReferenceError, "the next read has reused");
  });
});
