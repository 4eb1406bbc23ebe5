/**
 * Bits of a bitmap, 32 at a time. Positions are page numbers from the start of the bitmap; a bitmap
 * has at most 2^31 bits, so that a position fits in an unsigned 32-bit number.
 *
 * @module
 */

/** The bits of `word` from `bit` on, the lower ones cleared. */
const above = (word: number, bit: number): number => (word & (-1 << bit)) >>> 0;

/** Place of the lowest bit that is set; the word is not 0. */
const lowest = (word: number): number => 31 - Math.clz32(word & -word);

/** How many bits of a word are set. */
export function popcount(word: number): number {
  let w = word - ((word >>> 1) & 0x5555_5555);
  w = (w & 0x3333_3333) + ((w >>> 2) & 0x3333_3333);
  return Math.imul((w + (w >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}

/**
 * Finds the next bit that is set.
 *
 * @returns Its position, at least `from`; `bits` if there is none.
 */
export function nextSet(words: Uint32Array, from: number, bits: number): number {
  return next(words, from, bits, 0);
}

/**
 * Finds the next bit that is clear.
 *
 * @returns Its position, at least `from`; `bits` if there is none.
 */
export function nextClear(words: Uint32Array, from: number, bits: number): number {
  return next(words, from, bits, 0xffff_ffff);
}

function next(words: Uint32Array, from: number, bits: number, flip: number): number {
  if (from >= bits) return bits;
  const end = Math.ceil(bits / 32);
  let i = from >>> 5;
  let word = above((words[i]! ^ flip) >>> 0, from & 31);
  while (word === 0) {
    i += 1;
    // Empty stretches go 32 bytes at a time: most of a bitmap is one.
    while (i + 8 <= end && same8(words, i, flip)) i += 8;
    if (i >= end) return bits;
    word = (words[i]! ^ flip) >>> 0;
  }
  return Math.min(i * 32 + lowest(word), bits);
}

function same8(words: Uint32Array, i: number, flip: number): boolean {
  const f = flip | 0;
  return ((words[i]! ^ f) | (words[i + 1]! ^ f) | (words[i + 2]! ^ f) | (words[i + 3]! ^ f) |
    (words[i + 4]! ^ f) | (words[i + 5]! ^ f) | (words[i + 6]! ^ f) | (words[i + 7]! ^ f)) === 0;
}

/**
 * Finds the last bit that is set below position `bits`.
 *
 * @returns Its position; `bits` if there is none.
 */
export function lastSet(words: Uint32Array, bits: number): number {
  const rest = bits & 31;
  let i = bits >>> 5;
  let word = rest === 0 ? 0 : words[i]! & ~(-1 << rest);
  while (word === 0) {
    if (i === 0) return bits;
    i -= 1;
    word = words[i]!;
  }
  return i * 32 + 31 - Math.clz32(word);
}

/** Counts the bits that are set below position `bits`. */
export function countSet(words: Uint32Array, bits: number): number {
  const whole = bits >>> 5;
  let count = 0;
  for (let i = 0; i < whole; i += 1) {
    const word = words[i]!;
    if (word !== 0) count += popcount(word);
  }
  const rest = bits & 31;
  return rest === 0 ? count : count + popcount(words[whole]! & ~(-1 << rest));
}

/** Sets the bits from `from` up to, and not including, `to`. */
export function setBits(words: Uint32Array, from: number, to: number): void {
  change(words, from, to, true);
}

/** Clears the bits from `from` up to, and not including, `to`. */
export function clearBits(words: Uint32Array, from: number, to: number): void {
  change(words, from, to, false);
}

function change(words: Uint32Array, from: number, to: number, on: boolean): void {
  if (from >= to) return;
  const first = from >>> 5;
  const last = (to - 1) >>> 5;
  const head = -1 << (from & 31);
  const tail = -1 >>> (31 - ((to - 1) & 31));
  const apply = (i: number, mask: number): void => {
    words[i] = on ? words[i]! | mask : words[i]! & ~mask;
  };
  if (first === last) return apply(first, head & tail);
  apply(first, head);
  words.fill(on ? 0xffff_ffff : 0, first + 1, last);
  apply(last, tail);
}
