import { crossCheck, type CrossRun } from "../../../lib/dirty/cross_check.ts";
import type { DirtyLabel } from "../../../lib/dirty/label.ts";
import { DirtyWindow } from "../../../lib/dirty/window.ts";
import { equal, throws } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";

const PAGE = 4096n;

/** A window of `pages` pages from page `first` on; the listed ones are dirty. */
function window(
  first: number,
  pages: number,
  dirty: readonly number[],
  { label = "written", pageSize = PAGE }: { label?: DirtyLabel; pageSize?: bigint } = {},
): DirtyWindow {
  const words = new Uint32Array(Math.ceil(pages / 64) * 2);
  for (const page of dirty) words[(page - first) >> 5]! |= 1 << ((page - first) & 31);
  const iova = BigInt(first) * pageSize;
  const size = BigInt(pages) * pageSize;
  return new DirtyWindow({ iova, size, pageSize, label, bitmap: { words, generation: 0 } });
}

const check = (a: readonly DirtyWindow[], b: readonly DirtyWindow[]) =>
  crossCheck({ source: "hwpt", windows: a }, { source: "log", windows: b });

const show = ({ only, iova, pages, a, b }: CrossRun): string =>
  `${only} ${iova / PAGE}+${pages} ${a.join("|")} ${b.join("|")}`;

describe("crossCheck", () => {
  it("finds nothing where both report the same, in windows of any shape", () => {
    const found = check(
      [window(0, 64, [0, 5, 63]), window(64, 70, [64, 133])],
      [window(0, 134, [0, 5, 63, 64, 133])],
    );
    equal(found, {
      sources: ["hwpt", "log"],
      pageSize: PAGE,
      pages: 134,
      both: 5,
      differences: [],
      unread: { a: 0, b: 0 },
    });
  });

  it("lists what only one reports, as runs with the labels of both", () => {
    const found = check(
      [window(0, 64, [1, 2, 3, 10]), window(64, 64, [64], { label: "incomplete" })],
      [window(0, 128, [3, 10, 20, 63, 64, 65], { label: "all-mapped" })],
    );
    equal(found.differences.map(show), [
      "a 1+2 written all-mapped",
      "b 20+1 written all-mapped",
      "b 63+1 written all-mapped",
      "b 65+1 incomplete all-mapped",
    ]);
    equal([found.both, found.pages], [3, 128]);
  });

  it("names all labels of a run that reaches over windows", () => {
    const found = check(
      [window(0, 64, []), window(64, 64, [], { label: "unknown" })],
      [window(0, 128, [63, 64])],
    );
    equal(found.differences.map(show), ["b 63+2 written|unknown written"]);
  });

  it("compares only what both have read, and counts the rest", () => {
    const found = check([window(0, 64, [0, 40, 63])], [window(32, 100, [40, 100])]);
    equal(found.differences.map(show), ["a 63+1 written written"]);
    equal([found.pages, found.both, found.unread], [32, 1, { a: 68, b: 32 }]);
    const apart = check([window(0, 8, [1])], []);
    equal([apart.pages, apart.differences, apart.unread], [0, [], { a: 0, b: 8 }]);
    equal(check([], []).pages, 0);
  });

  it("takes the larger page where they differ, and no page that was read in part", () => {
    const pageSize = 4n * PAGE;
    const found = check(
      [window(2, 62, [2, 5, 17])],
      [window(0, 16, [1, 2], { pageSize })], // pages 4 to 11 of the other
    );
    equal(found.pageSize, pageSize);
    equal(found.differences.map(({ only, iova, size }) => [only, iova / PAGE, size / PAGE]), [
      ["a", 16n, 4n],
      ["b", 8n, 4n],
    ]);
    equal([found.pages, found.both, found.unread], [15, 1, { a: 1, b: 0 }]);
  });

  it("refuses pages of several sizes on one side", () => {
    const mixed = [window(0, 8, []), window(8, 8, [], { pageSize: 2n * PAGE })];
    throws(() => check(mixed, []), RangeError, "of hwpt have pages of 0x1000 and 0x2000");
  });

  it("looks at each window while it is current, as a drain gives them", () => {
    const words = new Uint32Array(2);
    const memory = { words, generation: 0 };
    function* drain(): Generator<DirtyWindow> {
      for (const first of [0, 64]) {
        memory.generation += 1;
        words[0] = 1;
        const iova = BigInt(first) * PAGE;
        yield new DirtyWindow({
          iova,
          size: 64n * PAGE,
          pageSize: PAGE,
          label: "written",
          bitmap: memory,
        });
      }
    }
    const found = crossCheck(
      { source: "a", windows: drain() },
      { source: "b", windows: [window(0, 128, [64])] },
    );
    equal(found.differences.map(show), ["a 0+1 written written"]);
  });
});
