import { equal, match, ok } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { records, run, tooWide } from "./capture.ts";

describe("pinscope demo", () => {
  it("is the same each time, short and narrow", async () => {
    const first = await run(["demo"]);
    equal(first, await run(["demo", "--model"]));
    equal([first.code, first.err, tooWide(first.out)], [0, "", []]);
    const lines = first.out.trimEnd().split("\n");
    ok(lines.length >= 20 && lines.length <= 25, `${lines.length} lines`);
  });

  it("shows both labels, the accounts, and that nothing is left open", async () => {
    const { out } = await run(["demo"]);
    match(out, /pinned-scope {2}4 pages at 0x100010000/);
    match(out, /all-mapped +256 pages at 0x100000000/);
    match(out, /VmLck 0 bytes.*VmLck 16 KiB.*VmLck 2 MiB.*VmLck 16 KiB/s);
    match(out, /0 files open\n$/);
  });

  it("tells the same as JSON", async () => {
    const all = records((await run(["demo", "--json"])).out);
    equal(all.filter(({ type }) => type === "window").length, 10);
    equal(all.filter(({ type }) => type === "run").map(({ pages }) => pages), [
      4,
      2,
      4,
      256,
      256,
      256,
      256,
      4,
    ]);
    equal(all.filter(({ locked }) => locked !== undefined).map(({ locked }) => locked), [
      0,
      0,
      16 << 10,
      2 << 20,
      16 << 10,
    ]);
  });
});
