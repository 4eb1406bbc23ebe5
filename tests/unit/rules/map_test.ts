import { SINCE_V7 } from "../../../lib/rules/behaviour.ts";
import { mapRefusal, type MapRequest } from "../../../lib/rules/map.ts";
import { equal, match } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";
import { PAGE, pages, short, space, TOP } from "./space.ts";

const EINVAL = 22;
const request = (more: Partial<MapRequest> = {}): MapRequest => ({
  flags: 3,
  iova: pages(16),
  size: pages(4),
  vaddr: 0x7f00_0000_0000n,
  ...more,
});
const map = (more: Partial<MapRequest>, where = space()): string =>
  short(mapRefusal(request(more), where));

describe("MAP_DMA is refused", () => {
  it("not at all when every rule is kept", () => {
    equal([1, 2, 3].map((flags) => map({ flags })), ["allowed", "allowed", "allowed"]);
    equal(map({ vaddr: undefined }), "allowed");
    equal(map({ size: PAGE }), "allowed");
  });

  it("without a right to read or write", () => {
    equal(map({ flags: 0 }), `map.rights ${EINVAL}`);
    equal(map({ flags: 5 }), `map.rights ${EINVAL}`);
    equal(map({ flags: 8 }), `map.flags ${EINVAL}`);
  });

  it("with VADDR, unless one whole mapping has lost its address", () => {
    const moving = space([[16, 4], [20, 4]], { isMoving: ({ iova }) => iova === pages(16) });
    equal(map({ flags: 4 }), "map.vaddr-none 2");
    equal(map({ flags: 4 }, moving), "allowed");
    equal(map({ flags: 4, iova: pages(20) }, moving), `map.vaddr ${EINVAL}`);
    equal(map({ flags: 4, size: pages(8) }, moving), `map.vaddr ${EINVAL}`);
  });

  it("for no bytes", () => equal(map({ size: 0n }), `map.size ${EINVAL}`));

  it("for what is no whole number of pages, in each of the three numbers", () => {
    for (const field of ["size", "iova", "vaddr"] as const) {
      for (const by of [1n, 0x800n, 0xfffn]) {
        const wrong = pages(32) + by;
        const refusal = mapRefusal(request({ [field]: wrong }), space());
        equal(short(refusal), `map.align ${EINVAL}`);
        const name = field === "vaddr" ? "the memory's address" : field;
        match(refusal!.reason, new RegExp(`^${name} must be a multiple of .* 0x1000; got 0x20`));
      }
    }
  });

  it("for a page size larger than 4 KiB, by that size", () => {
    const large = space([], { pageSize: 0x1_0000n });
    equal(map({ iova: 0x1_0000n, size: 0x1_0000n }, large), "allowed");
    equal(map({ iova: 0x1_1000n, size: 0x1_0000n }, large), `map.align ${EINVAL}`);
  });

  it("beyond 2^64, and not at it", () => {
    equal(map({ iova: TOP - pages(4) }), "allowed");
    equal(map({ iova: TOP - pages(3) }), `map.wrap ${EINVAL}`);
    equal(map({ vaddr: TOP - pages(4) }), "allowed");
    equal(map({ vaddr: TOP - pages(3) }), `map.wrap ${EINVAL}`);
  });

  it("beyond 2^64 with EOVERFLOW since v6.18, and before its other mistakes", () => {
    const since = space([], { behaviour: SINCE_V7 });
    equal(map({ iova: TOP - pages(3) }, since), "map.wrap 75");
    equal(map({ iova: TOP - pages(3), flags: 0 }, since), "map.wrap 75");
    equal(map({ iova: TOP - pages(3), flags: 0 }), `map.rights ${EINVAL}`);
    equal(map({ iova: TOP - pages(3), size: 0n, flags: 0 }, since), `map.size ${EINVAL}`);
  });

  it("over another mapping, and not beside it", () => {
    const where = space([[10, 6], [20, 4]]);
    equal(map({}, where), "allowed");
    const over = [[15, 1], [10, 6], [9, 2], [14, 8], [12, 1], [0, 99]] as const;
    for (const [first, count] of over) {
      equal(map({ iova: pages(first), size: pages(count) }, where), "map.overlap 17");
    }
    const refusal = mapRefusal(request({ iova: pages(15), size: PAGE }), where);
    equal(refusal?.reason, "0xf000..0xffff overlaps the mapping 0xa000..0xffff");
  });

  it("when no entry is left", () => {
    equal(map({}, space([], { entriesLeft: 1 })), "allowed");
    equal(map({}, space([], { entriesLeft: 0 })), "map.entries 28");
  });

  it("outside the ranges of the container, or over the gap between two", () => {
    const ranges = [{ start: 0n, end: pages(18) - 1n }, { start: pages(20), end: pages(99) - 1n }];
    const at = (first: number, count: number): string =>
      map({ iova: pages(first), size: pages(count) }, space([], { ranges }));
    equal([at(0, 18), at(20, 79)], ["allowed", "allowed"]);
    const outside = [at(0, 19), at(18, 1), at(17, 4), at(19, 2), at(20, 80), at(99, 1), at(200, 1)];
    equal(outside, Array(7).fill(`map.iova-range ${EINVAL}`));
    const refusal = mapRefusal(request({ iova: pages(18), size: PAGE }), space([], { ranges }));
    match(refusal!.reason, /outside the IOVA ranges of the container: 0x0\.\.0x11fff, 0x14000\.\./);
  });

  it("outside, where there is no range at all", () => {
    equal(map({}, space([], { ranges: [] })), `map.iova-range ${EINVAL}`);
  });
});

describe("MAP_DMA with several mistakes", () => {
  // Each row is wrong in its own way and in all the ways below it: the kernel finds the first.
  const where = space([[16, 4]], { entriesLeft: 0, ranges: [] });
  const wrap = { iova: TOP - PAGE, size: pages(2) };
  const rows: readonly (readonly [string, Partial<MapRequest>])[] = [
    ["map.rights 22", { flags: 0, size: 0n, iova: 1n, vaddr: 1n }],
    ["map.size 22", { size: 0n, iova: 1n, vaddr: 1n }],
    ["map.align 22", { ...wrap, iova: TOP - PAGE + 1n }],
    ["map.wrap 22", wrap],
    ["map.overlap 17", {}],
    ["map.entries 28", { iova: pages(20) }],
  ];
  for (const [expected, more] of rows) {
    it(`names ${expected} first`, () => equal(map(more, where), expected));
  }
});
