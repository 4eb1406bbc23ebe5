/**
 * What a command reads: a file, or stdin.
 *
 * @module
 */

/** Anything that gives bytes one after another: a file, a pipe, a text in a test. */
export interface Source {
  /** Reads some bytes; null at the end. */
  readSync(into: Uint8Array): number | null;
}

/** Something that was given to read cannot be read, or not be understood. */
export class InputError extends Error {
  override readonly name = "InputError";
}

const CHUNK = 32 << 10;

/** The lines of a source, as they come; the last may have no newline. */
export function* linesOf(source: Source): Generator<string> {
  const decoder = new TextDecoder();
  const chunk = new Uint8Array(CHUNK);
  let rest = "";
  for (;;) {
    const got = source.readSync(chunk);
    rest += got === null ? decoder.decode() : decoder.decode(chunk.subarray(0, got), {
      stream: true,
    });
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
    if (got !== null) continue;
    if (rest !== "") yield rest;
    return;
  }
}

/**
 * Reads a whole text.
 *
 * @param path A file, or "-" for stdin.
 * @throws {InputError} If it cannot be read.
 */
export function readWhole(path: string, stdin: Source): string {
  try {
    if (path !== "-") return Deno.readTextFileSync(path);
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    const chunk = new Uint8Array(CHUNK);
    for (let got = stdin.readSync(chunk); got !== null; got = stdin.readSync(chunk)) {
      chunks.push(chunk.slice(0, got));
    }
    const decoder = new TextDecoder();
    return chunks.map((part) => decoder.decode(part, { stream: true })).join("") + decoder.decode();
  } catch (cause) {
    throw new InputError(`Cannot read ${path}: ${whyNot(cause, "read", path)}`, { cause });
  }
}

/** Why a file cannot be had, in words that say what to do. */
export function whyNot(error: unknown, right: "read" | "write", path: string): string {
  if (error instanceof Deno.errors.NotCapable) {
    const instead = right === "read" ? `, or give it on stdin: - < ${path}` : "";
    return `pinscope was started without --allow-${right}=${path}${instead}`;
  }
  return error instanceof Error ? error.message : String(error);
}
