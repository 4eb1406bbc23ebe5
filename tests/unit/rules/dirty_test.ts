import {
  DIRTY_BITMAP_PAGES_MAX,
  DIRTY_BITMAP_SIZE_MAX,
  type DirtyRequest,
  getBitmapRefusal,
  startRefusal,
} from "../../../lib/rules/dirty.ts";
import { equal, match } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";
import { PAGE, pages, short, space, TOP } from "./space.ts";

const where = space([[16, 4], [20, 4], [512, 212]]);

/** A request whose bitmap fits, unless it is said otherwise. */
function request(more: Partial<DirtyRequest> = {}): DirtyRequest {
  const size = more.size ?? pages(4);
  const words = (size / PAGE + 63n) / 64n;
  return { iova: pages(16), size, bitmap: { pageSize: PAGE, size: words * 8n }, ...more };
}

const get = (more: Partial<DirtyRequest>, tracking = true): string =>
  short(getBitmapRefusal(request(more), where, tracking));

/** A read of the mapping of 212 pages, with a bitmap of so many bytes. */
const bytes = (size: bigint, pageSize = PAGE): string =>
  get({ iova: pages(512), size: pages(212), bitmap: { pageSize, size } });

describe("GET_BITMAP is refused", () => {
  it("not at all for one mapping, neighbours, gaps, or nothing mapped", () => {
    const at = (first: number, count: number): string =>
      get({ iova: pages(first), size: pages(count) });
    equal(
      [at(16, 4), at(16, 8), at(0, 16), at(0, 24), at(24, 488), at(16, 708), at(1000, 1)],
      Array(7).fill("allowed"),
    );
  });

  it("for no bytes", () => equal(get({ size: 0n }), "dirty.size 22"));

  it("at 2^64 and beyond it", () => {
    equal(get({ iova: TOP - pages(5) }), "allowed");
    equal(get({ iova: TOP - pages(4) }), "dirty.wrap 22");
    equal(get({ iova: TOP - pages(3) }), "dirty.wrap 22");
  });

  it("when 212 pages have less than 32 bytes", () => {
    equal(
      [0n, 8n, 24n, 27n, 31n].map((size) => bytes(size)),
      Array(5).fill("dirty.bitmap-size 22"),
    );
    equal([32n, 33n, 40n, 4096n].map((size) => bytes(size)), Array(4).fill("allowed"));
    const refusal = getBitmapRefusal(
      request({ iova: pages(512), size: pages(212), bitmap: { pageSize: PAGE, size: 31n } }),
      where,
      true,
    );
    equal(refusal?.reason, "the bitmap needs 32 bytes for 212 pages; got 31");
  });

  it("at each edge of a word, for one page more than the bitmap has bits", () => {
    for (const [count, size] of [[63, 8], [64, 8], [65, 16], [128, 16], [129, 24]] as const) {
      const at = (have: bigint): string =>
        get({
          iova: pages(1000),
          size: pages(count),
          bitmap: { pageSize: PAGE, size: have },
        });
      equal([at(BigInt(size) - 1n), at(BigInt(size))], ["dirty.bitmap-size 22", "allowed"]);
    }
  });

  it("for a bitmap of more than 256 MiB", () => {
    equal(bytes(BigInt(DIRTY_BITMAP_SIZE_MAX)), "allowed");
    equal(bytes(BigInt(DIRTY_BITMAP_SIZE_MAX) + 1n), "dirty.bitmap-max 22");
    equal(DIRTY_BITMAP_SIZE_MAX, 256 << 20);
    equal(get({ iova: 0n, size: 1n << 43n }), "allowed");
    equal(get({ iova: 0n, size: (1n << 43n) + PAGE }), "dirty.bitmap-max 22");
  });

  it("for any other page size than the smallest, large or small, or none", () => {
    equal([0x2000n, 0x20_0000n].map((size) => bytes(32n, size)), [
      "dirty.page-size 22",
      // 212 pages of 4 KiB are less than one of 2 MiB.
      "dirty.bitmap-size 22",
    ]);
    // With smaller pages the bitmap that was right is too small; the kernel looks at that first.
    equal([bytes(32n, 0x800n), bytes(64n, 0x800n)], ["dirty.bitmap-size 22", "dirty.page-size 22"]);
    equal(bytes(32n, 0n), "dirty.bitmap-size 22");
    // What is no power of two counts by its lowest bit.
    equal([bytes(24n, 0x3000n), bytes(32n, 0x3000n)], [
      "dirty.bitmap-size 22",
      "dirty.page-size 22",
    ]);
  });

  it("for a range that is no whole number of pages", () => {
    equal([get({ iova: pages(16) + 1n }), get({ iova: 0x800n })], [
      "dirty.align 22",
      "dirty.align 22",
    ]);
    equal(get({ size: pages(4) + 1n }), "dirty.align 22");
    // Less than a page has no bit.
    equal(get({ size: 0x800n, bitmap: { pageSize: PAGE, size: 8n } }), "dirty.bitmap-size 22");
  });

  it("before START", () => {
    equal(get({}, false), "dirty.started 22");
    // A range with nothing mapped is refused too.
    equal(get({ iova: pages(1000) }, false), "dirty.started 22");
  });

  it("where it cuts a mapping at its head, its tail or in its middle", () => {
    for (const [first, count] of [[17, 3], [16, 3], [17, 1], [15, 3], [16, 7], [17, 7], [0, 513]]) {
      equal(get({ iova: pages(first!), size: pages(count!) }), "dirty.cut 22");
    }
    const refusal = getBitmapRefusal(request({ iova: pages(17), size: PAGE }), where, true);
    equal(refusal?.reason, "0x11000..0x11fff cuts the mapping 0x10000..0x13fff");
  });
});

