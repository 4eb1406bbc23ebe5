/**
 * Recordings on disk as `--save` writes them.
 *
 * @module
 */

import { type RecordingHead, RecordingWriter, type ViewRound } from "../lib/record/mod.ts";
import { whyNot } from "./file_right.ts";
import { OutputError } from "./output.ts";

/** A file that rounds are appended to. Each record is on the disk before the next round begins. */
export class SaveFile implements Disposable {
  readonly #path: string;
  readonly #file: Deno.FsFile;
  readonly #writer: RecordingWriter;
  readonly #signal: AbortSignal;
  #reason: string | undefined;
  #rounds = 0;
  /** A disk that took half a record takes no more of this session. */
  #isBroken = false;

  /**
   * Begins a session; what is in the file stays.
   *
   * @throws {OutputError} If it cannot be written.
   */
  constructor(path: string, head: RecordingHead, signal: AbortSignal) {
    this.#path = path;
    this.#signal = signal;
    this.#writer = new RecordingWriter(head);
    this.#file = this.#try(() => Deno.openSync(path, { append: true, create: true }));
    this.#write(this.#writer.begin());
  }

  /** Appends a round. */
  add(round: ViewRound): void {
    this.#write(this.#writer.add(round));
    this.#rounds += 1;
  }

  /** Says why the session ends, before it is disposed. */
  finish(reason: string): void {
    this.#reason = reason;
  }

  /** Ends the session. */
  [Symbol.dispose](): void {
    try {
      if (this.#isBroken) return;
      const early = this.#signal.aborted ? "interrupted" : "stopped early";
      this.#write(this.#writer.end(this.#reason ?? early));
    } finally {
      this.#file.close();
    }
  }

  #write(bytes: Uint8Array): void {
    this.#try(() => {
      for (let rest = bytes; rest.length > 0;) rest = rest.subarray(this.#file.writeSync(rest));
      // A pipe or /dev/null has no disk behind it.
      if (this.#file.statSync().isFile) this.#file.syncDataSync();
    });
  }

  /** What a failure leaves, and how to look at it. */
  #kept(): string {
    if (this.#rounds === 0) return "";
    const can = this.#rounds === 1 ? "round of this session is" : "rounds of this session are";
    return `\nThe ${this.#rounds} complete ${can} kept: pinscope heat --from ${this.#path}\n` +
      "The kernel forgets what is read, and the round after them was: treat all as dirty";
  }

  #try<T>(body: () => T): T {
    try {
      return body();
    } catch (cause) {
      const why = whyNot(cause, { right: "write", path: this.#path });
      this.#isBroken = true;
      throw new OutputError(`Cannot write ${this.#path}: ${why}${this.#kept()}`, { cause });
    }
  }
}
