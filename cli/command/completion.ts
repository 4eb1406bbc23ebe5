import type { CommandRow } from "../option.ts";

/** What help and the manual page say of `pinscope completion`. */
export const COMPLETION: CommandRow = {
  name: "completion",
  load: async () => (await import("../completion.ts")).completion,
  operands: "SHELL",
  count: [1, 1],
  words: ["bash", "zsh", "fish"],
  about: "what makes a shell complete commands and devices",
  text: `Prints a script for bash, zsh or fish, made from the same table as this help.
With it, Tab completes commands, options, their values, and the devices that
the host has now.`,
  options: [],
  examples: [
    ["completion bash > ~/.pinscope.bash", "for bash, with: . ~/.pinscope.bash in ~/.bashrc"],
    ["completion zsh > ~/.zfunc/_pinscope", "for zsh, with ~/.zfunc in fpath before compinit"],
    ["completion fish > ~/.config/fish/completions/pinscope.fish", "for fish"],
  ],
};
