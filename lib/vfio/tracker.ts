import { hex } from "../base/format.ts";
import type { Extent, ExtentSet } from "../base/extent.ts";
import { bitmapBytes } from "../base/page.ts";
import type { DirtyLabel } from "../dirty/label.ts";
import { type Cursor, type PlannedWindow, planWindow } from "../dirty/plan.ts";
import { type LabelledRun, mergeRuns } from "../dirty/run.ts";
import { clearBits, setBits } from "../dirty/scan.ts";
import type { BitmapTarget, DirtySource } from "../dirty/source.ts";
import { DirtyWindow } from "../dirty/window.ts";
import type { Kernel } from "../sys/kernel.ts";
import { BitmapMemory } from "./bitmap_memory.ts";

/** How to read dirty pages. */
export interface DrainOptions {
  /**
   * Bytes of bitmap that a window should not exceed; 1 MiB by default, which is 32 GiB of 4 KiB
   * pages. A single mapping is always read whole.
   */
  readonly maxBitmapBytes?: number;
  /** Go on where an earlier drain stopped; it is moved along. A new one begins at address 0. */
  readonly cursor?: Cursor;
}

/** What a {@link DirtyTracker} is made from. */
export interface TrackerInit {
  readonly kernel: Kernel;
  readonly source: DirtySource;
  /** What is mapped, kept up to date by its owner. */
  readonly pieces: ExtentSet<Extent>;
  /** Called when tracking has ended. */
  readonly onEnd: () => void;
}

const DEFAULT_BUDGET = 1 << 20;

/**
 * Dirty tracking that is on: read it with {@link DirtyTracker.drain}, end it with dispose.
 *
 * Each window is one read, which clears in the kernel what it reports: what a script does not take
 * from a window is lost to it. An error leaves unknown what was cleared; the range is then reported
 * once as `incomplete`, with every mapped page.
 */
export class DirtyTracker implements Disposable {
  /** Bytes of a page of the bitmap, as the source says. */
  readonly pageSize: bigint;
  /** Most bytes of bitmap in one read. */
  readonly maxBitmapBytes: bigint;
  /** Where the bits come from: "type1". */
  readonly source: string;
  readonly #init: TrackerInit;
  readonly #memory: BitmapMemory;
  // What the next read of a mapping has to be called, whatever the rules say.
  readonly #owed = new WeakMap<Extent, DirtyLabel>();
  #on = true;

  /** Starts to track; made by `container.trackDirty`. */
  constructor(init: TrackerInit) {
    const { kernel, source } = init;
    this.pageSize = source.pageSize;
    this.maxBitmapBytes = BigInt(source.maxBitmapBytes);
    this.source = source.name;
    this.#init = init;
    using stack = new DisposableStack();
    this.#memory = stack.use(new BitmapMemory(kernel));
    source.start();
    stack.move();
  }

  /** Whether tracking is still on: it ends with dispose, and when the last group leaves. */
  get isOn(): boolean {
    return this.#on;
  }

  /**
   * Reads all mappings, window by window; each read clears what it reports.
   *
   * @throws {RangeError} If the budget is not a whole number of at least 8 bytes.
   * @throws {ReferenceError} When tracking has ended.
   * @throws {VfioError} If a read fails; the next drain reports its range as `incomplete`.
   * @see drivers/vfio/vfio_iommu_type1.c, vfio_iova_dirty_bitmap
   */
  *drain(options: DrainOptions = {}): Generator<DirtyWindow, void> {
    const budget = options.maxBitmapBytes ?? DEFAULT_BUDGET;
    if (!Number.isSafeInteger(budget) || budget < 8) {
      throw new RangeError(`maxBitmapBytes must be a whole number of at least 8; got ${budget}`);
    }
    const cursor = options.cursor ?? { iova: 0n };
    const limits = { pageSize: this.pageSize, budget: BigInt(budget), max: this.maxBitmapBytes };
    const together = (a: Extent, b: Extent): boolean => this.#label(a) === this.#label(b);
    for (;;) {
      this.#checkOn();
      const plan = planWindow(this.#init.pieces, cursor, limits, together);
      if (plan === undefined) return;
      const window = this.#read(plan);
      cursor.iova = plan.iova + plan.size; // before the yield: the kernel has cleared it by now
      yield window;
    }
  }

  /**
   * Reads all mappings and gives the dirty pages as runs, joined across windows.
   *
   * @throws As {@link drain} does.
   */
  runs(options: DrainOptions = {}): Generator<LabelledRun, void> {
    return mergeRuns(this.drain(options));
  }

  #checkOn(): void {
    if (!this.#on) throw new ReferenceError("Cannot read dirty pages: tracking has ended");
  }

  #label(extent: Extent): DirtyLabel {
    return this.#owed.get(extent) ?? this.#init.source.label(extent);
  }

