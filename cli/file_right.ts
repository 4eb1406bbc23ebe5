/**
 * The right to read and write files, which Deno gives: to ask for it, and what to say without it.
 *
 * @module
 */

import { type CommandRow, optionsOf } from "./option.ts";
import { OutputError } from "./output.ts";
import { type ParsedOptions, UsageError } from "./parse.ts";
import { originOf } from "./origin.ts";

/** A file that was wanted. */
export interface WantedFile {
  readonly right: "read" | "write";
  readonly path: string;
  /** What is typed where the right is missing: "pinscope ... --from - < a.psr". */
  readonly instead?: string;
}

/** Why a file cannot be had, in words that say what to do. */
export function whyNot(error: unknown, wanted: WantedFile): string {
  if (error instanceof Deno.errors.NotCapable) return noRight(wanted);
  return error instanceof Error ? error.message : String(error);
}

function noRight({ right, path, instead }: WantedFile): string {
  const { run, install } = originOf();
  const lines = [`${run([`--allow-${right}=${path}`])} ...`, install];
  const ways = instead === undefined ? "once, or always" : "without the right, with it, or always";
  if (instead !== undefined) lines.unshift(instead);
  return `Deno was started without --allow-${right}. What to type instead, ${ways}:` +
    lines.map((line) => `\n  ${line}`).join("");
}

/** The files that options name. */
function filesOf(command: CommandRow, { values }: ParsedOptions): WantedFile[] {
  return optionsOf(command).flatMap(({ name, short, file, takesDash }): WantedFile[] => {
    const path = values.get(name);
    if (file === undefined || path === undefined) return [];
    if (path === "-" && takesDash === true) return [];
    const option = short === undefined ? `--${name}` : `-${short}`;
    const instead = `pinscope ... ${option} - ${file === "read" ? "<" : ">"} ${path}`;
    if (path !== "-") {
      return [{ right: file, path, ...(takesDash === true ? { instead } : {}) }];
    }
    throw new UsageError(`--${name} takes the name of a file; got "-"`);
  });
}

/**
 * Asks for all files that the options of a command name, before it begins: who is asked in the
 * middle, or refused at the end, has measured for nothing. Where nobody is there to be asked, the
 * right to read is not missed before the file is opened, whose error knows more.
 *
 * @throws {OutputError} If a file may not be written.
 */
export function askForFiles(command: CommandRow, parsed: ParsedOptions): void {
  for (const wanted of filesOf(command, parsed)) {
    const { right, path } = wanted;
    const { state } = Deno.permissions.requestSync({ name: right, path });
    if (state === "granted" || right === "read") continue;
    throw new OutputError(`Cannot write ${path}: ${noRight(wanted)}`);
  }
}
