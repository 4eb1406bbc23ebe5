/**
 * `pinscope completion`: what shells complete, from the tables of commands and topics.
 *
 * @module
 */

import { COMMANDS } from "./commands.ts";
import type { Context } from "./context.ts";
import { type CommandRow, COMMON, type OptionRow, optionsOf, VERSION_ROW } from "./option.ts";
import { UsageError } from "./parse.ts";
import { TOPICS } from "./topics.ts";
import { meantWord } from "./values.ts";

/** What stands at a place: one of some words, or names that are looked up then. */
export type Choice = "nothing" | "files" | "devices" | readonly string[];

/** An option as shells know it. */
export interface CompletedOption {
  readonly name: string;
  readonly short: string | undefined;
  readonly about: string;
  /** What its value may be; undefined for a flag. */
  readonly value: { readonly name: string; readonly choice: Choice } | undefined;
  /** What a flag may have behind "=". */
  readonly joined: readonly string[] | undefined;
}

/** A command as shells know it. */
export interface CompletedCommand {
  readonly name: string;
  readonly about: string;
  readonly options: readonly CompletedOption[];
  /** What the first operand may be, and those behind it. */
  readonly first: Choice;
  readonly rest: Choice;
}

/** Everything that is completed. */
export interface Completed {
  readonly commands: readonly CompletedCommand[];
  /** Options without a command. */
  readonly options: readonly CompletedOption[];
}

function optionOf({ name, short, about, kind, value = "", words }: OptionRow): CompletedOption {
  const choice = words ?? (value === "FILE" ? "files" : "nothing");
  const isFlag = kind === "flag";
  return {
    name,
    short,
    about,
    value: isFlag ? undefined : { name: value, choice },
    joined: isFlag ? words : undefined,
  };
}

function operandOf({ operands, words }: CommandRow): Pick<CompletedCommand, "first" | "rest"> {
  if (words !== undefined) return { first: words, rest: "nothing" };
  const choice = operands.includes("DEVICE")
    ? "devices"
    : /^(FILE|A B)$/.test(operands)
    ? "files"
    : "nothing";
  return { first: choice, rest: choice };
}

/** What there is to complete. */
export function completed(): Completed {
  const names = [...COMMANDS, ...TOPICS].map(({ name }) => name);
  const help = { name: "help", about: "help about a command or a topic", options: [] };
  return {
    commands: [
      ...COMMANDS.map((command) => ({
        name: command.name,
        about: command.about,
        options: optionsOf(command).map(optionOf),
        ...operandOf(command),
      })),
      { ...help, first: names, rest: "nothing" },
    ],
    options: [...COMMON, VERSION_ROW].map(optionOf),
  };
}

const SHELLS: Readonly<Record<string, () => Promise<(all: Completed) => string>>> = {
  bash: async () => (await import("./completion_bash.ts")).bashScript,
  zsh: async () => (await import("./completion_zsh.ts")).zshScript,
  fish: async () => (await import("./completion_fish.ts")).fishScript,
};

/** Prints the script of a shell. */
export async function completion({ out, parsed }: Context): Promise<number> {
  const [shell = ""] = parsed.positional;
  const load = Object.hasOwn(SHELLS, shell) ? SHELLS[shell] : undefined;
  if (load === undefined) {
    const names = Object.keys(SHELLS);
    const near = meantWord(shell, names);
    throw new UsageError(`SHELL is bash, zsh or fish; got ${JSON.stringify(shell)}${near}`);
  }
  const script = (await load())(completed());
  out.text(script);
  return 0;
}
