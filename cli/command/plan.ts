import { type CommandRow, MODEL_DEVICE } from "../option.ts";

/** What help and the manual page say of `pinscope plan`. */
export const PLAN: CommandRow = {
  name: "plan",
  load: async () => (await import("../plan.ts")).plan,
  operands: "[DEVICE...]",
  needs: "--map IOVA:SIZE[,N]...",
  count: [0, Infinity],
  about: "whether mappings will fit, or what stops them",
  text: `Tests mappings against the limits in the kernel's order: the request itself,
overlaps, dma_entry_limit, IOVA ranges, RLIMIT_MEMLOCK; and against the memory
that is available, if it would be pinned. Maps nothing. Without DEVICE the
limits of the host count; IOVA ranges are known with one only. Exit code 1 if
they do not fit.`,
  verdict: "the mappings do not fit",
  options: [
    {
      name: "map",
      kind: "list",
      value: "IOVA:SIZE[,N]",
      about: "N mappings side by side; IOVA may be any",
    },
    {
      name: "overcommit",
      kind: "flag",
      about: "memory does not count: pages are mapped twice",
    },
  ],
  examples: [
    ["plan --map 0:2M,65536", "128 GiB in huge pages: one mapping too many"],
    [`plan --map any:64G ${MODEL_DEVICE}`, "for the ranges of a device"],
  ],
};
