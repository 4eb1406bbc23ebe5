import { type CommandRow, MODEL_DEVICE } from "../option.ts";

/** What help and the manual page say of `pinscope info`. */
export const INFO: CommandRow = {
  name: "info",
  load: async () => (await import("../info.ts")).info,
  operands: "[DEVICE]",
  count: [0, 1],
  about: "what the host, or a device, has for VFIO",
  text: `Without DEVICE: the kernel, /dev/vfio, /dev/iommu, and each IOMMU group with
its devices and drivers, whether VFIO can have it, and what to type so that
it can. Needs no right, and changes nothing.

With DEVICE: attaches its group to a container for a moment, and shows page
sizes, IOVA ranges, dirty tracking, regions, interrupts and features; then what
iommufd has of it, and which sources of dirty pages would work.`,
  options: [],
  examples: [
    ["info", "which devices there are, and what can be done with them"],
    [`info ${MODEL_DEVICE}`, "all about one device"],
    ["info --json | grep '\"ready\"'", "the groups that can be used now"],
  ],
};
