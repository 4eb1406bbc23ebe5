import { type CommandRow, MODEL_DEVICE } from "../option.ts";

/** What help and the manual page say of `pinscope replay`. */
export const REPLAY: CommandRow = {
  name: "replay",
  load: async () => (await import("../replay.ts")).replayCommand,
  operands: "FILE",
  count: [1, 1],
  about: "make the system calls of a trace again, and compare",
  text: `Reads a trace that --trace wrote (- for stdin), makes its system calls again
on this kernel or on the model, and shows the first that gives something else:
another result, other bytes written back, other bits in a bitmap. Exit code 1
then. A group is found by its devices; files of the host and other processes
are left out, registers are read and not compared. What the trace left open is
closed at the end.`,
  verdict: "something differs",
  options: [
    { name: "all", kind: "flag", about: "go on behind the first difference" },
    {
      name: "device",
      kind: "list",
      value: "OLD=NEW",
      about: "take device NEW for OLD of the trace",
    },
    { name: "registers", kind: "flag", about: "also compare what registers read" },
    { name: "sysfs", kind: "flag", about: "also write to /sys, as bind does" },
  ],
  examples: [
    [`dirty ${MODEL_DEVICE} --trace t.jsonl`, "record"],
    ["replay t.jsonl", "the same again, on this kernel"],
    ["replay t.jsonl --model --all", "where the model differs"],
  ],
};
