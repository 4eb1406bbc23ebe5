/**
 * Gives the places of all bits that are set, some at a time.
 *
 * @param batch What they are given in, reused.
 */
export function setBitsOf(
  words: Uint32Array,
  batch: Uint32Array,
  found: (places: Uint32Array) => void,
): void {
  let filled = 0;
  for (let i = 0; i < words.length; i += 1) {
    for (let word = words[i]!; word !== 0; word &= word - 1) {
      batch[filled] = i * 32 + 31 - Math.clz32(word & -word);
      filled += 1;
      if (filled < batch.length) continue;
      found(batch);
      filled = 0;
    }
  }
  if (filled > 0) found(batch.subarray(0, filled));
}
