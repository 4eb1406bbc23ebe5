import { ROUND_OPTIONS } from "../round_option.ts";
import { type CommandRow, MODEL_DEVICE } from "../option.ts";

/** What help and the manual page say of `pinscope watch`. */
export const WATCH: CommandRow = {
  name: "watch",
  load: async () => (await import("../watch.ts")).watch,
  operands: "[DEVICE...]",
  count: [0, Infinity],
  about: "dirty and pinned pages live, as bars on the terminal",
  text: `Attaches the devices to one container, maps memory for them, and shows after
each interval for each mapping a bar of its dirty pages, and one of those that
are pinned where that can be told: by a second read right behind the first.
Above them: counts, what is new and gone, dirty bytes a second, VmLck against
its limit, and the time that the reads took in the kernel. Where stdout is no
terminal, each round is a line.
Keys: space pauses, s makes one round, + and - zoom into the mapping that up
and down choose, left and right move the range, 0 shows all of it, q ends.
With --from - there are no keys: stdin is the recording.`,
  options: [
    ...ROUND_OPTIONS,
    { name: "count", kind: "value", value: "N", about: "rounds (default: until q or Ctrl-C)" },
    {
      name: "metrics",
      kind: "flag",
      about: "send each round to an OpenTelemetry collector",
    },
    { name: "ascii", kind: "flag", about: "no characters beyond ASCII" },
  ],
  examples: [
    [`watch ${MODEL_DEVICE} --map 4G:1G`, "a gibibyte, once a second"],
    ["watch group:5 --model --interval 0.5", "on the model"],
    [`watch ${MODEL_DEVICE} --count 60 > rounds.txt`, "a line for each of 60 rounds"],
  ],
};
