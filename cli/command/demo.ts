import type { CommandRow } from "../option.ts";

/** What help and the manual page say of `pinscope demo`. */
export const DEMO: CommandRow = {
  name: "demo",
  load: async () => (await import("../demo.ts")).demo,
  operands: "",
  count: [0, 0],
  about: "the main job on the model kernel, step by step",
  text: `Sets up a container on the built-in model kernel, maps memory, lets a driver
pin and write, and shows dirty pages and pin counts. Needs no permission and no
VFIO; the output is the same each time.`,
  options: [],
  examples: [
    ["demo", "see what Pinscope does"],
    ["demo --json", "the same as JSON lines"],
  ],
};
