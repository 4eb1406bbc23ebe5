import { ROUND_OPTIONS } from "../round_option.ts";
import { type CommandRow, MODEL_DEVICE } from "../option.ts";

/** What help and the manual page say of `pinscope heat`. */
export const HEAT: CommandRow = {
  name: "heat",
  load: async () => (await import("../heat.ts")).heat,
  operands: "[DEVICE...]",
  count: [0, Infinity],
  about: "a picture of dirty pages: address against time",
  text: `Attaches the devices to one container, maps memory for them, reads dirty pages
round by round, and draws them as an SVG file: a column for each round, a row
for each cell of addresses, darker where more pages of the cell were dirty.
Lines over the cells tell where every mapped page is dirty by rule. It can be
read without colour.`,
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
    { name: "address", kind: "flag", about: "address alone: all rounds as one" },
  ],
  examples: [
    [`heat ${MODEL_DEVICE} -o heat.svg`, "16 rounds, one a second"],
    [`heat ${MODEL_DEVICE} --map 4G:1G --count 100 --interval 0.1 > heat.svg`, "10 seconds"],
    ["heat group:5 --model --interval 0.1 -o m.svg", "on the model"],
  ],
};
