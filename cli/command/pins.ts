import { OVERCOMMIT } from "../round_option.ts";
import { type CommandRow, MODEL_DEVICE } from "../option.ts";

/** What help and the manual page say of `pinscope pins`. */
export const PINS: CommandRow = {
  name: "pins",
  load: async () => (await import("../pins.ts")).pins,
  operands: "[DEVICE...]",
  count: [0, Infinity],
  about: "who locks memory and holds VFIO; what pinning costs",
  text: `Without DEVICE: VmLck and VmPin of each process that has any, with its limit
(RLIMIT_MEMLOCK) and whether CAP_IPC_LOCK lifts it; and who has containers,
groups and devices open. VFIO's type1 counts pages in VmLck, iommufd in VmPin.

With DEVICE: attaches and maps, shows what that should cost and what the kernel
charged, and follows the pins of drivers round by round.`,
  options: [
    {
      name: "map",
      kind: "list",
      value: "IOVA:SIZE",
      about: "for DEVICE, map SIZE bytes there (default: 64M)",
    },
    OVERCOMMIT,
    {
      name: "watch",
      kind: "flag",
      about: "without DEVICE: processes again and again",
    },
    {
      name: "interval",
      kind: "value",
      value: "S",
      about: "seconds between rounds (default: 1)",
    },
    {
      name: "count",
      kind: "value",
      value: "N",
      about: "rounds (default: until Ctrl-C; 1 for DEVICE)",
    },
    {
      name: "pid",
      kind: "list",
      value: "PID",
      about: "this process only; may be repeated",
    },
  ],
  examples: [
    ["pins", "who locks memory"],
    ["pins --pid 1301 --pid 1302", "two processes"],
    ["pins --watch --interval 5", "every five seconds, until Ctrl-C"],
    [`pins ${MODEL_DEVICE} --map 4G:64M`, "what a device and a mapping cost"],
  ],
};
