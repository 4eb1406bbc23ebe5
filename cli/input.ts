/**
 * What a command reads: a file, or stdin.
 *
 * @module
 */

import type { Context } from "./context.ts";

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

/** The texts of stdin, as they come. Somebody who types nothing is told that it waits. */
async function* textsOf({ stdin, out, signal }: Reading): AsyncGenerator<string> {
  if (stdin.isTerminal?.() === true) out.hint("reading stdin; end with Ctrl-D");
  const decoder = new TextDecoder();
  const chunk = new Uint8Array(CHUNK);
  for (;;) {
    const got = await readSome(stdin, chunk, signal);
    if (got === null) break;
    yield decoder.decode(chunk.subarray(0, got), { stream: true });
  }
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
    throw new InputError(`Cannot read ${path}: ${whyNot(cause, "read", path)}`, { cause });
  }
}

/** Why a file cannot be had, in words that say what to do. */
export function whyNot(error: unknown, right: "read" | "write", path: string): string {
  if (error instanceof Deno.errors.NotCapable) {
    const option = `--allow-${right}=${path}`;
    const instead = right === "read" ? `, or give it on stdin: - < ${path}` : "";
    return `pinscope was started without ${option}${instead}; to have it: ` +
      `deno run --allow-ffi ${option} cli/main.ts ..., or deno install with the same`;
  }
  return error instanceof Error ? error.message : String(error);
}