describe("GET_BITMAP with several mistakes", () => {
  const small = { pageSize: 0x2000n, size: 0n };
  const other = { pageSize: 0x2000n, size: 8n };
  const mine = { pageSize: PAGE, size: 8n };
  // Each row is wrong in its own way and in all the ways below it.
  const rows: readonly (readonly [string, Partial<DirtyRequest>, boolean])[] = [
    ["dirty.size 22", { size: 0n, iova: 17n, bitmap: small }, false],
    ["dirty.wrap 22", { iova: TOP - 1n, bitmap: small }, false],
    ["dirty.bitmap-size 22", { iova: pages(17) + 1n, bitmap: small }, false],
    ["dirty.page-size 22", { iova: pages(17) + 1n, bitmap: other }, false],
    ["dirty.align 22", { iova: pages(17) + 1n, bitmap: mine }, false],
    ["dirty.started 22", { iova: pages(17), bitmap: mine }, false],
    ["dirty.cut 22", { iova: pages(17), bitmap: mine }, true],
  ];
  for (const [expected, more, tracking] of rows) {
    it(`names ${expected} first`, () => equal(get(more, tracking), expected));
  }
});

describe("START is refused", () => {
  const mappings = (count: number): { iova: bigint; size: bigint }[] => [
    { iova: 0n, size: PAGE },
    { iova: PAGE, size: pages(count) },
  ];

  it("for a mapping with more pages than a bitmap has bits", () => {
    equal(DIRTY_BITMAP_PAGES_MAX, 2 ** 31 - 1);
    equal(short(startRefusal(mappings(DIRTY_BITMAP_PAGES_MAX), PAGE)), "allowed");
    const refusal = startRefusal(mappings(DIRTY_BITMAP_PAGES_MAX + 1), PAGE);
    equal(short(refusal), "dirty.pages-max 22");
    match(refusal!.reason, /has 2147483648 pages, and at most 2147483647 can be tracked in one/);
  });

  it("not without mappings", () => equal(startRefusal([], PAGE), undefined));
});
