/**
 * Sets the bits from `from` up to, and not including, `to`. The model shares no code with lib/dirty,
 * so that a mistake there is not made here too.
 */
export function setBits(words: Uint32Array, from: number, to: number): void {
  for (let bit = from; bit < to;) {
    const start = bit % 32;
    if (start === 0 && to - bit >= 32) {
      const count = Math.floor((to - bit) / 32);
      words.fill(0xffff_ffff, bit / 32, bit / 32 + count);
      bit += count * 32;
      continue;
    }
    const count = Math.min(32 - start, to - bit);
    const index = Math.floor(bit / 32);
    words[index] = (words[index] ?? 0) | (2 ** count - 1) << start;
    bit += count;
  }
}
