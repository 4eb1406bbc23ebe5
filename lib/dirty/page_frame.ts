/**
 * Sets of pages as a frame of the kind "page". The payload: the page size in 8 bytes, then for each
 * chunk of 32768 pages that is not empty, by rising number, in numbers of 7 bits a byte (LEB128):
 * how many chunks were left out before it; how many runs it has, or 0; for each run how many clear
 * pages come before it, and its pages less 1. With 0 runs the chunk follows as 4096 bytes of bits.
 *
 * @module
 */

import { pagesEnd } from "./check.ts";
import { type Chunk, CHUNK_PAGES, pack, scratchChunk } from "./chunk.ts";
import { packFrame, unpackFrame } from "./frame.ts";
import { setBits } from "./scan.ts";

const KIND = "page";
const CHUNK_BYTES = CHUNK_PAGES / 8;

/** What a frame holds. */
export interface Pages {
  /** Bytes of a page, a power of two. */
  readonly pageSize: bigint;
  /** The chunks that are not empty, by rising number. */
  readonly chunks: Iterable<readonly [key: number, chunk: Chunk]>;
}

/** Bytes that grow. */
class Writer {
  #bytes = new Uint8Array(256);
  #length = 0;

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = new Uint8Array(2 * (this.#length + more));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }

  number(value: number): void {
    this.#room(8);
    for (; value > 127; value = Math.floor(value / 128)) {
      this.#bytes[this.#length++] = 128 | (value % 128);
    }
    this.#bytes[this.#length++] = value;
  }

  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  done(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }
}

/** Reads what a {@link Writer} wrote; whatever the bytes say, nothing behind them is read. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isDone(): boolean {
    return this.#at === this.#bytes.length;
  }

  number(most: number): number {
    let value = 0;
    for (let scale = 1;; scale *= 128) {
      const byte = this.raw(1)[0]!;
      value += (byte & 127) * scale;
      if (value > most) throw bad(`a number of at most ${most}`, value);
      if (byte < 128) return value;
      if (scale * 128 > most) throw bad(`a number of at most ${most}`, "a longer one");
    }
  }

  raw(length: number): Uint8Array {
    const rest = this.#bytes.length - this.#at;
    if (rest < length) throw bad(`${length} more bytes`, rest);
    return this.#bytes.subarray(this.#at, this.#at += length);
  }
}

const bad = (wanted: string, got: string | number | bigint): RangeError =>
  new RangeError(`Cannot read the pages of the frame: there must be ${wanted}; got ${got}`);

/** Packs a set of pages. */
export function packPages({ pageSize, chunks }: Pages): Uint8Array<ArrayBuffer> {
  const writer = new Writer();
  writer.raw(new Uint8Array(BigUint64Array.of(pageSize).buffer));
  let next = 0;
  for (const [key, chunk] of chunks) {
    writer.number(key - next);
    next = key + 1;
    if (chunk instanceof Uint32Array) {
      writer.number(0);
      writer.raw(new Uint8Array(chunk.buffer, chunk.byteOffset, CHUNK_BYTES));
      continue;
    }
    writer.number(chunk.length / 2);
    let end = 0;
    for (let i = 0; i < chunk.length; i += 2) {
      writer.number(chunk[i]! - end);
      writer.number(chunk[i + 1]! - chunk[i]!);
      end = chunk[i + 1]! + 1;
    }
  }
  return packFrame(KIND, writer.done());
}

function readRuns(reader: Reader, runs: number, words: Uint32Array): void {
  let end = 0;
  for (let i = 0; i < runs; i += 1) {
    const start = end + reader.number(CHUNK_PAGES - 1 - end);
    if (i > 0 && start === end) throw bad("a clear page between two runs", "none");
    end = start + 1 + reader.number(CHUNK_PAGES - 1 - start);
    setBits(words, start, end);
  }
}

/**
 * Unpacks a set of pages.
 *
 * @throws {RangeError} If the frame is cut short, damaged or of another kind.
 */
export function unpackPages(frame: Uint8Array): Pages {
  const reader = new Reader(unpackFrame(KIND, frame));
  const pageSize = new BigUint64Array(reader.raw(8).slice().buffer)[0]!;
  if (pageSize === 0n || (pageSize & (pageSize - 1n)) !== 0n) {
    throw bad("a page size that is a power of two", pageSize);
  }
  const last = Number((pagesEnd(pageSize) - 1n) / BigInt(CHUNK_PAGES));
  const chunks: [number, Chunk][] = [];
  const words = scratchChunk();
  for (let next = 0; !reader.isDone;) {
    if (next > last) throw bad("pages below 2^64 only", `chunk ${next}`);
    const key = next + reader.number(last - next);
    const runs = reader.number(CHUNK_PAGES / 2);
    words.fill(0);
    if (runs > 0) readRuns(reader, runs, words);
    else new Uint8Array(words.buffer).set(reader.raw(CHUNK_BYTES));
    const chunk = pack(words);
    if (chunk === undefined) throw bad("a page in each chunk", "none");
    chunks.push([key, chunk]);
    next = key + 1;
  }
  return { pageSize, chunks };
}
