import { type Extent, ExtentSet } from "../../../lib/base/extent.ts";
import { equal, ok, throws } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";
import { Random } from "../random.ts";

const extent = (iova: number, size: number): Extent => ({ iova: BigInt(iova), size: BigInt(size) });

function setOf(...extents: readonly Extent[]): ExtentSet<Extent> {
  const set = new ExtentSet<Extent>();
  for (const one of extents) set.add(one);
  return set;
}

describe("ExtentSet", () => {
  const [a, b, c] = [extent(10, 5), extent(15, 5), extent(30, 10)];

  it("keeps its extents by address, however they were added", () => {
    const set = setOf(c, a, b);
    equal([...set], [a, b, c]);
    equal([set.length, set.at(0), set.at(2), set.at(3)], [3, a, c, undefined]);
  });

  it("finds the first extent that ends above an address", () => {
    const set = setOf(a, b, c);
    const at = [0n, 10n, 14n, 15n, 19n, 20n, 29n, 39n, 40n, 1n << 64n];
    equal(at.map((iova) => set.indexFrom(iova)), [0, 0, 0, 1, 1, 2, 2, 2, 3, 3]);
  });

  it("finds what a range overlaps, and not what it touches", () => {
    const set = setOf(a, c);
    equal([set.overlapping(0n, 10n), set.overlapping(15n, 15n)], [undefined, undefined]);
    equal([set.overlapping(0n, 11n), set.overlapping(14n, 1n)], [a, a]);
    equal([set.overlapping(14n, 100n), set.overlapping(0n, 100n)], [a, a]);
    equal([set.overlapping(15n, 16n), set.overlapping(40n, 1n)], [c, undefined]);
  });

  it("finds the extent that a boundary would cut", () => {
    const set = setOf(a, b, c);
    const at = [9n, 10n, 11n, 14n, 15n, 16n, 20n, 30n, 31n, 39n, 40n];
    const cut = [undefined, undefined, a, a, undefined, b, undefined, undefined, c, c, undefined];
    equal(at.map((iova) => set.cutAt(iova)), cut);
  });

  it("gives all that share an address with a range", () => {
    const set = setOf(a, b, c);
    equal(set.inRange(0n, 100n), [a, b, c]);
    equal(set.inRange(14n, 2n), [a, b]);
    equal([set.inRange(20n, 10n), set.inRange(40n, 1n)], [[], []]);
    equal(set.inRange(39n, 1n), [c]);
  });

  it("refuses an extent over another, and stays as it was", () => {
    const set = setOf(a, c);
    for (const bad of [extent(10, 5), extent(0, 11), extent(14, 1), extent(12, 1), extent(0, 99)]) {
      throws(() => set.add(bad), RangeError, "overlap");
    }
    equal([...set], [a, c]);
  });

  it("takes out the very extent, not an equal one", () => {
    const set = setOf(a, b);
    equal([set.delete(extent(10, 5)), set.length], [false, 2]);
    equal([set.delete(a), set.delete(a), [...set]], [true, false, [b]]);
    set.clear();
    equal([set.length, [...set]], [0, []]);
  });

  it("reaches the top of the address space", () => {
    const top: Extent = { iova: (1n << 64n) - 4096n, size: 4096n };
    const set = setOf(top);
    equal(set.indexFrom((1n << 64n) - 1n), 0);
    equal(set.overlapping((1n << 64n) - 1n, 1n), top);
  });

  it("agrees with a search through a plain list, whatever comes and goes", () => {
    const random = new Random(1);
    const set = new ExtentSet<Extent>();
    let list: Extent[] = [];
    for (let round = 0; round < 3000; round += 1) {
      const one = extent(random.below(200), 1 + random.below(12));
      const { iova, size } = one;
      const end = iova + size;
      const hit = list.filter((e) => e.iova < end && e.iova + e.size > iova);
      equal(set.inRange(iova, size), hit);
      equal(set.overlapping(iova, size), hit[0]);
      equal(set.cutAt(iova), list.find((e) => e.iova < iova && e.iova + e.size > iova));
      equal(set.at(set.indexFrom(iova)), list.find((e) => e.iova + e.size > iova));
      if (hit.length === 0) {
        set.add(one);
        list = [...list, one].sort((x, y) => Number(x.iova - y.iova));
      } else if (random.chance(0.5)) {
        ok(set.delete(hit[0]!));
        list = list.filter((e) => e !== hit[0]);
      }
    }
    equal([...set], list);
  });
});
