/** The bytes of a request, and what a kernel changed in them. */

/** Room behind every request: whatever size it claims, no kernel writes more than a page. */
const ROOM = 4096;
/** What is compared: no answer is longer. */
const WATCHED = 512;

/** Writes the bytes that are no longer what they were: "offset:hex", joined by a comma. */
export function differences(bytes: Uint8Array, was: (at: number) => number): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += 1) {
    if (bytes[at] === was(at)) continue;
    const start = at;
    // Up to seven bytes that stay the same do not end a part: a word is read as a whole.
    let end = at + 1;
    for (let next = end; next < bytes.length && next < end + 8; next += 1) {
      if (bytes[next] !== was(next)) end = next + 1;
    }
    parts.push(`${start}:${bytes.subarray(start, end).toHex()}`);
    at = end;
  }
  return parts.join(",");
}

/** A buffer that is used for one request after the other. */
export class Request {
  /** What the kernel gets. */
  readonly bytes: Uint8Array<ArrayBuffer> = new Uint8Array(ROOM);
  readonly #before = new Uint8Array(ROOM);
  readonly #view = new DataView(this.bytes.buffer);

  /** Begins with words of 32 bits and goes on with words of 64. */
  set(words: readonly number[], quads: readonly bigint[]): void {
    this.bytes.fill(0);
    words.forEach((word, i) => this.#view.setUint32(i * 4, word, true));
    quads.forEach((quad, i) => this.#view.setBigUint64(words.length * 4 + i * 8, quad, true));
    this.#before.set(this.bytes);
  }

  /** A string with its NUL. */
  text(text: string): void {
    this.bytes.fill(0);
    new TextEncoder().encodeInto(text, this.bytes);
    this.#before.set(this.bytes);
  }

  /** What changed since then. */
  written(): string {
    return differences(this.bytes.subarray(0, WATCHED), (at) => this.#before[at]!);
  }
}
