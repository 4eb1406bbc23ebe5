import { compare, compareWith } from "../../../lib/conform/compare.ts";
import type { Answers, Check, Outcome } from "../../../lib/conform/check.ts";
import { CHECKS } from "../../../lib/conform/checks.ts";
import { explainRule, FLOWS } from "../../../lib/conform/flow.ts";
import type { Recording } from "../../../lib/conform/recording.ts";
import { ruleNamed, RULES } from "../../../lib/rules/table.ts";
import { equal, ok } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";

const check = (name: string): Check => ({
  name,
  rule: "map.overlap",
  needs: [],
  run: () => {},
});
const outcome = (name: string, answers?: Answers): Outcome =>
  answers === undefined
    ? { check: check(name), skipped: "no device" }
    : { check: check(name), answers };
const recording = (name: string, answers: Record<string, Answers>): Recording => ({
  name,
  release: name,
  version: name,
  date: "2026-01-02",
  profiles: [],
  missing: {},
  answers,
});

describe("a comparison", () => {
  it("counts the steps that both have, and tells where they differ", () => {
    const outcomes = [
      outcome("a", { MAP: "OK", UNMAP: "EINVAL" }),
      outcome("b"),
      outcome("c", { MAP: "OK" }),
    ];
    const found = compareWith(outcomes, recording("x", { a: { MAP: "OK", UNMAP: "OK" }, b: {} }));
    equal([found.steps, found.unrecorded], [2, ["c"]]);
    equal(
      found.differences.map(({ check, step, recorded, answered }) => [
        check,
        step,
        recorded,
        answered,
      ]),
      [["a", "UNMAP", "OK", "EINVAL"]],
    );
    equal(found.differences[0]?.source, "vfio_dma_do_map");
  });

  it("counts steps that only one of them reached", () => {
    const found = compareWith(
      [outcome("a", { MAP: "OK", more: "1" })],
      recording("x", { a: { MAP: "OK", less: "2" } }),
    );
    equal(found.differences.map(({ step, recorded, answered }) => [step, recorded, answered]), [
      ["less", "2", undefined],
      ["more", undefined, "1"],
    ]);
  });

  it("ranks by the checks that all recordings have: one that lacks some is no nearer for it", () => {
    const outcomes = [outcome("a", { x: "1" }), outcome("b", { x: "1", y: "1" })];
    const few = recording("few", { a: { x: "2" } });
    const many = recording("many", { a: { x: "1" }, b: { x: "2", y: "2" } });
    equal(compare(outcomes, [few, many]).map((found) => found.recording.name), ["many", "few"]);
  });

  it("puts the recording first that differs in the fewest steps, then the larger one", () => {
    const outcomes = [outcome("a", { x: "1" }), outcome("b", { x: "1" })];
    const far = recording("far", { a: { x: "2" }, b: { x: "1" } });
    const small = recording("small", { a: { x: "1" } });
    const whole = recording("whole", { a: { x: "1" }, b: { x: "1" } });
    const order = compare(outcomes, [far, small, whole]).map((found) => found.recording.name);
    equal(order, ["whole", "small", "far"]);
  });
});

describe("the suite", () => {
  it("names each check once, after its family", () => {
    equal(new Set(CHECKS.map(({ name }) => name)).size, CHECKS.length);
    equal(CHECKS.filter(({ name }) => !/^[a-z ]+: \S/.test(name)), []);
  });

  it("has for each check a rule, or a behaviour that is none", () => {
    equal(CHECKS.filter(({ rule }) => explainRule(rule) === undefined).map(({ rule }) => rule), []);
    equal(Object.keys(FLOWS).filter((name) => ruleNamed(name) !== undefined), []);
    const used = new Set(CHECKS.map(({ rule }) => rule));
    equal(Object.keys(FLOWS).filter((name) => !used.has(name)), []);
  });

  it("has a check for each rule that a program can break", () => {
    const used = new Set(CHECKS.map(({ rule }) => rule));
    const without = Object.values(RULES).flat().map(({ name }) => name)
      .filter((name) => !used.has(name));
    // The kernel must be out of memory, be built without iommufd beside a device that logs, or the
    // suite must be without a capability.
    equal([...new Set(without)].sort(), ["dirty.memory", "log.bitmaps", "option.capability"]);
    ok(CHECKS.length > 300);
  });
});
