import type { DirtyLabel } from "../../../lib/dirty/label.ts";
import { type DirtyRun, mergeRuns, type RunSource } from "../../../lib/dirty/run.ts";
import { equal } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";
import { Random } from "../random.ts";

const PAGE = 0x1000n;

const run = (first: number, pages: number): DirtyRun => ({
  iova: BigInt(first) * PAGE,
  size: BigInt(pages) * PAGE,
  pages,
});

/** A window with these runs. */
const windowOf = (label: DirtyLabel, ...list: readonly DirtyRun[]): RunSource => ({
  label,
  runs: () => list,
});

describe("mergeRuns", () => {
  it("joins what two windows split", () => {
    const windows = [
      windowOf("all-mapped", run(0, 2), run(5, 3)),
      windowOf("all-mapped", run(8, 1), run(10, 1)),
    ];
    equal([...mergeRuns(windows)], [
      { ...run(0, 2), label: "all-mapped" },
      { ...run(5, 4), label: "all-mapped" },
      { ...run(10, 1), label: "all-mapped" },
    ]);
  });

  it("joins through any number of windows", () => {
    const windows = [0, 1, 2, 3].map((i) => windowOf("written", run(i * 4, 4)));
    equal([...mergeRuns(windows)], [{ ...run(0, 16), label: "written" }]);
  });

  it("keeps apart what means different things", () => {
    const windows = [windowOf("all-mapped", run(0, 4)), windowOf("pinned-scope", run(4, 4))];
    equal([...mergeRuns(windows)], [
      { ...run(0, 4), label: "all-mapped" },
      { ...run(4, 4), label: "pinned-scope" },
    ]);
  });

  it("keeps apart what does not touch", () => {
    const windows = [windowOf("written", run(0, 4)), windowOf("written", run(5, 1))];
    equal([...mergeRuns(windows)].length, 2);
  });

  it("skips windows that are clean", () => {
    const windows = [
      windowOf("written", run(0, 1)),
      windowOf("incomplete"),
      windowOf("written", run(1, 1)),
    ];
    equal([...mergeRuns(windows)], [{ ...run(0, 2), label: "written" }]);
    equal([[...mergeRuns([])], [...mergeRuns([windowOf("written")])]], [[], []]);
  });

  it("finishes each window before it asks for the next, so that they may share a buffer", () => {
    const log: string[] = [];
    function* runs(name: string, ...list: DirtyRun[]): Generator<DirtyRun> {
      for (const one of list) {
        log.push(`${name} run`);
        yield one;
      }
      log.push(`${name} end`);
    }
    function* windows(): Generator<RunSource> {
      log.push("ask a");
      yield { label: "written", runs: () => runs("a", run(0, 1), run(2, 1)) };
      log.push("ask b");
      yield { label: "written", runs: () => runs("b", run(3, 1)) };
    }
    equal([...mergeRuns(windows())].map(({ pages }) => pages), [1, 2]);
    equal(log, ["ask a", "a run", "a run", "a end", "ask b", "b run", "b end"]);
  });

  it("does not change the runs it is given, nor gives one object twice", () => {
    const first = Object.freeze(run(0, 1));
    const given = [...mergeRuns([windowOf("written", first), windowOf("written", run(1, 1))])];
    equal([first.pages, given.length, given[0]?.pages], [1, 1, 2]);
  });

  it("gives the same pages however windows cut the memory, and no runs that touch", () => {
    const random = new Random(11);
    for (let round = 0; round < 300; round += 1) {
      const dirty = Array.from({ length: 60 }, () => random.chance(0.6));
      const windows: RunSource[] = [];
      for (let at = 0; at < dirty.length;) {
        const end = Math.min(dirty.length, at + 1 + random.below(12));
        const list: DirtyRun[] = [];
        for (let page = at; page < end; page += 1) {
          const last = list.at(-1);
          if (!dirty[page]) continue;
          if (last !== undefined && last.iova + last.size === BigInt(page) * PAGE) {
            list[list.length - 1] = run(page - last.pages, last.pages + 1);
          } else list.push(run(page, 1));
        }
        windows.push(windowOf("written", ...list));
        at = end;
      }
      const merged = [...mergeRuns(windows)];
      const pages = merged.flatMap(({ iova, pages }) =>
        Array.from({ length: pages }, (_, i) => Number(iova / PAGE) + i)
      );
      equal(pages, dirty.flatMap((is, page) => is ? [page] : []));
      merged.slice(1).forEach((one, i) => {
        const before = merged[i]!;
        equal(before.iova + before.size < one.iova, true);
      });
    }
  });
});
