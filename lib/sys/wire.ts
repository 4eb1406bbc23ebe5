/**
 * What libc's calls take and give, as bytes: C strings, directory entries, sets to poll. Little endian,
 * as both supported machines are.
 *
 * @module
 */

import type { PollRequest } from "./kernel.ts";

const DIRENT_LENGTH = 16; //  offsetof(struct dirent64, d_reclen): ino 8, off 8
const DIRENT_NAME = 19; //    offsetof(struct dirent64, d_name): and reclen 2, type 1
const POLLFD_SIZE = 8; //     int fd, short events, short revents

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A text with a NUL behind it. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes("\0")) {
    throw new TypeError(`A path has no NUL byte; got ${JSON.stringify(text)}`);
  }
  return encoder.encode(`${text}\0`);
}

/** Reads a 64-bit value as bigint at `at`. */
export const u64 = (bytes: Uint8Array, at: number): bigint =>
  new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(at, true);

/** The names of directory entries as getdents64 gives them, without "." and "..". */
export function entryNames(entries: Uint8Array<ArrayBuffer>): string[] {
  const names: string[] = [];
  for (let at = 0; at < entries.length;) {
    const end = entries.indexOf(0, at + DIRENT_NAME);
    const name = decoder.decode(entries.subarray(at + DIRENT_NAME, end));
    if (name !== "." && name !== "..") names.push(name);
    at += entries[at + DIRENT_LENGTH]! | entries[at + DIRENT_LENGTH + 1]! << 8;
  }
  return names;
}

/** An array of struct pollfd. */
export function pollSet(requests: readonly PollRequest[]): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(requests.length * POLLFD_SIZE));
  requests.forEach(({ fd, events }, i) => {
    view.setInt32(i * POLLFD_SIZE, fd, true);
    view.setInt16(i * POLLFD_SIZE + 4, events, true);
  });
  return new Uint8Array(view.buffer);
}

/** The events of each struct pollfd of an array. */
export function pollAnswers(set: Uint8Array<ArrayBuffer>): number[] {
  const view = new DataView(set.buffer);
  return Array.from(
    { length: set.length / POLLFD_SIZE },
    (_, i) => view.getInt16(i * POLLFD_SIZE + 6, true),
  );
}
