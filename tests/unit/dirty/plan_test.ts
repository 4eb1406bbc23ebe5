import { type Extent, ExtentSet } from "../../../lib/base/extent.ts";
import { bitmapBytes } from "../../../lib/base/page.ts";
import { type Cursor, type PlanLimits, planWindow } from "../../../lib/dirty/plan.ts";
import { equal, ok } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";
import { Random } from "../random.ts";

const PAGE = 0x1000n;
const WIDE: PlanLimits = { pageSize: PAGE, budget: 1n << 20n, max: 1n << 28n };
const any = (): boolean => true;

/** A mapping as its first page and its number of pages. */
const mapping = (first: number, pages: number): Extent => ({
  iova: BigInt(first) * PAGE,
  size: BigInt(pages) * PAGE,
});

function setOf(...list: readonly Extent[]): ExtentSet<Extent> {
  const set = new ExtentSet<Extent>();
  for (const one of list) set.add(one);
  return set;
}

type Together = (before: Extent, next: Extent) => boolean;

/** Every window of a set, as pages. */
function drain(set: ExtentSet<Extent>, limits = WIDE, together: Together = any): number[][] {
  const cursor: Cursor = { iova: 0n };
  const windows: number[][] = [];
  for (;;) {
    const window = planWindow(set, cursor, limits, together);
    if (window === undefined) return windows;
    cursor.iova = window.iova + window.size;
    windows.push([Number(window.iova / PAGE), Number(window.size / PAGE)]);
  }
}

describe("planWindow", () => {
  it("gives nothing where nothing is mapped, or nothing is left", () => {
    equal(planWindow(setOf(), { iova: 0n }, WIDE, any), undefined);
    equal(planWindow(setOf(mapping(0, 4)), { iova: 4n * PAGE }, WIDE, any), undefined);
  });

  it("begins at the first mapping that ends above the cursor", () => {
    const set = setOf(mapping(0, 4), mapping(10, 4), mapping(20, 4));
    const at = (page: bigint): bigint | undefined =>
      planWindow(set, { iova: page * PAGE }, WIDE, any)?.iova;
    equal([at(0n), at(3n), at(4n), at(9n), at(13n), at(14n)].map((iova) => iova! / PAGE), [
      0n,
      0n,
      10n,
      10n,
      10n,
      20n,
    ]);
  });

  it("names the mappings of the window by their places", () => {
    const set = setOf(mapping(0, 4), mapping(64, 4), mapping(128, 4), mapping(130 + 64, 1));
    equal(planWindow(set, { iova: PAGE * 4n }, WIDE, any), {
      iova: 64n * PAGE,
      size: 68n * PAGE,
      first: 1,
      end: 3,
    });
  });

  it("does not move the cursor", () => {
    const cursor = { iova: PAGE };
    planWindow(setOf(mapping(0, 4)), cursor, WIDE, any);
    equal(cursor, { iova: PAGE });
  });

  it("joins mappings that begin 64 pages apart, and no others", () => {
    equal(drain(setOf(mapping(1, 4), mapping(5, 4))), [[1, 4], [5, 4]]);
    equal(drain(setOf(mapping(0, 64), mapping(64, 1))), [[0, 65]]);
    equal(drain(setOf(mapping(0, 63), mapping(63, 2))), [[0, 63], [63, 2]]);
    // What counts is the distance from the window's start, not the address.
    equal(drain(setOf(mapping(3, 10), mapping(67, 10), mapping(131, 1))), [[3, 129]]);
    equal(drain(setOf(mapping(3, 10), mapping(64, 10), mapping(131, 1))), [[3, 10], [64, 10], [
      131,
      1,
    ]]);
    // One that cannot join begins a window, which others can join.
    equal(drain(setOf(mapping(0, 4), mapping(65, 4), mapping(129, 4))), [[0, 4], [65, 68]]);
  });

  it("stays within the budget, to the page", () => {
    const limits = { ...WIDE, budget: 16n };
    equal(drain(setOf(mapping(0, 64), mapping(64, 64)), limits), [[0, 128]]);
    equal(drain(setOf(mapping(0, 64), mapping(64, 65)), limits), [[0, 64], [64, 65]]);
    equal(drain(setOf(mapping(0, 1), mapping(128, 1)), limits), [[0, 1], [128, 1]]);
    equal(drain(setOf(mapping(0, 1), mapping(64, 1)), { ...WIDE, budget: 15n }), [[0, 1], [64, 1]]);
  });

  it("lets one mapping alone go over the budget: type1 cannot read a part of it", () => {
    const limits = { ...WIDE, budget: 8n };
    equal(drain(setOf(mapping(0, 1000), mapping(1024, 1)), limits), [[0, 1000], [1024, 1]]);
    equal(drain(setOf(mapping(0, 1000)), { ...WIDE, budget: 0n }), [[0, 1000]]);
  });

  it("joins nothing beyond the most that one call may have, whatever the budget", () => {
    const limits = { ...WIDE, budget: 1n << 40n, max: 16n };
    equal(drain(setOf(mapping(0, 64), mapping(64, 64), mapping(128, 64)), limits), [
      [0, 128],
      [128, 64],
    ]);
  });

  it("keeps apart what must not be together, asked of neighbours in their order", () => {
    const set = setOf(mapping(0, 64), mapping(64, 64), mapping(128, 64));
    const asked: [bigint, bigint][] = [];
    const together = (before: Extent, next: Extent): boolean => {
      asked.push([before.iova / PAGE, next.iova / PAGE]);
      return next.iova !== 128n * PAGE;
    };
    equal(drain(set, WIDE, together), [[0, 128], [128, 64]]);
    equal(asked, [[0n, 64n], [64n, 128n]]);
  });

  it("counts 64 pages of the page size it is given", () => {
    const large = { ...WIDE, pageSize: 0x1_0000n };
    const at = (page: number): Extent => ({ iova: BigInt(page) * 0x1_0000n, size: 0x1_0000n });
    equal(planWindow(setOf(at(0), at(64)), { iova: 0n }, large, any)?.end, 2);
    equal(planWindow(setOf(at(0), at(32)), { iova: 0n }, large, any)?.end, 1);
  });

  it("reaches the last page below 2^64", () => {
    const top = { iova: (1n << 64n) - PAGE, size: PAGE };
    equal(planWindow(setOf(top), { iova: 0n }, WIDE, any), { ...top, first: 0, end: 1 });
    equal(planWindow(setOf(top), { iova: 1n << 64n }, WIDE, any), undefined);
  });
});

