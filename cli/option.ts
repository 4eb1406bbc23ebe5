/**
 * What a row of the table of commands consists of. The rows are in `command/`, their list is in
 * `commands.ts`; they drive parsing, help and the manual page.
 *
 * @module
 */

import { BEHAVIOURS } from "../mod.ts";
import type { Scene } from "../lib/model/mod.ts";
import type { Command } from "./context.ts";
import type { OptionSpec } from "./parse.ts";

/** The device that examples name: one that the model kernel has. */
export const MODEL_DEVICE = "0000:00:10.0";

/** An option with what help says of it. */
export interface OptionRow extends OptionSpec {
  /** What its value is called, for one that takes a value. */
  readonly value?: string;
  /** The values that there are, where they are few words; of a flag those that go behind "=". */
  readonly words?: readonly string[];
  /** What is done with the file that its value names. */
  readonly file?: "read" | "write";
  /** Whether "-" stands for stdin, or stdout. */
  readonly takesDash?: boolean;
  readonly about: string;
}

/** The name of a command. */
export type CommandName =
  | "info"
  | "bind"
  | "unbind"
  | "dirty"
  | "watch"
  | "heat"
  | "report"
  | "converge"
  | "diff"
  | "pins"
  | "scope"
  | "plan"
  | "mdev"
  | "replay"
  | "decode"
  | "new"
  | "man"
  | "completion"
  | "conform"
  | "quirks"
  | "demo";

/** A command with what help says of it. */
export interface CommandRow {
  readonly name: CommandName;
  /** Loads what does the work; not before it is called for. */
  readonly load: () => Promise<Command>;
  /** What the model kernel is like for it, by its profile; the default scene where it is left out. */
  readonly scene?: (profile?: string) => Promise<Partial<Scene>>;
  /** What that is, where no profile is asked for: other commands see another model. */
  readonly machine?: string;
  /** What stands behind the options, as "DEVICE..."; empty for nothing. */
  readonly operands: string;
  /** Options that it cannot do without, as usage shows them. */
  readonly needs?: string;
  /** The fewest and the most of them. */
  readonly count: readonly [number, number];
  /** What the first operand may be, where it is one of some words. */
  readonly words?: readonly string[];
  /** One line. */
  readonly about: string;
  /** What it does, in lines for a terminal. */
  readonly text: string;
  readonly options: readonly OptionRow[];
  /** What exit code 1 says besides a failure, as "it does not fit". */
  readonly verdict?: string;
  /** Command lines, without "pinscope", and what they are for. */
  readonly examples: readonly (readonly [string, string])[];
}

const PROFILES = BEHAVIOURS.map(({ name }) => name).join(", ");

/** Options that every command has. */
export const COMMON: readonly OptionRow[] = [
  { name: "json", kind: "flag", about: "one JSON object a line, for programs" },
  {
    name: "model",
    kind: "flag",
    words: BEHAVIOURS.map(({ name }) => name),
    about: "use the built-in model kernel, not this host",
  },
  {
    name: "profile",
    // A list, so that two that differ are seen.
    kind: "list",
    value: "NAME",
    words: BEHAVIOURS.map(({ name }) => name),
    about: `recorded kernel: ${PROFILES}; or --model=NAME`,
  },
  {
    name: "trace",
    kind: "value",
    value: "FILE",
    file: "write",
    about: "write each system call there",
  },
  { name: "quiet", kind: "flag", short: "q", about: "no hints and no progress on stderr" },
  { name: "verbose", kind: "flag", short: "v", about: "each request to the kernel, on stderr" },
  { name: "help", kind: "flag", short: "h", about: "this text" },
];

/** The option that stands alone. */
export const VERSION_ROW: OptionRow = {
  name: "version",
  kind: "flag",
  short: "V",
  about: "the version",
};

/** All options of a command. */
export function optionsOf(command: CommandRow): readonly OptionRow[] {
  return [...command.options, ...COMMON];
}
