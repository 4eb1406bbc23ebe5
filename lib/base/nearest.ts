/**
 * "Did you mean": the nearest of some words.
 *
 * @module
 */

/** How many letters have to be put in, taken out, changed, or swapped with the next. */
export function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    const before = rows[i - 1]!;
    for (let j = 1; j <= b.length; j += 1) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(before[j]! + 1, row[j - 1]! + 1, before[j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, rows[i - 2]![j - 2]! + 1);
      }
      row.push(best);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}

/** The nearest word, if one is near enough to be meant. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  const begins = words.filter((other) => word.length > 1 && other.startsWith(word));
  if (begins.length === 1) return begins[0];
  let best: string | undefined;
  let least = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const other of words) {
    const far = distance(word, other);
    if (far < least) [best, least] = [other, far];
  }
  return best;
}
