/** Files that a command is told to write. */

import { whyNot } from "./file_right.ts";
import { type Output, OutputError } from "./output.ts";

/**
 * Writes a whole text.
 *
 * @throws {OutputError} If that is not possible, with what to do.
 */
export function writeFile(path: string, text: string): void {
  try {
    Deno.writeTextFileSync(path, text);
  } catch (cause) {
    throw new OutputError(`Cannot write ${path}: ${whyNot(cause, { right: "write", path })}`, {
      cause,
    });
  }
}

/** Writes a picture or a page to a file, or where none is named to stdout. */
export function writeOut(out: Output, path: string | undefined, text: string): void {
  if (path === undefined || path === "-") return out.text(text);
  writeFile(path, text);
  out.hint(`wrote ${path}`);
}
