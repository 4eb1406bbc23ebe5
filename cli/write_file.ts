/** Files that a command is told to write. */

import { whyNot } from "./input.ts";
import { OutputError } from "./output.ts";

/**
 * Writes a whole text.
 *
 * @throws {OutputError} If that is not possible, with what to do.
 */
export function writeFile(path: string, text: string): void {
  try {
    Deno.writeTextFileSync(path, text);
  } catch (cause) {
    throw new OutputError(`Cannot write ${path}: ${whyNot(cause, "write", path)}`, { cause });
  }
}
