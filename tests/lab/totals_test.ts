import { equal } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { add, countBoot, countCases, none, summary } from "./totals.ts";

const report = `<testsuites name="deno test" tests="8" failures="2">
  <testsuite name="./a_test.ts" tests="8">
    <testcase name="top" classname="a" time="0.001" line="2" col="6">
    </testcase>
    <testcase name="flat &quot;1&quot;" classname="a"></testcase>
    <testcase name="ignored" classname="a"><skipped/></testcase>
    <testcase name="bad" classname="a"><failure message="1 test step failed">x</failure></testcase>
    <testcase name="top &gt; s1" classname="a">
    </testcase>
    <testcase name="top &gt; s2" classname="a"><skipped/></testcase>
    <testcase name="bad &gt; s3" classname="a">
      <failure message="Uncaught Error: x">Error: x</failure>
    </testcase>
  </testsuite>
</testsuites>`;

describe("totals", () => {
  it("count steps instead of the tests that hold them", () => {
    equal(countCases(report), { passed: 2, failed: 1, skipped: 2 });
  });

  it("count a test that failed beside its steps", () => {
    const own = report.replace("1 test step failed", "Uncaught Error: leak");
    equal(countCases(own), { passed: 2, failed: 2, skipped: 2 });
  });

  it("do not count what a filter left out", () => {
    equal(countCases(report, "top"), { passed: 2, failed: 1, skipped: 1 });
  });

  it("count a boot that died as a failure, and what had passed is not known", () => {
    equal(countBoot({ status: undefined, report: undefined }), { ...none, failed: 1 });
  });

  it("count a boot that failed without a failing test as a failure", () => {
    const good = '<testcase name="a" classname="a"></testcase>';
    equal(countBoot({ status: 1, report: good }), { passed: 1, failed: 1, skipped: 0 });
    equal(countBoot({ status: 0, report: good }), { passed: 1, failed: 0, skipped: 0 });
    equal(countBoot({ status: 1, report }), { passed: 2, failed: 1, skipped: 2 });
  });

  it("add up and print as one line", () => {
    const sum = add({ passed: 3, failed: 0, skipped: 1 }, { passed: 2, failed: 1, skipped: 0 });
    equal(
      summary(sum, 2, ["6.12", "6.12"]),
      "kernel tests: 5 passed, 1 failed, 1 skipped (in 2 boots on 6.12)",
    );
  });
});
