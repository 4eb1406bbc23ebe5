/**
 * What a command is, and what it works with.
 *
 * @module
 */

import type { Kernel } from "../mod.ts";
import type { Source } from "./input.ts";
import type { Output } from "./output.ts";
import type { ParsedOptions } from "./parse.ts";

/** What a command works with. */
export interface Context {
  readonly out: Output;
  readonly kernel: Kernel;
  /** What is given to read. */
  readonly stdin: Source;
  readonly parsed: ParsedOptions;
  readonly signal: AbortSignal;
  /** The command line, as it was given. */
  readonly args?: readonly string[];
}

/** A command: gives its exit status. */
export type Command = (context: Context) => number | Promise<number>;
