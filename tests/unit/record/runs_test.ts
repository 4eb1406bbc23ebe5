import { labelledRuns, RoundCompare } from "../../../lib/record/mod.ts";
import { DirtyMap } from "../../../mod.ts";
import { equal, throws } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";

const PAGE = 4096n;
const pages = (...runs: readonly (readonly [number, number])[]): DirtyMap => {
  const map = new DirtyMap(PAGE);
  for (const [first, count] of runs) map.addRange(BigInt(first) * PAGE, count);
  return map;
};
const extent = (first: number, count: number): { iova: bigint; size: bigint } => ({
  iova: BigInt(first) * PAGE,
  size: BigInt(count) * PAGE,
});

describe("labelledRuns", () => {
  const dirty = pages([2, 10], [20, 1]);
  const shown = (round: Parameters<typeof labelledRuns>[0]): unknown[] =>
    [...labelledRuns(round)].map(({ iova, pages, label }) => [Number(iova / PAGE), pages, label]);

  it("end where the label changes, and go on where it does not", () => {
    const windows = [
      { ...extent(8, 4), label: "all-mapped" as const },
      { ...extent(0, 4), label: "written" as const },
      { ...extent(4, 4), label: "written" as const },
      { ...extent(16, 8), label: "incomplete" as const },
    ];
    equal(shown({ dirty, labels: ["written", "all-mapped", "incomplete"], windows }), [
      [2, 6, "written"],
      [8, 4, "all-mapped"],
      [20, 1, "incomplete"],
    ]);
  });

  it("are unknown where windows are not known and labels differ", () => {
    equal(shown({ dirty, labels: ["written"] }), [[2, 10, "written"], [20, 1, "written"]]);
    equal(shown({ dirty, labels: ["written", "all-mapped"] })[0], [2, 10, "unknown"]);
    const windows = [{ ...extent(4, 2), label: "written" as const }];
    equal(shown({ dirty, labels: ["written", "all-mapped"], windows }), [
      [2, 2, "unknown"],
      [4, 2, "written"],
      [6, 6, "unknown"],
      [20, 1, "unknown"],
    ]);
  });
});

describe("RoundCompare", () => {
  it("counts by round, over all rounds and by mapping", () => {
    const compare = new RoundCompare(PAGE);
    equal(compare.add(pages([0, 4]), pages([2, 4])), { onlyA: 2, onlyB: 2, both: 2 });
    equal(compare.add(pages([4, 1]), undefined), { onlyA: 1, onlyB: 0, both: 0 });
    equal(compare.total(), { onlyA: 2, onlyB: 1, both: 3 });
    equal(compare.each([extent(0, 3), extent(3, 9)]), [
      { ...extent(0, 3), onlyA: 2, onlyB: 0, both: 1 },
      { ...extent(3, 9), onlyA: 0, onlyB: 1, both: 2 },
    ]);
    throws(() => compare.add(new DirtyMap(8192n), undefined), RangeError, "0x2000");
  });
});
