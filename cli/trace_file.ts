/**
 * `--trace FILE`: every system call of a command, written as it is made.
 *
 * @module
 */

import { formatLine, type TraceLine } from "../lib/trace/mod.ts";
import { whyNot } from "./file_right.ts";
import { OutputError } from "./output.ts";

const encoder = new TextEncoder();

/** The file. Each line is written at once, so that a crash leaves what was there before it. */
export class TraceFile implements Disposable {
  readonly #path: string;
  readonly #file: Deno.FsFile;
  #error: unknown;

  private constructor(path: string, file: Deno.FsFile) {
    this.#path = path;
    this.#file = file;
  }

  /**
   * Makes the file, or empties it.
   *
   * @throws {OutputError} If it cannot be written.
   */
  static open(path: string): TraceFile {
    try {
      const options = { write: true, create: true, truncate: true };
      return new TraceFile(path, Deno.openSync(path, options));
    } catch (cause) {
      throw new OutputError(`Cannot write ${path}: ${whyNot(cause, { right: "write", path })}`, {
        cause,
      });
    }
  }

  /** Writes a line. A failure is told at the end: thrown here, it would lose what the call gave. */
  write(line: TraceLine): void {
    if (this.#error !== undefined) return;
    try {
      for (let rest = encoder.encode(formatLine(line)); rest.length > 0;) {
        rest = rest.subarray(this.#file.writeSync(rest));
      }
    } catch (error) {
      this.#error = error;
    }
  }

  /**
   * Closes the file.
   *
   * @throws {OutputError} If a line could not be written.
   */
  [Symbol.dispose](): void {
    this.#file.close();
    if (this.#error === undefined) return;
    const why = whyNot(this.#error, { right: "write", path: this.#path });
    throw new OutputError(`Cannot write ${this.#path}: ${why}`, { cause: this.#error });
  }
}
