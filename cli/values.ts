/**
 * Values of options and operands: what is wrong with them is wrong use.
 *
 * @module
 */

import { BEHAVIOURS, checkTarget, parseSize } from "../mod.ts";
import { nearest } from "../lib/base/nearest.ts";
import { UsageError } from "./parse.ts";

/**
 * Calls `body`; an argument that it refuses is wrong use of the command line.
 *
 * @param option What to put before the refusal: the option that the argument came from.
 */
export function usage<T>(body: () => T, option?: string): T {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    throw new UsageError(option === undefined ? error.message : `${option}: ${error.message}`);
  }
}

/** Ends a sentence about a word that is none of some with the one that was meant, if one is near. */
export function meantWord(word: string, words: readonly string[]): string {
  const near = nearest(word.toLowerCase(), words);
  return near === undefined ? "" : `; did you mean ${near}?`;
}

/** Checks that a text names a device or a group; --model takes its profile behind "=" only. */
export function checkDevice(text: string): void {
  const profile = BEHAVIOURS.find(({ name }) => text === name || text.startsWith(`${name}.`))?.name;
  try {
    usage(() => checkTarget(text));
  } catch (error) {
    if (!(error instanceof UsageError) || profile === undefined) throw error;
    const { message } = error;
    throw new UsageError(
      message.endsWith("?")
        ? `${message.slice(0, -1)} or --model=${profile}?`
        : `${message}; did you mean --model=${profile}?`,
    );
  }
}

/** Reads a size, as "64M". */
export function sizeValue(name: string, text: string): bigint {
  return usage(() => parseSize(text), `--${name}`);
}

/** Reads a number within bounds; undefined where the option is not given. */
export function numberValue(
  name: string,
  text: string | undefined,
  bounds: { readonly least: number; readonly most: number; readonly whole: boolean },
): number | undefined {
  if (text === undefined) return undefined;
  const { least, most, whole } = bounds;
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (value >= least && value <= most && (!whole || Number.isInteger(value))) return value;
  const kind = whole ? "a whole number" : "a number";
  throw new UsageError(
    `--${name} takes ${kind} from ${least} to ${most}; got ${JSON.stringify(text)}`,
  );
}
