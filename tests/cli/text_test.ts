import { Output, OutputError, type Sink } from "../../cli/output.ts";
import { columns, counted, WIDTH, wrap } from "../../cli/table.ts";
import { equal, ok, throws } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { Kept } from "./capture.ts";

describe("columns", () => {
  it("aligns cells and leaves no blanks at the end", () => {
    equal(columns([["a", "1", "x"], ["bbb", "22", ""]], ["left", "right"]), [
      "a     1  x",
      "bbb  22",
    ]);
  });

  it("takes rows of different lengths, and none", () => {
    equal(columns([["a"], ["b", "c"]]), ["a", "b  c"]);
    equal(columns([]), []);
  });
});

describe("wrap", () => {
  it("breaks between words and indents what follows", () => {
    const words = Array.from({ length: 60 }, (_, i) => `word${i}`).join(" ");
    const lines = wrap(words, "  ");
    ok(lines.every((line) => line.length <= WIDTH));
    equal(lines.slice(1).every((line) => line.startsWith("  word")), true);
    equal(lines.map((line) => line.trim()).join(" "), words);
  });

  it("keeps blanks in front, short text, and words that are too long", () => {
    equal(wrap("  a b", "    "), ["  a b"]);
    equal(wrap("short"), ["short"]);
    equal(wrap(""), [""]);
    const long = "x".repeat(100);
    equal(wrap(`a ${long} b`, "  "), ["a", `  ${long}`, "  b"]);
  });
});

describe("counted", () => {
  it("has a plural and groups digits", () => {
    equal([0, 1, 2, 1234567].map((n) => counted(n, "page")), [
      "0 pages",
      "1 page",
      "2 pages",
      "1,234,567 pages",
    ]);
  });
});

/** A sink that takes a few bytes at a time, and now and then none. */
class Slow extends Kept {
  #calls = 0;

  override writeSync(bytes: Uint8Array): number {
    this.#calls += 1;
    if (this.#calls % 3 === 0) throw new Deno.errors.WouldBlock();
    return super.writeSync(bytes.subarray(0, 5));
  }
}

const failing = (error: Error): Sink => ({
  writeSync: () => {
    throw error;
  },
});

describe("Output", () => {
  it("writes all, to sinks that take a part only", () => {
    const stdout = new Slow();
    {
      using out = new Output({ stdout, stderr: new Kept() }, false);
      out.lines(["first line", "second line …"]);
      out.record("ignored", {});
    }
    equal(stdout.text, "first line\nsecond line …\n");
  });

  it("writes JSON with bigints as hexadecimal text", () => {
    const stdout = new Kept();
    using out = new Output({ stdout, stderr: new Kept() }, true);
    out.line("ignored");
    out.record("x", { iova: 0x1000n, list: [16n, { a: null }], count: 3 });
    out.flush();
    equal(stdout.text, '{"type":"x","iova":"0x1000","list":["0x10",{"a":null}],"count":3}\n');
  });

  it("writes what waits before a note, so that both stand in order", () => {
    const both = new Kept();
    using out = new Output({ stdout: both, stderr: both }, false);
    out.line("data");
    out.note("note");
    equal(both.text, "data\npinscope: note\n");
  });

  it("writes long output before it ends", () => {
    const stdout = new Kept();
    using out = new Output({ stdout, stderr: new Kept() }, false);
    for (let i = 0; i < 10_000; i += 1) out.line("some text");
    ok(stdout.text.length > 50_000);
  });

  it("tells a failing stdout from other errors, and bears a closed stderr", () => {
    const broken = failing(new Deno.errors.BrokenPipe());
    const out = new Output({ stdout: broken, stderr: broken }, false);
    out.line("x");
    const error = throws(() => out.flush(), OutputError, "Cannot write to stdout");
    ok(error.cause instanceof Deno.errors.BrokenPipe);
    out.explain("nobody reads this");
  });
});
