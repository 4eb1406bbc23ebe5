import { DirtyMap } from "../../../lib/dirty/dirty_map.ts";
import { packFrame } from "../../../lib/dirty/frame.ts";
import { DirtyWindow, type WindowInit } from "../../../lib/dirty/window.ts";
import { equal, throws } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";

const PAGE = 4096n;
const TOP = 1n << 64n;

const windowOf = (change: object = {}): DirtyWindow => {
  const bitmap = { words: new Uint32Array(2), generation: 0 };
  const init = { iova: 0n, size: 64n * PAGE, pageSize: PAGE, label: "written", bitmap };
  return new DirtyWindow({ ...init, ...change } as WindowInit);
};

const full = (): DirtyMap => new DirtyMap(PAGE).addRange(0n, 4).addRange(TOP - PAGE, 1);

/** Refusals by name: what is done, and what its error says, with the wanted and the given value. */
type Cases<E> = Readonly<Record<string, readonly [() => unknown, new () => E, string]>>;

function all<E extends Error>(cases: Cases<E>): void {
  for (const [name, [act, kind, message]] of Object.entries(cases)) {
    it(`refuses ${name}`, () => void throws(act, kind, message));
  }
}

const wrong = <T>(value: unknown): T => value as T;

describe("a window", () => {
  const outside = "A window must lie from address 0 to 0x10000000000000000; got";
  all({
    "a size below 0": [() => windowOf({ size: -PAGE }), RangeError, `${outside} -4096 bytes at 0`],
    "an address below 0": [() => windowOf({ iova: -PAGE }), RangeError, "262144 bytes at -4096"],
    "an end above 64 bits": [() => windowOf({ iova: TOP - 63n * PAGE }), RangeError, outside],
    "more pages than one read has": [
      () => windowOf({ size: PAGE * ((1n << 31n) + 1n) }),
      RangeError,
      "at most 2147483648 pages, as one read has; got 2147483649",
    ],
    "a number as address": [() => windowOf({ iova: 0 }), TypeError, "iova must be a bigint"],
    "a number as size": [() => windowOf({ size: 4096 }), TypeError, "size must be a bigint"],
    "a number as page size": [
      () => windowOf({ pageSize: 4096 }),
      TypeError,
      "pageSize must be a bigint, as 0x1000n; got the number 4096",
    ],
    "no bitmap": [() => windowOf({ bitmap: undefined }), TypeError, "bitmap must be an object"],
    "bytes as words": [
      () => windowOf({ bitmap: { words: new Uint8Array(8), generation: 0 } }),
      TypeError,
      "bitmap.words must be a Uint32Array; got an object of class Uint8Array",
    ],
    "a number where it is asked for a page": [
      () => windowOf().has(wrong(5)),
      TypeError,
      "iova must be a bigint, as 0x1000n; got the number 5",
    ],
  });

  it("may end where 64 bits do", () => {
    equal(windowOf({ iova: TOP - 64n * PAGE }).has(TOP - 1n), false);
  });
});

describe("a set of pages", () => {
  const outside = "Pages of 0x1000 bytes must lie from address 0 to 0x10000000000000000; got";
  const run = (iova: unknown, pages: unknown): () => DirtyMap => () =>
    full().add(wrong({ pageSize: PAGE, runs: () => [{ iova, pages }] }));
  all({
    "pages below address 0": [
      () => full().addRange(-3n * PAGE, 2),
      RangeError,
      `${outside} 2 at -12288`,
    ],
    "pages above 64 bits": [
      () => full().addRange(TOP - PAGE, 2),
      RangeError,
      `${outside} 2 at 0xfffffffffffff000`,
    ],
    "taking out pages below address 0": [
      () => full().deleteRange(-PAGE, 3),
      RangeError,
      `${outside} 3 at -4096`,
    ],
    "taking out pages above 64 bits": [() => full().deleteRange(TOP, 1), RangeError, outside],
    "a run above 64 bits": [run(TOP, 1), RangeError, outside],
    "a run of a part of a page": [run(0n, 1.5), RangeError, "at least 0; got 1.5"],
    "a run of no number": [run(0n, NaN), RangeError, "at least 0; got NaN"],
    "a run at a number": [run(0, 1), TypeError, "iova must be a bigint"],
    "pages that numbers cannot tell apart": [
      () => new DirtyMap(1n).addRange((1n << 53n) - 1n, 2),
      RangeError,
      "Pages of 0x1 bytes must lie from address 0 to 0x20000000000000; got 2 at 0x1fffffffffffff",
    ],
    "parts of pages that numbers cannot tell apart": [
      () => full().withPageSize(1n),
      RangeError,
      "got 4096 at 0xfffffffffffff000",
    ],
    "nothing to add": [() => full().add(wrong(undefined)), TypeError, "source must be an object"],
    "what has no runs": [
      () => full().add(wrong({ pageSize: PAGE })),
      TypeError,
      "source.runs must be a function; got undefined",
    ],
    "a window in the place of a set": [
      () => full().union(wrong(windowOf())),
      TypeError,
      "The other must be a DirtyMap; got an object of class DirtyWindow",
    ],
    "nothing in the place of a set": [
      () => full().churn(wrong(undefined), PAGE),
      TypeError,
      "The other must be a DirtyMap; got undefined",
    ],
    "to count below address 0": [
      () => full().countEach([{ iova: -PAGE, size: PAGE }]),
      RangeError,
      "A range must lie from address 0 to 0x10000000000000000; got 4096 bytes at -4096",
    ],
    "to count above 64 bits": [
      () => full().countEach([{ iova: TOP - PAGE, size: 2n * PAGE }]),
      RangeError,
      "got 8192 bytes at 18446744073709547520",
    ],
    "an array as a frame": [() => DirtyMap.fromBytes(wrong([1])), TypeError, "got an array"],
    "a frame of pages that numbers cannot tell apart": [
      () =>
        DirtyMap.fromBytes(
          packFrame("page", Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, ...Array(5).fill(128), 8, 1)),
        ),
      RangeError,
      "a number of at most 274877906943; got 274877906944",
    ],
  });

  it("has no page outside of 64 bits", () => {
    const map = full();
    equal([-1n, -PAGE, TOP, TOP + PAGE].map((iova) => map.has(iova)), Array(4).fill(false));
    equal([map.count, map.has(TOP - 1n), map.has(0n)], [5, true, true]);
  });

  it("takes the last page below 2^64, takes it out, and comes back from its frame", () => {
    const map = full();
    equal(DirtyMap.fromBytes(map.toBytes()).equals(map), true);
    equal(map.countEach([{ iova: TOP - PAGE, size: PAGE }]), [1]);
    equal(map.deleteRange(TOP - PAGE, 1).count, 4);
    equal(new DirtyMap(1n).addRange((1n << 53n) - 1n, 1).count, 1);
  });
});
