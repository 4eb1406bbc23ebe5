import { ExtentSet } from "../../../lib/base/extent.ts";
import { findIova, inRanges } from "../../../lib/rules/iova.ts";
import { mapRefusal } from "../../../lib/rules/map.ts";
import { equal, ok } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";
import { Random } from "../random.ts";
import { PAGE, pages, short, space, TOP } from "./space.ts";

// What an Intel IOMMU of 48 bits reports: a gap for the interrupts.
const INTEL = [
  { start: 0n, end: 0xfedf_ffffn },
  { start: 0xfef0_0000n, end: 0xffff_ffff_ffffn },
];
const empty = new ExtentSet<{ iova: bigint; size: bigint }>();

describe("inRanges", () => {
  it("includes both ends of a range", () => {
    equal(inRanges(INTEL, { iova: 0n, size: 0xfee0_0000n }), true);
    equal(inRanges(INTEL, { iova: 0n, size: 0xfee0_0001n }), false);
    equal(inRanges(INTEL, { iova: 0xfedf_f000n, size: 0x1000n }), true);
    equal(inRanges(INTEL, { iova: 0xfef0_0000n, size: 0x1000n }), true);
    equal(inRanges(INTEL, { iova: 0xfeef_f000n, size: 0x1000n }), false);
    equal(inRanges(INTEL, { iova: 0xffff_ffff_f000n, size: 0x1000n }), true);
    equal(inRanges(INTEL, { iova: 0x1_0000_0000_0000n, size: 0x1000n }), false);
  });

  it("takes every address where no range is known, and none where the list is empty", () => {
    equal(inRanges(undefined, { iova: TOP - PAGE, size: PAGE }), true);
    equal(inRanges([], { iova: PAGE, size: PAGE }), false);
  });
});

describe("findIova", () => {
  it("leaves address 0 out", () => {
    equal(findIova(undefined, empty, { size: PAGE, align: PAGE }), PAGE);
    equal(findIova(INTEL, empty, { size: PAGE, align: 0x20_0000n }), 0x20_0000n);
  });

  it("gives it when it is asked for", () => {
    equal(findIova(INTEL, empty, { size: PAGE, align: PAGE, from: 0n }), 0n);
  });

  it("takes the first gap that is large enough", () => {
    const { mappings } = space([[1, 3], [6, 2], [12, 4]]);
    const at = (count: number): bigint | undefined =>
      findIova(INTEL, mappings, { size: pages(count), align: PAGE });
    equal([at(1), at(2), at(3), at(4), at(5)], [pages(4), pages(4), pages(8), pages(8), pages(16)]);
  });

  it("keeps the alignment, also behind a mapping", () => {
    const { mappings } = space([[1, 3], [8, 1]]);
    equal(findIova(INTEL, mappings, { size: PAGE, align: pages(8) }), pages(16));
    equal(findIova(INTEL, mappings, { size: PAGE, align: pages(4) }), pages(4));
  });

  it("looks from the given address on", () => {
    const { mappings } = space([[1, 3]]);
    const from = pages(2) + 1n;
    equal(findIova(INTEL, mappings, { size: PAGE, align: PAGE, from }), pages(4));
    equal(findIova(INTEL, empty, { size: PAGE, align: PAGE, from }), pages(3));
  });

  it("jumps over the gap between ranges", () => {
    const size = 0xfee0_0000n;
    equal(findIova(INTEL, empty, { size, align: PAGE }), 0xfef0_0000n);
    equal(findIova(INTEL, empty, { size: size - PAGE, align: PAGE }), PAGE);
  });

  it("fills a range to its last page, except the last page below 2^64", () => {
    const small = [{ start: PAGE, end: pages(4) - 1n }];
    equal(findIova(small, empty, { size: pages(3), align: PAGE }), PAGE);
    equal(findIova(small, empty, { size: pages(4), align: PAGE }), undefined);
    const top = [{ start: TOP - pages(4), end: TOP - 1n }];
    equal(findIova(top, empty, { size: pages(3), align: PAGE }), TOP - pages(4));
    equal(findIova(top, empty, { size: pages(4), align: PAGE }), undefined);
  });

  it("says when there is no room", () => {
    const { mappings } = space([[1, 3]]);
    const ranges = [{ start: 0n, end: pages(4) - 1n }];
    equal(findIova(ranges, mappings, { size: PAGE, align: PAGE }), undefined);
    equal(findIova([], empty, { size: PAGE, align: PAGE }), undefined);
  });

  it("agrees with trying every page, and the kernel's rules take what it gives", () => {
    const random = new Random(7);
    for (let round = 0; round < 400; round += 1) {
      const list: [number, number][] = [];
      for (let at = random.below(6); at < 60;) {
        const count = 1 + random.below(5);
        list.push([at, count]);
        at += count + random.below(8);
      }
      const ranges = [{ start: 0n, end: pages(30) - 1n }, {
        start: pages(34),
        end: pages(70) - 1n,
      }];
      const where = space(list, { ranges });
      const wish = {
        size: pages(1 + random.below(9)),
        align: pages(random.pick([1, 2, 4, 8])),
        ...(random.chance(0.5) ? { from: pages(random.below(40)) } : {}),
      };
      const rule = (iova: bigint): string =>
        short(mapRefusal({ flags: 3, iova, size: wish.size, vaddr: undefined }, where));
      let wanted: bigint | undefined;
      for (let page = 70n; page >= 0n; page -= 1n) {
        const iova = pages(page);
        if (iova >= (wish.from ?? wish.align) && iova % wish.align === 0n) {
          if (rule(iova) === "allowed") wanted = iova;
        }
      }
      const found = findIova(ranges, where.mappings, wish);
      equal(found, wanted, `round ${round}`);
      ok(found === undefined || rule(found) === "allowed");
    }
  });
});
