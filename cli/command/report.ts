import { ROUND_OPTIONS } from "../round_option.ts";
import { type CommandRow, MODEL_DEVICE } from "../option.ts";

/** What help and the manual page say of `pinscope report`. */
export const REPORT: CommandRow = {
  name: "report",
  load: async () => (await import("../report.ts")).report,
  operands: "[DEVICE...]",
  count: [0, Infinity],
  about: "a page for a browser: rates, heat map, runs",
  text: `Attaches the devices to one container, maps memory for them, reads dirty pages
round by round, and writes one HTML file that opens from a disk and loads
nothing: what was measured and how, dirty rate over time, a heat map that tells
which pages are under the pointer, mappings, accounts, and pinned runs as a
table that can be sorted.`,
  options: [
    ...ROUND_OPTIONS,
    { name: "count", kind: "value", value: "N", about: "rounds (default: 16)" },
    {
      name: "out",
      kind: "value",
      short: "o",
      value: "FILE",
      file: "write",
      takesDash: true,
      about: "write it there, not to stdout (-)",
    },
  ],
  examples: [
    [`report ${MODEL_DEVICE} -o report.html`, "16 rounds, one a second"],
    [
      "report group:5 --model --interval 0.1 -o m.html",
      "on the model",
    ],
  ],
};
