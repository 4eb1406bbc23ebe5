/**
 * Bytes as text. Bitmaps are long and say little, so that what repeats is written once:
 * `"00*4094 1e ff*2"`.
 *
 * @module
 */

// A shorter repetition is not worth its own word.
const LEAST = 8;
const PACKED = /^(?:[0-9a-f]{2})*(?:\*[1-9]\d*)?$/i;

const hexByte = (value: number): string => value.toString(16).padStart(2, "0");

/** Writes bytes in hexadecimal, two digits each. */
export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const value of bytes) text += hexByte(value);
  return text;
}

/**
 * Writes bytes as words of hexadecimal digits; `ff*512` is one byte 512 times.
 *
 * @param bytes Any bytes.
 * @returns "" for none.
 */
export function packBytes(bytes: Uint8Array): string {
  const words: string[] = [];
  let plain = 0; //  where the bytes begin that are still to be written
  for (let at = 0; at < bytes.length;) {
    let end = at + 1;
    while (end < bytes.length && bytes[end] === bytes[at]) end += 1;
    if (end - at >= LEAST) {
      if (plain < at) words.push(toHex(bytes.subarray(plain, at)));
      words.push(`${hexByte(bytes[at] ?? 0)}*${end - at}`);
      plain = end;
    }
    at = end;
  }
  if (plain < bytes.length) words.push(toHex(bytes.subarray(plain)));
  return words.join(" ");
}

/**
 * Reads bytes that {@link packBytes} wrote, or plain hexadecimal digits.
 *
 * @param text Pairs of digits, with spaces where one likes, and `*` and a count behind a pair.
 * @param most Bytes that are taken at most: a hand-written count may be anything.
 * @returns The bytes.
 * @throws {TypeError} If it is no such text.
 * @throws {RangeError} If there are more bytes.
 */
export function unpackBytes(text: string, most: number = 1 << 28): Uint8Array<ArrayBuffer> {
  const words = text.split(/\s+/).filter((word) => word !== "");
  let total = 0;
  const parts = words.map((word) => {
    if (!PACKED.test(word) || /^\*/.test(word)) {
      throw new TypeError(`Bytes are pairs of hexadecimal digits, as 2000 or ff*8; got ${word}`);
    }
    const [digits = "", count] = word.split("*");
    if (count !== undefined && digits.length !== 2) {
      throw new TypeError(`A count stands behind one byte, as ff*8; got ${word}`);
    }
    const part = { digits, count: Number(count ?? 1) };
    total += digits.length / 2 * part.count;
    if (total > most) throw new RangeError(`There are ${most} bytes at most; got ${total}`);
    return part;
  });
  const bytes = new Uint8Array(total);
  let at = 0;
  for (const { digits, count } of parts) {
    if (count > 1) bytes.fill(Number.parseInt(digits, 16), at, at + count);
    else {
      for (let i = 0; i < digits.length; i += 2) {
        bytes[at + i / 2] = Number.parseInt(digits.slice(i, i + 2), 16);
      }
    }
    at += digits.length / 2 * count;
  }
  return bytes;
}

/** Whether every byte is 0. */
export function isZero(bytes: Uint8Array): boolean {
  return bytes.every((value) => value === 0);
}

/** Whether two runs of bytes are the same. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
