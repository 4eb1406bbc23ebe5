/** The only place of the lab that writes: data on stdout, progress on stderr. */

const encoder = new TextEncoder();

/** Anything that takes bytes one after another: a terminal, a file, a list in a test. */
export interface Sink {
  writeSync(bytes: Uint8Array): number;
}

/** Keeps what a guest prints. */
export class Kept implements Sink {
  readonly #parts: Uint8Array<ArrayBuffer>[] = [];

  /** Keeps some more. */
  writeSync(bytes: Uint8Array): number {
    this.#parts.push(bytes.slice());
    return bytes.length;
  }

  /** All of it as text. */
  async text(): Promise<string> {
    return await new Blob(this.#parts).text();
  }
}

/** Writes all the bytes: a pipe may take a part only. */
export function writeAll(sink: Sink, bytes: Uint8Array): void {
  let rest = bytes;
  while (rest.length > 0) rest = rest.subarray(sink.writeSync(rest));
}

/** Writes one line of data. */
export function say(text: string): void {
  writeAll(Deno.stdout, encoder.encode(`${text}\n`));
}

/** Writes one line of progress or explanation. */
export function note(text: string): void {
  writeAll(Deno.stderr, encoder.encode(`lab: ${text}\n`));
}

/** Writes an explanation that is not introduced by "lab:". */
export function explain(text: string): void {
  writeAll(Deno.stderr, encoder.encode(`${text}\n`));
}
