import { type CommandRow, MODEL_DEVICE } from "../option.ts";

/** What help and the manual page say of `pinscope scope`. */
export const SCOPE: CommandRow = {
  name: "scope",
  load: async () => (await import("../scope.ts")).scope,
  operands: "DEVICE...",
  count: [1, Infinity],
  about: "what dirty means: all mapped pages, or pinned ones",
  text: `Attaches the devices to one container and tells whether type1 reports every
mapped page as dirty or pinned pages only, and which group decides it. Where
the groups do not tell, a page that no driver knows of is mapped and read: if
it is dirty, every mapped page is.`,
  options: [
    { name: "no-probe", kind: "flag", about: "by rule only: map and read nothing" },
  ],
  examples: [
    [`scope ${MODEL_DEVICE}`, "why is everything dirty"],
    [`scope ${MODEL_DEVICE} group:12 --no-probe`, "two groups in one container"],
  ],
};
