import type { CommandRow } from "../option.ts";

/** What help and the manual page say of `pinscope new`. */
export const NEW: CommandRow = {
  name: "new",
  load: async () => (await import("../new.ts")).newScript,
  operands: "NAME",
  count: [1, 1],
  about: "a commented script to start from",
  text: `Writes NAME.ts, a script of less than 50 lines that runs at once: on the model
kernel with --model, on this host with --device. A file that is there is never
written over. Templates: setup (a container and what it can do), dirty (dirty
pages round by round), pins (pinned pages and what they cost), dma (a device
copies memory, through its registers).`,
  options: [
    {
      name: "template",
      kind: "value",
      short: "t",
      value: "NAME",
      words: ["setup", "dirty", "pins", "dma"],
      about: "setup, dirty, pins or dma (default: setup)",
    },
  ],
  examples: [
    ["new look", "look.ts sets up a container"],
    ["new watch --template dirty", "watch.ts lists dirty pages"],
  ],
};
