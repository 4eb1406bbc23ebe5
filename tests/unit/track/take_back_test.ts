import { type Extent, ExtentSet } from "../../../lib/base/extent.ts";
import { DirtyMap, type PageRuns } from "../../../lib/dirty/dirty_map.ts";
import { sortOut } from "../../../lib/track/take_back.ts";
import type { TakenWindow } from "../../../lib/track/tracker_types.ts";
import { equal } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";

const PAGE = 4096n;
const at = (page: number, pages = 64): Extent => ({
  iova: BigInt(page) * PAGE,
  size: BigInt(pages) * PAGE,
});

const mapOf = (...pages: readonly number[]): DirtyMap => {
  const map = new DirtyMap(PAGE);
  for (const page of pages) map.addRange(BigInt(page) * PAGE, 1);
  return map;
};

const pagesOf = (from: PageRuns): number[] =>
  [...from.runs()].flatMap(({ iova, pages }) =>
    Array.from({ length: pages }, (_, i) => Number(iova / PAGE) + i)
  );

function taken(pieces: readonly Extent[]): TakenWindow {
  const { iova, size } = pieces[0]!;
  return { iova, size, label: "written", pieces, gone: undefined };
}

function mapped(...pieces: readonly Extent[]): ExtentSet<Extent> {
  const set = new ExtentSet<Extent>();
  for (const piece of pieces) set.add(piece);
  return set;
}

describe("pages that come back", () => {
  it("are kept for the mappings that are still there, up to their edges", () => {
    const [a, b] = [at(0), at(64)];
    const { kept, gone } = sortOut(
      mapOf(0, 63, 64, 127),
      [taken([a]), taken([b])],
      mapped(a, b),
    );
    equal([pagesOf(kept), gone], [[0, 63, 64, 127], []]);
  });

  it("are none of a mapping that lies where another one went", () => {
    const [a, b, c] = [at(0), at(64), at(128)];
    const { kept, gone } = sortOut(
      mapOf(0, 63, 64, 66, 127, 128),
      [taken([a, b]), taken([c])],
      mapped(a, at(64), c),
    );
    equal(pagesOf(kept), [0, 63, 128]);
    equal(gone.map((window) => [window.iova, window.size, window.label, pagesOf(window)]), [
      [b.iova, b.size, "written", [64, 66, 127]],
    ]);
  });

  it("of a mapping that went are given once, however often it was read", () => {
    const a = at(0);
    const { kept, gone } = sortOut(mapOf(1, 3), [taken([a]), taken([a])], mapped());
    equal([pagesOf(kept), gone.map(pagesOf)], [[], [[1, 3]]]);
  });

  it("are kept once too often rather than lost, where a mapping and the one after it were read", () => {
    const [before, now] = [at(0), at(0)];
    const { kept } = sortOut(mapOf(3, 5), [taken([before]), taken([now])], mapped(now));
    equal(pagesOf(kept), [3, 5]);
  });
});
