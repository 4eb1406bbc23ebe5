import { Output } from "../../cli/output.ts";
import { Progress } from "../../cli/progress.ts";
import { equal } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { Kept } from "./capture.ts";

const CLEAR = "\r\x1b[K";

/** What stderr gets of work that tells how far it is at some times, in milliseconds. */
function told(
  times: readonly number[],
  { isTerminal = true, quiet = false, expected = 0 } = {},
): string {
  const stderr = new Kept(isTerminal);
  const out = new Output({ stdout: new Kept(), stderr }, false, quiet);
  let now = 0;
  {
    using progress = new Progress(out, expected, () => now);
    for (const time of times) {
      now = time;
      progress.at(() => `at ${time}`);
    }
  }
  return stderr.text;
}

describe("Progress", () => {
  it("says nothing of work that takes less than a second", () => {
    equal(told([0, 500, 999]), "");
    equal(told([0, 500, 999], { isTerminal: false }), "");
  });

  it("paints one line over on a terminal, and takes it away", () => {
    equal(told([0, 1000, 1050, 1100]), `${CLEAR}at 1000${CLEAR}at 1100${CLEAR}`);
  });

  it("writes a line every ten seconds elsewhere", () => {
    const lines = told([1000, 5000, 10_999, 11_000], { isTerminal: false });
    equal(lines, "pinscope: at 1000\npinscope: at 11000\n");
  });

  it("begins at once where the work is known to take long", () => {
    equal(told([0], { expected: 1000 }), `${CLEAR}at 0${CLEAR}`);
    equal(told([0], { expected: 999 }), "");
  });

  it("says nothing with --quiet, and makes no text", () => {
    const out = new Output({ stdout: new Kept(), stderr: new Kept(true) }, false, true);
    using progress = new Progress(out, 5000);
    progress.at(() => {
      throw new Error("nobody reads it");
    });
    equal(told([2000], { quiet: true }), "");
    equal(told([2000], { quiet: true, isTerminal: false }), "");
  });

  it("gives way to everything else that is written", () => {
    const both = new Kept(true);
    const out = new Output({ stdout: both, stderr: both }, false);
    out.status("far");
    out.line("data");
    out.flush();
    out.status("farther");
    out.note("a note");
    out.flush();
    equal(both.text, `${CLEAR}far${CLEAR}data\n${CLEAR}farther${CLEAR}pinscope: a note\n`);
  });

  it("is no wider than the terminal", () => {
    const stderr = new Kept(true);
    const io = { stdout: new Kept(), stderr, consoleSize: () => ({ columns: 10, rows: 5 }) };
    new Output(io, false).status("0123456789abc");
    equal(stderr.text, `${CLEAR}012345678`);
  });
});
