import type { CommandRow } from "../option.ts";

/** What help and the manual page say of `pinscope conform`. */
export const CONFORM: CommandRow = {
  name: "conform",
  load: async () => (await import("../conform.ts")).conformCommand,
  // The model's host is the lab's, whose drivers pin on command; limits count, so that they are seen.
  scene: async () => ({ ...(await import("../../lib/model/mod.ts")).LAB_SCENE, ipcLock: false }),
  machine: "the lab's, with Debian's 6.12, which has no iommufd: --model=own has it",
  operands: "[DEVICE...]",
  count: [0, Infinity],
  about: "which recorded kernel this one answers like",
  text: `Asks the kernel hundreds of small questions, good requests and bad ones, and
compares the answers with those that real kernels gave in the lab. Says which
of them the kernel behaves like, and where it differs: the check, the rule, and
the kernel's function that has it. Exit code 1 if something differs.

Without DEVICE: every device that is bound to VFIO and free. One PCI device is
enough for most checks; a check that cannot run says why. Each check gives back
what it takes. UBSAN logs a line for bitmaps with pages of size 0.`,
  verdict: "something differs, or nothing could be compared",
  options: [
    { name: "tap", kind: "flag", about: "the Test Anything Protocol, version 14" },
    {
      name: "junit",
      kind: "value",
      value: "FILE",
      file: "write",
      about: "write a report for CI there too",
    },
    { name: "answers", kind: "flag", about: "every check with its answers" },
  ],
  examples: [
    ["conform", "what the running kernel answers"],
    ["conform --model=6.1", "what the model answers that behaves like 6.1"],
    ["conform --tap > before.tap", "keep it, to compare a patched kernel with"],
  ],
};
