import type { Extent, ExtentSet } from "../base/extent.ts";
import { bitmapBytes } from "../base/page.ts";
import { DirtyMap, type PageRuns } from "../dirty/dirty_map.ts";
import type { DirtyLabel } from "../dirty/label.ts";
import { clearBits, nextClear, setBits } from "../dirty/scan.ts";
import type { BitmapTarget, DirtySource, ReadRequest } from "../dirty/source.ts";
import { DirtyWindow } from "../dirty/window.ts";
import type { Kernel } from "../sys/kernel.ts";
import { BitmapMemory } from "./bitmap_memory.ts";
import { Debts } from "./debts.ts";

/** Another way to ask for the bits of a range than the source's. */
type ReadBits = (target: BitmapTarget) => void;

/** Why a source cannot be looked at. */
export const noLook = (source: string): string =>
  `Cannot look at dirty pages without taking them: the kernel clears what is read of ${source}`;

/** What is read, and what it will be called. */
export interface Reading {
  readonly range: Extent;
  /** The mappings in the range. */
  readonly pieces: readonly Extent[];
  readonly label: DirtyLabel;
}

/**
 * Reads ranges of whole mappings into one buffer, and sees to it that nothing is lost or invented:
 * the buffer is zeroed before, bits outside mappings are cleared after, an error is owed as a full
 * report, and what was read without being delivered comes with the next delivery.
 */
export class DirtyReader implements Disposable {
  /** What the next reports have to be called. */
  readonly debts: Debts;
  /** Milliseconds that reads have taken in the kernel. */
  spent = 0;
  readonly #kernel: Kernel;
  readonly #source: DirtySource;
  readonly #pieces: ExtentSet<Extent>;
  readonly #memory: BitmapMemory;
  /** The mappings of the read that is going on; filled again, so that a read allocates nothing. */
  readonly #current: Extent[] = [];
  /** Pages whose bits were read, and so cleared, but not delivered yet. */
  readonly #undelivered: DirtyMap;

  /** Takes no memory before the first read. */
  constructor(kernel: Kernel, source: DirtySource, pieces: ExtentSet<Extent>) {
    this.#kernel = kernel;
    this.#source = source;
    this.#pieces = pieces;
    this.#memory = new BitmapMemory(kernel);
    this.#undelivered = new DirtyMap(source.pageSize);
    this.debts = new Debts(source);
  }

  /** What the bits of a mapping will mean when it is read now. */
  label(piece: Extent): DirtyLabel {
    return this.debts.label(piece);
  }

  /** Notes what the next report of every mapping is to be called; an error goes before it. */
  owe(label: DirtyLabel): void {
    for (const piece of this.#pieces) this.debts.owe(piece, label);
  }

  /**
   * Reads a range to be delivered.
   *
   * @param range Whole mappings.
   * @param read Another way to ask than the source's, as an unmap is.
   */
  deliver(range: Extent, read?: ReadBits): DirtyWindow {
    const reading = this.begin(range, this.#current);
    const window = this.#read(reading, read);
    this.complete(range, this.#memory);
    this.debts.settle(reading.pieces);
    return window;
  }

  /**
   * Reads a range without delivering it: its pages, and what they are called, come with the next
   * delivery.
   */
  peek(range: Extent): DirtyWindow {
    const window = this.#read(this.begin(range, this.#current), undefined);
    this.#undelivered.add(window);
    return window;
  }

  /** Reads a range that nothing else wants: its bits are neither delivered nor kept. */
  look(range: Extent): DirtyWindow {
    return this.#read(this.begin(range, this.#current), undefined);
  }

  /**
   * Looks at a range and takes nothing: the next delivery has the same pages. What was read and not
   * delivered yet shows too.
   *
   * @throws {VfioError} If the kernel refuses; nothing is lost then, and nothing is owed.
   */
  glance(range: Extent): DirtyWindow {
    const reading = this.begin(range, this.#current);
    const window = this.#fill(reading, (target) => {
      const request = this.#source.looking?.(range, target);
      if (request === undefined) throw new ReferenceError(noLook(this.#source.name));
      this.#ask(request, range);
    });
    this.#showUndelivered(range, this.#memory);
    return window;
  }

  /** Adds to what was read elsewhere what was read of its range before and not delivered. */
  complete(range: Extent, memory: BitmapMemory): void {
    this.#showUndelivered(range, memory);
    this.forget(range);
  }

  /** Keeps pages for the next delivery. */
  keep(pages: PageRuns): void {
    this.#undelivered.add(pages);
  }

  /** Drops what was read of a range and not delivered: its mapping is gone. */
  forget(range: Extent): void {
    if (this.#undelivered.isEmpty) return;
    this.#undelivered.deleteRange(range.iova, Number(range.size / this.#source.pageSize));
  }

  /** Notes what is about to be read. */
  begin(range: Extent, into?: Extent[]): Reading {
    const pieces = this.#pieces.inRange(range.iova, range.size, into);
    return { range, pieces, label: this.debts.common(pieces) };
  }

  #read(reading: Reading, read: ReadBits | undefined): DirtyWindow {
    try {
      return this.#fill(reading, read);
    } catch (error) {
      this.debts.failed(reading.pieces);
      throw error;
    }
  }

  #fill(reading: Reading, read: ReadBits | undefined): DirtyWindow {
    const memory = this.#memory;
    const { range } = reading;
    const target = memory.prepare(Number(bitmapBytes(range.size / this.#source.pageSize)));
    const start = performance.now();
    try {
      if (read === undefined) this.#ask(this.#source.reading(range, target), range);
      else read(target);
    } finally {
      this.spent += performance.now() - start;
    }
    return this.finish(reading, memory);
  }

  #ask({ fd, request, argument }: ReadRequest, range: Extent): void {
    this.#source.checkRead(this.#kernel.ioctlBuffer(fd, request, argument), range);
  }

  /** Makes a window of what was read. */
  finish({ range, pieces, label }: Reading, memory: BitmapMemory): DirtyWindow {
    const hasClean = this.#mask(range, pieces, label, memory);
    const meaning = label === "unknown" && hasClean ? this.#source.sawClean(pieces) : label;
    const { iova, size } = range;
    const { pageSize } = this.#source;
    return new DirtyWindow({ iova, size, pageSize, label: meaning, bitmap: memory });
  }

  /**
   * Clears the bits that belong to no mapping, and after an error sets all that belong to one.
   *
   * @returns Whether a mapped page is clean.
   */
  #mask(
    range: Extent,
    pieces: readonly Extent[],
    label: DirtyLabel,
    { words, size }: BitmapMemory,
  ): boolean {
    const { pageSize } = this.#source;
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
    clearBits(words, outside, size * 8);
    return hasClean;
  }

  #showUndelivered(range: Extent, { words }: BitmapMemory): void {
    if (this.#undelivered.isEmpty) return;
    const { pageSize } = this.#source;
    const end = range.iova + range.size;
    for (const run of this.#undelivered.runs()) {
      const from = run.iova > range.iova ? run.iova : range.iova;
      const to = run.iova + run.size < end ? run.iova + run.size : end;
      if (from >= to) continue;
      const first = Number((from - range.iova) / pageSize);
      setBits(words, first, first + Number((to - from) / pageSize));
    }
  }

  /** Gives the buffer back; windows that were read into it say that they are gone. */
  [Symbol.dispose](): void {
    this.#memory[Symbol.dispose]();
  }
}
