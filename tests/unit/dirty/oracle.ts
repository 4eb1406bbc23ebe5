/** Bitmaps as texts of 0 and 1, page 0 first, and what they hold by the simplest reading. */

/** A text as words; the bits behind its end are filled, over and over, with another text. */
export function wordsOf(text: string, fill = "0"): Uint32Array {
  const words = new Uint32Array(Math.ceil(text.length / 64) * 2);
  for (let bit = 0; bit < words.length * 32; bit += 1) {
    if ((text[bit] ?? fill[(bit - text.length) % fill.length]) === "1") {
      words[bit >> 5]! |= 1 << (bit & 31);
    }
  }
  return words;
}

/** The positions of the bits that are set. */
export function bitsOf(from: string | Uint32Array): number[] {
  const text = typeof from === "string" ? from : textOf(from);
  return [...text].flatMap((bit, i) => bit === "1" ? [i] : []);
}

/** Words as a text. */
export function textOf(words: Uint32Array): string {
  return [...words].map((word) => [...word.toString(2).padStart(32, "0")].reverse().join("")).join(
    "",
  );
}

/** The runs of ones, each as its first position and one past its last. */
export function naiveRuns(text: string): [number, number][] {
  return [...text.matchAll(/1+/g)].map((run) => [run.index, run.index + run[0].length]);
}
