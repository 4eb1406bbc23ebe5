import type { CommandRow } from "../option.ts";

/** What help and the manual page say of `pinscope mdev`. */
export const MDEV: CommandRow = {
  name: "mdev",
  load: async () => (await import("../mdev.ts")).mdev,
  operands: "VERB [NAME...]",
  count: [1, 4],
  words: ["types", "create", "remove"],
  about: "list, make and remove mediated devices",
  text: `types                       what can be made, and what there is
create PARENT TYPE [UUID]   makes one; without UUID with a new one
remove UUID                 removes one; refuses while a program has it open:
                            the kernel would wait until that ends
PARENT and TYPE are those that types shows. create and remove need root.`,
  options: [],
  examples: [
    ["mdev types", "what there is"],
    ["mdev create model_mdev model_mdev-pin --model", "make one, on the model"],
  ],
};
