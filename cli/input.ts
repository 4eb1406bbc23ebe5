/**
 * What a command reads: a file, or stdin.
 *
 * @module
 */

import type { Context } from "./context.ts";
import { whyNot } from "./file_right.ts";

/** Anything that gives bytes one after another: a file, a pipe, a text in a test. */
export interface Source {
  /** Reads some bytes; null at the end. */
  readSync(into: Uint8Array): number | null;
  /** The same without blocking the thread, so that signals are seen meanwhile. */
  read?(into: Uint8Array): Promise<number | null>;
  /** Ends a read that waits: without it the program would wait for its end too. */
  close?(): void;
  /** Gives keys as they are pressed; with `cbreak` Ctrl-C is still a signal. */
  setRaw?(mode: boolean, options?: { readonly cbreak: boolean }): void;
  /** Whether somebody types. */
  isTerminal?(): boolean;
}

/** Something that was given to read cannot be read, or not be understood. */
export class InputError extends Error {
  override readonly name = "InputError";
}

const CHUNK = 32 << 10;

/** Reads some bytes; the reason of the signal is thrown as soon as it aborts. */
async function readSome(
  source: Source,
  into: Uint8Array,
  signal: AbortSignal,
): Promise<number | null> {
  signal.throwIfAborted();
  if (source.read === undefined) return source.readSync(into);
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => {
    reject(signal.reason);
    source.close?.();
  };
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([source.read(into), promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** What is read on stdin, and the way to say that it is waited for. */
export type Reading = Pick<Context, "stdin" | "out" | "signal">;

/** The bytes of stdin, as they come; the next ones may take the place of those before. */
export async function* bytesOf(
  { stdin, signal }: Pick<Reading, "stdin" | "signal">,
): AsyncGenerator<Uint8Array, void> {
  const chunk = new Uint8Array(CHUNK);
  for (;;) {
    const got = await readSome(stdin, chunk, signal);
    if (got === null) return;
    yield chunk.subarray(0, got);
  }
}

/** The texts of stdin, as they come. Somebody who types nothing is told that it waits. */
async function* textsOf(reading: Reading): AsyncGenerator<string> {
  if (reading.stdin.isTerminal?.() === true) reading.out.hint("reading stdin; end with Ctrl-D");
  const decoder = new TextDecoder();
  for await (const bytes of bytesOf(reading)) yield decoder.decode(bytes, { stream: true });
  yield decoder.decode();
}

/** The lines of stdin, as they come; the last may have no newline. */
export async function* linesOf(reading: Reading): AsyncGenerator<string> {
  let rest = "";
  for await (const text of textsOf(reading)) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") yield rest;
}

/**
 * Reads a whole text.
 *
 * @param path A file, or "-" for stdin.
 * @throws {InputError} If it cannot be read.
 */
export async function readWhole(path: string, reading: Reading): Promise<string> {
  try {
    if (path !== "-") return Deno.readTextFileSync(path);
    return (await Array.fromAsync(textsOf(reading))).join("");
  } catch (cause) {
    if (reading.signal.aborted) throw cause;
    const why = whyNot(cause, { right: "read", path, instead: `pinscope ... - < ${path}` });
    throw new InputError(`Cannot read ${path}: ${why}`, { cause });
  }
}