/** A set of mappings at random, many of them 64 pages apart. */
function randomSet(random: Random): ExtentSet<Extent> {
  const set = new ExtentSet<Extent>();
  let page = random.below(100);
  for (let i = random.below(20); i > 0; i -= 1) {
    const pages = random.chance(0.5) ? 64 * (1 + random.below(3)) : 1 + random.below(200);
    set.add(mapping(page, pages));
    page += pages;
    page += random.pick([0, random.below(150), (64 - pages % 64) % 64]);
  }
  return set;
}

describe("planWindow, at random", () => {
  it("covers every mapping once, cuts none, and takes as much as the rules allow", () => {
    const random = new Random(42);
    let joined = 0;
    for (let round = 0; round < 2000; round += 1) {
      const set = randomSet(random);
      const limits = {
        pageSize: PAGE,
        budget: BigInt(8 * random.below(40)),
        max: BigInt(8 * (10 + random.below(40))),
      };
      const bound = limits.budget < limits.max ? limits.budget : limits.max;
      const apart = BigInt(random.below(2000)) * PAGE;
      const together = (before: Extent, next: Extent): boolean =>
        !(before.iova < apart && next.iova >= apart);
      const read: Extent[] = [];
      const cursor: Cursor = { iova: 0n };
      for (;;) {
        const window = planWindow(set, cursor, limits, together);
        if (window === undefined) break;
        const inside = [...set].slice(window.first, window.end);
        const last = inside.at(-1)!;
        equal(window.iova, inside[0]?.iova);
        equal(window.iova + window.size, last.iova + last.size);
        ok(inside.every((one) => (one.iova - window.iova) % (64n * PAGE) === 0n));
        const fits = (end: bigint): boolean => bitmapBytes((end - window.iova) / PAGE) <= bound;
        ok(inside.length === 1 || fits(last.iova + last.size));
        inside.slice(1).forEach((one, i) => ok(together(inside[i]!, one)));
        const next = set.at(window.end);
        if (next !== undefined) {
          const could = fits(next.iova + next.size) && together(last, next) &&
            (next.iova - window.iova) % (64n * PAGE) === 0n;
          ok(!could, "the window leaves out a mapping that fits");
        }
        joined += inside.length - 1;
        read.push(...inside);
        cursor.iova = window.iova + window.size;
      }
      equal(read, [...set]);
    }
    ok(joined > 1000, "the sets are such that windows of several mappings occur");
  });

  it("goes on behind its cursor while mappings come and go", () => {
    const random = new Random(43);
    for (let round = 0; round < 1000; round += 1) {
      const set = randomSet(random);
      const stayed = new Set(set);
      const read = new Map<Extent, number>();
      const cursor: Cursor = { iova: 0n };
      for (let steps = 0;; steps += 1) {
        const window = planWindow(set, cursor, { ...WIDE, budget: 24n }, any);
        if (window === undefined) break;
        ok(window.iova + window.size > cursor.iova, "the cursor only rises");
        ok(steps < 100, "the drain comes to an end");
        for (let i = window.first; i < window.end; i += 1) {
          const one = set.at(i)!;
          read.set(one, (read.get(one) ?? 0) + 1);
        }
        cursor.iova = window.iova + window.size;
        const gone = set.at(random.below(set.length + 1));
        if (gone !== undefined && random.chance(0.4)) {
          set.delete(gone);
          stayed.delete(gone);
        }
        const come = mapping(random.below(3000), 1 + random.below(100));
        if (random.chance(0.4) && set.overlapping(come.iova, come.size) === undefined) {
          set.add(come);
        }
      }
      for (const one of stayed) equal(read.get(one), 1, "what stayed mapped is read once");
      ok([...read.values()].every((times) => times === 1), "nothing is read twice");
    }
  });
});
