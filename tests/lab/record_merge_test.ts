import { equal } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { type GuestRun, mergeRuns } from "./record_merge.ts";

const run = (answers: GuestRun["answers"], skipped: GuestRun["skipped"] = {}): GuestRun => ({
  answers,
  skipped,
  milliseconds: 1,
});

describe("runs of the suite", () => {
  it("are brought together: skipped is what none could run", () => {
    const merged = mergeRuns(["a", "b", "c"], [
      run({ b: { x: "1" } }, { a: "no device", c: "no driver" }),
      run({ a: { y: "2" }, b: { x: "1" } }, { c: "other" }),
    ]);
    equal(merged, {
      answers: { a: { y: "2" }, b: { x: "1" } },
      skipped: { c: "no driver" },
      disagreements: [],
    });
    equal(Object.keys(merged.answers), ["a", "b"], "in the order of the suite");
  });

  it("that do not agree are told, step by step", () => {
    const merged = mergeRuns(["a"], [run({ a: { x: "1", y: "1" } }), run({ a: { x: "2" } })]);
    equal(merged.disagreements, ["a, x: 1, then 2", "a, y: 1, then not asked"]);
  });
});
