/**
 * How far work has come that takes longer than a second.
 *
 * @module
 */

import type { Output } from "./output.ts";

/** What takes less is not worth a word. */
const PATIENCE = 1000;
/** Where a terminal is painted, and where lines pile up. */
const [REPAINT, NEXT_LINE] = [100, 10_000];

/**
 * Tells on stderr how far the work has come: on a terminal in one line that is painted over, else
 * with a line from time to time. With --quiet it says nothing.
 */
export class Progress implements Disposable {
  readonly #out: Output;
  readonly #now: () => number;
  #due: number;

  /** Time counts from here; `expected` is how long the work takes in milliseconds, if that is known. */
  constructor(out: Output, expected: number = 0, now: () => number = () => performance.now()) {
    this.#out = out;
    this.#now = now;
    this.#due = now() + (expected >= PATIENCE ? 0 : PATIENCE);
  }

  /** Tells, if it is time to; the text is not made otherwise. */
  at(text: () => string): void {
    const now = this.#now();
    if (this.#out.quiet || now < this.#due) return;
    const isTerminal = this.#out.hasErrorTerminal;
    this.#due = now + (isTerminal ? REPAINT : NEXT_LINE);
    if (isTerminal) this.#out.status(text());
    else this.#out.note(text());
  }

  /** Takes the line from the terminal. */
  [Symbol.dispose](): void {
    this.#out.status("");
  }
}
