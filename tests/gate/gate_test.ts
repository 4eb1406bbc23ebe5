import { equal, match, ok } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { wanted } from "../run.ts";
import { runChild } from "./child.ts";
import { parseLcov, percent, total } from "./coverage.ts";
import { findPinned } from "./pinned.ts";

describe("the command line of the test task", () => {
  it("runs tests and documentation without a path", () => {
    equal(wanted(["--fail-fast"]), {
      tests: ["tests"],
      docs: ["mod.ts", "lib"],
      flags: ["--fail-fast"],
    });
  });

  it("takes what is no path for a flag of deno test, and --filter with its text", () => {
    const { tests, flags } = wanted(["--", "--filter", "tests", "--seed=1"]);
    equal([tests, flags], [["tests"], ["--filter=tests", "--seed=1"]]);
  });

  it("tells tests from documentation", () => {
    const { tests, docs } = wanted(["tests/lint", "lib/base/error.ts", "mod.ts"]);
    equal([tests, docs], [["tests/lint"], ["lib/base/error.ts", "mod.ts"]]);
  });
});

describe("a child", () => {
  const deno = (code: string): [string, ...string[]] => [Deno.execPath(), "eval", code];

  it("gives its output and its status", async () => {
    const result = await runChild(deno("console.log(1); console.error(2); Deno.exit(3)"), {
      seconds: 30,
      output: "keep",
    });
    equal([result.code, result.timedOut], [3, false]);
    match(result.text, /^1\n2\n$/);
  });

  it("is killed after its time, with its own children, whatever signals it ignores", async () => {
    const command: [string, ...string[]] = ["sh", "-c", "trap '' TERM INT; sleep 60 & wait; wait"];
    const start = performance.now();
    // Output ends when the last process that holds the pipe has ended: the inner sleep too.
    const result = await runChild(command, { seconds: 0.3, output: "keep" });
    equal([result.code, result.timedOut], [124, true]);
    ok(performance.now() - start < 20_000, "the inner sleep was not killed");
  });
});

describe("coverage", () => {
  it("reads lines and branches of each file", () => {
    const text = "SF:/a.ts\nBRF:4\nBRH:1\nDA:1,0\nLH:3\nLF:10\nend_of_record\n" +
      "SF:/b.ts\nLH:1\nLF:2\nend_of_record\n";
    equal(parseLcov(text), [
      { path: "/a.ts", lines: { hit: 3, found: 10 }, branches: { hit: 1, found: 4 } },
      { path: "/b.ts", lines: { hit: 1, found: 2 }, branches: { hit: 0, found: 0 } },
    ]);
  });

  it("weighs files by their size", () => {
    const sum = total([{ hit: 1, found: 2 }, { hit: 0, found: 6 }]);
    equal([sum, percent(sum), percent(total([]))], [{ hit: 1, found: 8 }, 12.5, 100]);
  });
});

describe("the pinned Deno", () => {
  it("is the running one when the versions are equal", async () => {
    const version = Deno.readTextFileSync(new URL("../../.deno-version", import.meta.url)).trim();
    equal(await findPinned(version), { path: Deno.execPath(), note: undefined });
  });
});
