/** Sets the bits from `from` up to, and not including, `to`. */
export function setBits(words: Uint32Array, from: number, to: number): void {
  each(words, from, to, (word, mask) => word | mask);
}

/** Clears the bits from `from` up to, and not including, `to`. */
export function clearBits(words: Uint32Array, from: number, to: number): void {
  each(words, from, to, (word, mask) => word & ~mask);
}

/** The model shares no code with lib/dirty, so that a mistake there is not made here too. */
function each(
  words: Uint32Array,
  from: number,
  to: number,
  change: (word: number, mask: number) => number,
): void {
  for (let bit = from; bit < to;) {
    const index = Math.floor(bit / 32);
    const start = bit % 32;
    const count = Math.min(32 - start, to - bit);
    const mask = count === 32 ? 0xffff_ffff : (2 ** count - 1) << start;
    words[index] = change(words[index] ?? 0, mask);
    bit += count;
  }
}
