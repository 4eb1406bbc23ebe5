import type { CommandRow } from "../option.ts";

/** What help and the manual page say of `pinscope quirks`. */
export const QUIRKS: CommandRow = {
  name: "quirks",
  load: async () => (await import("../quirks.ts")).quirks,
  // The lab's machine with everything that a probe asks for, where the profile's kernel has iommufd.
  scene: async (profile) => {
    const { own, plain: { release: _, ...plain } } = (await import("../../lib/model/mod.ts"))
      .LAB_SCENES;
    const iommufd = { dirtyTracking: false, mock: true };
    if (profile === undefined) return { ...own, iommufd };
    return profile === "own" ? { ...plain, iommufd } : plain;
  },
  machine: "the lab's, with its own 6.12, which has iommufd and a mock IOMMU",
  operands: "[DEVICE...]",
  count: [0, Infinity],
  about: "what is odd about this kernel's dirty pages",
  text: `Asks the kernel whether it does what other programs trip over: bits that stay
behind, bits that get lost, bits behind the end of a bitmap, and success where
nothing was read. Pinscope itself works around all of them.

Without DEVICE: the first free device of vfio-pci, in a container of its own,
and page tables of the kernel's mock IOMMU where it has one. Nothing is written
but memory of the probes, which has a guard behind it.`,
  verdict: "nothing could be probed",
  options: [],
  examples: [
    ["quirks", "the running kernel"],
    ["quirks --model=6.1 --json", "the model that behaves like 6.1, for programs"],
  ],
};
