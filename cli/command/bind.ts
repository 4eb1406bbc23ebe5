import { type CommandRow, MODEL_DEVICE } from "../option.ts";

/** What help and the manual page say of `pinscope bind`. */
export const BIND: CommandRow = {
  name: "bind",
  load: async () => (await import("../bind.ts")).bind,
  operands: "DEVICE",
  count: [1, 1],
  about: "give a PCI device to vfio-pci",
  text: `Sets driver_override of the device to vfio-pci, takes it from its driver and
probes again. Refuses a device that the host uses: with a mounted disk or
swap on it, or a network interface that is up. Needs root.`,
  options: [],
  examples: [
    [`bind ${MODEL_DEVICE}`, "let scripts use the device"],
    [`unbind ${MODEL_DEVICE}`, "give it back to the host"],
  ],
};
