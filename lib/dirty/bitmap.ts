/** A bitmap that is read into again and again; a window remembers which read it came from. */
export interface Bitmap {
  /** The words, host order; enough for the largest read and the slack behind it. */
  readonly words: Uint32Array;
  /** Grows with each read into the words, and when the memory behind them is given back. */
  readonly generation: number;
}
