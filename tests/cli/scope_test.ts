import { equal, match } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { records, run, tooWide } from "./capture.ts";

const PCI = "0000:00:10.0";
const MDEV = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";

describe("pinscope scope", () => {
  it("tells pinned pages from all mapped ones, and which group decides it", async () => {
    const pinned = await run(["scope", "--model", MDEV]);
    equal([pinned.code, tooWide(pinned.out)], [0, []]);
    match(
      pinned.out,
      /^dirty scope: pinned-scope, by rule\ngroup 5 does not make every mapped page dirty/,
    );
    const all = await run(["scope", "--model", MDEV, PCI]);
    equal([all.code, tooWide(all.out)], [0, []]);
    match(
      all.out,
      /^dirty scope: all-mapped, by rule\ngroup 5 does not .*\n.*\ngroup 3 makes every mapped page/,
    );
  });

  it("gives a line for the scope and one for each group as JSON", async () => {
    const lines = records((await run(["scope", "--model", "--json", PCI, MDEV])).out);
    equal(lines.map((line) => [line["type"], line["label"] ?? line["effect"]]), [
      ["scope", "all-mapped"],
      ["group", "all"],
      ["group", "none"],
    ]);
  });

  it("says why a device cannot be attached", async () => {
    const { code, err } = await run(["scope", "--model", "0000:00:03.0"]);
    equal(code, 1);
    match(err.replaceAll(/\s+/g, " "), /no device of it is bound to a VFIO driver/);
  });
});
