/**
 * Random numbers that are the same in each run: a failing property can be run again by its seed.
 *
 * @module
 */

/** Gives numbers from a seed (mulberry32). */
export class Random {
  #state: number;

  /** Begins at a seed. */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A word of 32 random bits. */
  word(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** A whole number from 0 up to, and not including, `end`. */
  below(end: number): number {
    return Math.floor(this.word() / 2 ** 32 * end);
  }

  /** True with a probability between 0 and 1. */
  chance(probability: number): boolean {
    return this.word() / 2 ** 32 < probability;
  }

  /** One of a list. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}
