/** What the examples do on the model, traced, is the same again on another model. */
import { DEFAULT_MDEV } from "../../lib/model/mod.ts";
import { equal, ok } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";

const CHILD = new URL("trace_child.ts", import.meta.url).pathname;
const DEVICE = "0000:00:10.0";

/** Each example with the device it shows most with; the fewest calls that its trace must have. */
const EXAMPLES: readonly (readonly [string, string, number])[] = [
  ["08_info.ts", DEVICE, 20],
  ["05_dirty_runs.ts", DEVICE, 30],
  ["05_dirty_runs.ts", DEFAULT_MDEV, 20],
  ["07_rounds.ts", DEFAULT_MDEV, 20],
  ["06_memlock.ts", DEVICE, 30],
  ["10_edu_dma.ts", DEVICE, 30],
];

describe("a trace of an example", () => {
  for (const [example, device, fewest] of EXAMPLES) {
    it(`gives the same again: ${example} with ${device}`, async () => {
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "--cached-only",
          "--no-check",
          "--no-lock",
          "--no-prompt",
          "--allow-read", // the name of the example is known when it runs
          CHILD,
          device,
          ...example === "07_rounds.ts" ? ["3", "0"] : [],
          example,
        ],
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
      }).output();
      const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
      const last = out!.trimEnd().split("\n").at(-1) ?? "";
      ok(last.startsWith("{"), err);
      const { kernel, records, different, made, left } = JSON.parse(last);
      equal([kernel, different, left], ["model", [], [0, 0]]);
      ok(records >= fewest && made > 15, `${records} records, ${made} calls made`);
      // The example about a limit ends as it should: refused.
      equal(code, 0, err);
    });
  }
});
