import type { CommandRow } from "../option.ts";

/** What help and the manual page say of `pinscope diff`. */
export const DIFF: CommandRow = {
  name: "diff",
  load: async () => (await import("../diff.ts")).diff,
  operands: "A B",
  count: [2, 2],
  about: "where two recordings differ",
  text: `Compares the last sessions of two recordings: round by round, and by mapping
for all rounds together, how many pages were dirty only in A, only in B, and in
both. One of them may be stdin: - as A or B. Exit code 1 if a round differs, or
one has more rounds.`,
  verdict: "the recordings differ",
  options: [
    {
      name: "max-rounds",
      kind: "value",
      value: "N",
      about: "most rounds to list (default: 16)",
    },
  ],
  examples: [
    ["diff before.psr after.psr", "what another kernel or driver changes"],
    ["diff a.psr b.psr --json", "every round, as JSON"],
  ],
};