  #read(plan: PlannedWindow): DirtyWindow {
    const pieces = this.#init.pieces;
    const label = this.#label(pieces.at(plan.first)!);
    try {
      this.#init.source.read(plan, this.#prepare(plan));
    } catch (error) {
      for (let i = plan.first; i < plan.end; i += 1) this.#owed.set(pieces.at(i)!, "incomplete");
      throw error;
    }
    let clean = 0;
    for (let i = plan.first; i < plan.end; i += 1) {
      const piece = pieces.at(i)!;
      clean = this.#mask(plan, piece, clean, label);
      this.#owed.delete(piece);
    }
    return this.#window(plan, clean, label);
  }

  /** Clears the bits before a mapping that belong to none; after an error sets all of its own. */
  #mask(range: Extent, piece: Extent, from: number, label: DirtyLabel): number {
    const { words } = this.#memory;
    const first = Number((piece.iova - range.iova) / this.pageSize);
    const end = first + Number(piece.size / this.pageSize);
    clearBits(words, from, first);
    if (label === "incomplete") setBits(words, first, end);
    return end;
  }

  #window(range: Extent, clean: number, label: DirtyLabel): DirtyWindow {
    const { iova, size } = range;
    const bits = Number(bitmapBytes(size / this.pageSize)) * 8;
    clearBits(this.#memory.words, clean, bits);
    return new DirtyWindow({ iova, size, pageSize: this.pageSize, label, bitmap: this.#memory });
  }

  #prepare(range: Extent): BitmapTarget {
    return this.#memory.prepare(Number(bitmapBytes(range.size / this.pageSize)));
  }

  /**
   * Reads a range in another way than by the source, as an unmap does.
   *
   * @param range Whole mappings.
   * @param read Fills the bitmap; the mappings may be gone afterwards.
   * @returns A window of its own memory.
   */
  readOnce(range: Extent, read: (target: BitmapTarget) => void): DirtyWindow {
    this.#checkOn();
    const pieces = this.#init.pieces.inRange(range.iova, range.size);
    const labels = new Set(pieces.map((piece) => this.#label(piece)));
    const [only = "unknown"] = labels;
    // Mixed meanings: the weakest one that holds for all.
    const label = labels.size <= 1 ? only : labels.has("incomplete") ? "incomplete" : "unknown";
    try {
      read(this.#prepare(range));
    } catch (error) {
      for (const piece of pieces) this.#owed.set(piece, "incomplete");
      throw error;
    }
    const clean = pieces.reduce((from, piece) => this.#mask(range, piece, from, label), 0);
    return this.#window(range, clean, label).copy();
  }

  /**
   * Notes that an IOMMU-backed group has left: the kernel then reports everything once, because it
   * does not know what the group did.
   *
   * @see drivers/vfio/vfio_iommu_type1.c, vfio_iommu_populate_bitmap_full
   */
  noteGroupLeft(): void {
    for (const piece of this.#init.pieces) {
      if (this.#owed.get(piece) !== "incomplete") this.#owed.set(piece, "all-mapped");
    }
  }

  /** Notes that the kernel has ended tracking by itself, as when the last group leaves. */
  end(): void {
    if (!this.#on) return;
    this.#on = false;
    this.#memory[Symbol.dispose]();
    this.#init.onEnd();
  }

  /**
   * Stops tracking; what was not read is lost. A second time does nothing.
   *
   * @see drivers/vfio/vfio_iommu_type1.c, vfio_dma_bitmap_free_all
   */
  [Symbol.dispose](): void {
    if (!this.#on) return;
    using stack = new DisposableStack();
    stack.defer(() => this.end());
    this.#init.source.stop();
  }

  /** A line for logs: the source and its page size. */
  toString(): string {
    return `${this.source} dirty tracking, ${hex(this.pageSize)}-byte pages`;
  }
}
