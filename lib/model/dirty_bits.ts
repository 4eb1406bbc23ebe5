import { setBits } from "./bits.ts";

const WORD = 64;

/**
 * The dirty bits of a mapping, as runs: what is clean takes no room, and neither does a mapping that
 * is dirty as a whole. It is changed by the word operations of the kernel, so that what these leave
 * behind the mapping's last bit is here too.
 *
 * @see lib/bitmap.c
 */
export class DirtyBits {
  // Run i is from #from[i] up to, and not including, #to[i]; they rise and do not touch.
  #from: number[] = [];
  #to: number[] = [];

  /** How many runs there are. */
  get runs(): number {
    return this.#from.length;
  }

  /** The first run that ends at or above a bit. */
  #at(bit: number): number {
    let low = 0;
    let high = this.#to.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#to[middle]! >= bit) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Sets the bits from `from` up to, and not including, `to`. @see bitmap_set */
  set(from: number, to: number): void {
    if (from >= to) return;
    const first = this.#at(from);
    let end = first;
    let [start, stop] = [from, to];
    while (end < this.#from.length && this.#from[end]! <= to) {
      start = Math.min(start, this.#from[end]!);
      stop = Math.max(stop, this.#to[end]!);
      end += 1;
    }
    this.#from.splice(first, end - first, start);
    this.#to.splice(first, end - first, stop);
  }

  /** Clears the bits from `from` up to, and not including, `to`. @see bitmap_clear */
  clear(from: number, to: number): void {
    const first = this.#at(from);
    let end = first;
    const starts: number[] = [];
    const stops: number[] = [];
    while (end < this.#from.length && this.#from[end]! < to) {
      const [start, stop] = [this.#from[end]!, this.#to[end]!];
      if (start < from) {
        starts.push(start);
        stops.push(Math.min(stop, from));
      }
      if (stop > to) {
        starts.push(to);
        stops.push(stop);
      }
      end += 1;
    }
    this.#from.splice(first, end - first, ...starts);
    this.#to.splice(first, end - first, ...stops);
  }

  /**
   * Shifts the first words by less than a word, in place. What leaves the last of them is lost, and
   * words behind them stay.
   *
   * @see lib/bitmap.c, __bitmap_shift_left
   */
  shift(count: number, words: number): void {
    const limit = words * WORD;
    const [from, to] = [this.#from, this.#to];
    this.#from = [];
    this.#to = [];
    for (let i = 0; i < from.length; i += 1) {
      const [start, stop] = [from[i]!, to[i]!];
      if (start < limit) this.#append(start + count, Math.min(stop + count, limit));
      if (stop > limit) this.#append(Math.max(start, limit), stop);
    }
  }

  #append(from: number, to: number): void {
    if (from >= to) return;
    const last = this.#to.length - 1;
    if (last >= 0 && this.#to[last] === from) this.#to[last] = to;
    else {
      this.#from.push(from);
      this.#to.push(to);
    }
  }

  /** Takes over the bits of a first word. @see bitmap_or */
  orFirst(word: bigint): void {
    for (let bit = 0; bit < WORD; bit += 1) {
      if ((word >> BigInt(bit) & 1n) !== 0n) this.set(bit, bit + 1);
    }
  }

  /** Copies whole words out, from the word `first` on, over what was there. */
  copy(first: number, into: Uint32Array): void {
    into.fill(0);
    const start = first * WORD;
    const end = start + into.length * 32;
    for (let i = this.#at(start); i < this.#from.length && this.#from[i]! < end; i += 1) {
      setBits(into, Math.max(this.#from[i]!, start) - start, Math.min(this.#to[i]!, end) - start);
    }
  }
}
