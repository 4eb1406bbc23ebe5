import { type CommandRow, MODEL_DEVICE } from "../option.ts";
import { ROUND_OPTIONS } from "../round_option.ts";

/** What help and the manual page say of `pinscope converge`. */
export const CONVERGE: CommandRow = {
  name: "converge",
  load: async () => (await import("../converge.ts")).converge,
  operands: "[DEVICE...]",
  count: [0, Infinity],
  about: "whether migration while the device runs would end",
  text: `From rounds that are measured, or kept in a recording: would sending memory
while the device runs come to an end, in how many rounds, how much would be
sent, and how long would the device stand still. Pages that get dirty again
count once, so rounds of another length than those measured are estimated: by
two bounds, best and worst. Where every mapped page is dirty by rule it cannot
end. Exit code 1 unless it converges in both.`,
  verdict: "it does not converge for certain",
  options: [
    ...ROUND_OPTIONS,
    { name: "count", kind: "value", value: "N", about: "rounds (default: 16; all of a recording)" },
    {
      name: "bandwidth",
      kind: "value",
      value: "RATE",
      about: "as 25Gbit/s or 3GB/s (default: 10Gbit/s)",
    },
    {
      name: "downtime",
      kind: "value",
      value: "TIME",
      about: "as 50ms or 1s (default: 300ms)",
    },
  ],
  examples: [
    [`converge ${MODEL_DEVICE} --interval 0.1`, "16 rounds, and what follows from them"],
    ["converge --from host.psr --bandwidth 100Gbit/s --downtime 50ms", "from a recording"],
  ],
};
