import type { Extent, ExtentSet } from "../base/extent.ts";
import { bitmapBytes } from "../base/page.ts";
import { DirtyMap } from "../dirty/dirty_map.ts";
import type { DirtyLabel } from "../dirty/label.ts";
import { clearBits, nextClear, setBits } from "../dirty/scan.ts";
import type { BitmapTarget, DirtySource } from "../dirty/source.ts";
import { DirtyWindow } from "../dirty/window.ts";
import type { Kernel } from "../sys/kernel.ts";
import { BitmapMemory } from "./bitmap_memory.ts";

/** Another way to ask for the bits of a range than the source's. */
type ReadBits = (target: BitmapTarget) => void;

/**
 * Reads ranges of whole mappings into one buffer, and sees to it that nothing is lost or invented:
 * the buffer is zeroed before, bits outside mappings are cleared after, an error is owed as a full
 * report, and what was read without being delivered comes with the next delivery.
 */
export class DirtyReader implements Disposable {
  readonly #source: DirtySource;
  readonly #pieces: ExtentSet<Extent>;
  readonly #memory: BitmapMemory;
  /** What the next report of a mapping has to be called, whatever the rules say by then. */
  readonly #owed = new WeakMap<Extent, DirtyLabel>();
  /** The mappings of the read that is going on; filled again, so that a read allocates nothing. */
  readonly #current: Extent[] = [];
  /** Pages whose bits were read, and so cleared, but not delivered yet. */
  readonly #undelivered: DirtyMap;

  /** Takes no memory before the first read. */
  constructor(kernel: Kernel, source: DirtySource, pieces: ExtentSet<Extent>) {
    this.#source = source;
    this.#pieces = pieces;
    this.#memory = new BitmapMemory(kernel);
    this.#undelivered = new DirtyMap(source.pageSize);
  }

  /** What the bits of a mapping will mean when it is read now. */
  label(piece: Extent): DirtyLabel {
    return this.#owed.get(piece) ?? this.#source.label(piece);
  }

  /** Notes what the next report of every mapping is to be called; an error goes before it. */
  owe(label: DirtyLabel): void {
    for (const piece of this.#pieces) this.#owePiece(piece, label);
  }

  #owePiece(piece: Extent, label: DirtyLabel): void {
    if (this.#owed.get(piece) !== "incomplete") this.#owed.set(piece, label);
  }

  /**
   * Reads a range to be delivered.
   *
   * @param range Whole mappings.
   * @param read Another way to ask than the source's, as an unmap is.
   */
  deliver(range: Extent, read?: ReadBits): DirtyWindow {
    const pieces = this.#pieces.inRange(range.iova, range.size, this.#current);
    const window = this.#read(range, pieces, read);
    if (!this.#undelivered.isEmpty) {
      this.#addUndelivered(range);
      this.forget(range);
    }
    for (const piece of pieces) this.#owed.delete(piece);
    return window;
  }

  /**
   * Reads a range without delivering it: its pages, and what they are called, come with the next
   * delivery.
   */
  peek(range: Extent): DirtyWindow {
    const pieces = this.#pieces.inRange(range.iova, range.size, this.#current);
    const owed = pieces.map((piece) => this.#owed.get(piece));
    const window = this.#read(range, pieces, undefined);
    this.#undelivered.add(window);
    owed.forEach((label, i) => label !== undefined && this.#owePiece(pieces[i]!, label));
    return window;
  }

  /** Reads a range that nothing else wants: its bits are neither delivered nor kept. */
  look(range: Extent): DirtyWindow {
    const pieces = this.#pieces.inRange(range.iova, range.size, this.#current);
    return this.#read(range, pieces, undefined);
  }

  /** Drops what was read of a range and not delivered: its mapping is gone. */
  forget(range: Extent): void {
    if (this.#undelivered.isEmpty) return;
    this.#undelivered.deleteRange(range.iova, Number(range.size / this.#source.pageSize));
  }

  #read(range: Extent, pieces: readonly Extent[], read: ReadBits | undefined): DirtyWindow {
    const { pageSize } = this.#source;
    const label = this.#common(pieces);
    const target = this.#memory.prepare(Number(bitmapBytes(range.size / pageSize)));
    try {
      if (read === undefined) this.#source.read(range, target);
      else read(target);
    } catch (error) {
      for (const piece of pieces) this.#owed.set(piece, "incomplete");
      throw error;
    }
    const hasClean = this.#mask(range, pieces, label);
    const meaning = label === "unknown" && hasClean ? this.#source.sawClean(pieces) : label;
    const { iova, size } = range;
    return new DirtyWindow({ iova, size, pageSize, label: meaning, bitmap: this.#memory });
  }

  /** One label for several mappings; where they differ, the weakest that holds for all. */
  #common(pieces: readonly Extent[]): DirtyLabel {
    let common: DirtyLabel | undefined;
    for (const piece of pieces) {
      const label = this.label(piece);
      if (label === "incomplete") return label;
      common = common === undefined || common === label ? label : "unknown";
    }
    return common ?? "unknown";
  }

  /**
   * Clears the bits that belong to no mapping, and after an error sets all that belong to one.
   *
   * @returns Whether a mapped page is clean.
   */
  #mask(range: Extent, pieces: readonly Extent[], label: DirtyLabel): boolean {
    const { pageSize } = this.#source;
    const { words } = this.#memory;
    let outside = 0;
    let hasClean = false;
    for (const piece of pieces) {
      const first = Number((piece.iova - range.iova) / pageSize);
      const end = first + Number(piece.size / pageSize);
      clearBits(words, outside, first);
      if (label === "incomplete") setBits(words, first, end);
      else if (label === "unknown") hasClean ||= nextClear(words, first, end) < end;
      outside = end;
    }
    clearBits(words, outside, Number(bitmapBytes(range.size / pageSize)) * 8);
    return hasClean;
  }

  #addUndelivered(range: Extent): void {
    const { pageSize } = this.#source;
    const end = range.iova + range.size;
    for (const run of this.#undelivered.runs()) {
      const from = run.iova > range.iova ? run.iova : range.iova;
      const to = run.iova + run.size < end ? run.iova + run.size : end;
      if (from >= to) continue;
      const first = Number((from - range.iova) / pageSize);
      setBits(this.#memory.words, first, first + Number((to - from) / pageSize));
    }
  }

  /** Gives the buffer back; windows that were read into it say that they are gone. */
  [Symbol.dispose](): void {
    this.#memory[Symbol.dispose]();
  }
}
