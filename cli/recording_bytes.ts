/**
 * The bytes of a recording: of a file, or of stdin.
 *
 * @module
 */

import type { Context } from "./context.ts";
import { whyNot } from "./file_right.ts";
import { bytesOf, InputError } from "./input.ts";
import { UsageError } from "./parse.ts";

/** Bytes that are read more than once. */
export interface RecordingBytes {
  /** What messages call it. */
  readonly name: string;
  /** Reads from the beginning. */
  read(): AsyncGenerator<Uint8Array, void>;
}

/**
 * What a path stands for.
 *
 * @param path A file, or "-" for stdin.
 * @param option What stands before the path on the command line, as "--from ".
 * @throws {UsageError} If it is stdin, and somebody types there.
 */
export function recordingBytes(
  path: string,
  option: string,
  context: Pick<Context, "stdin" | "signal">,
): RecordingBytes {
  if (path !== "-") return { name: path, read: () => fileBytes(path, option, context.signal) };
  if (context.stdin.isTerminal?.() === true) {
    throw new UsageError(`${option}- reads a recording from stdin, as ${option}- < FILE`);
  }
  const kept: Uint8Array[] = [];
  return { name: "stdin", read: () => stdinBytes(kept, context) };
}

const CHUNK = 256 << 10;

async function* fileBytes(
  path: string,
  option: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  let file: Deno.FsFile | undefined;
  try {
    file = await Deno.open(path);
    for (;;) {
      const chunk = new Uint8Array(CHUNK);
      const got = await file.read(chunk);
      signal.throwIfAborted();
      if (got === null) return;
      yield chunk.subarray(0, got);
    }
  } catch (cause) {
    if (signal.aborted) throw cause;
    const why = whyNot(cause, {
      right: "read",
      path,
      instead: `pinscope ... ${option}- < ${path}`,
    });
    throw new InputError(`Cannot read ${path}: ${why}`, { cause });
  } finally {
    file?.close();
  }
}

/** A pipe cannot be read again, so what came out of it is kept. */
async function* stdinBytes(
  kept: Uint8Array[],
  context: Pick<Context, "stdin" | "signal">,
): AsyncGenerator<Uint8Array, void> {
  yield* kept;
  for await (const bytes of bytesOf(context)) {
    const chunk = bytes.slice();
    kept.push(chunk);
    yield chunk;
  }
}
