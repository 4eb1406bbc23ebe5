import { type CommandRow, MODEL_DEVICE } from "../option.ts";

/** What help and the manual page say of `pinscope unbind`. */
export const UNBIND: CommandRow = {
  name: "unbind",
  load: async () => (await import("../bind.ts")).unbind,
  operands: "DEVICE",
  count: [1, 1],
  about: "give a PCI device back to the host",
  text: `Clears driver_override of the device, takes it from vfio-pci and probes again,
so that its usual driver gets it. Refuses while a program has its group open:
the kernel would wait until that ends. Needs root.`,
  options: [],
  examples: [
    [`unbind ${MODEL_DEVICE}`, "give the device back"],
    [`bind ${MODEL_DEVICE}`, "and take it again"],
  ],
};
