import type { CommandRow } from "../option.ts";

/** What help and the manual page say of `pinscope man`. */
export const MAN: CommandRow = {
  name: "man",
  load: async () => (await import("../man.ts")).man,
  operands: "",
  count: [0, 0],
  about: "the manual page, for man -l -",
  text: `Prints the manual page as troff: all commands and options, the fields of their
output, and what to beware of.`,
  options: [],
  examples: [
    ["man | man -l -", "read it"],
    ["man > pinscope.1", "keep it"],
  ],
};
