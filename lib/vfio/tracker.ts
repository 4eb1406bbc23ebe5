import { checkKind, checkOptions, type Kinds } from "../base/argument.ts";
import { hex } from "../base/format.ts";
import type { Extent, ExtentSet } from "../base/extent.ts";
import { bitmapBytes } from "../base/page.ts";
import { DirtyMap } from "../dirty/dirty_map.ts";
import { type Cursor, type PlannedWindow, planWindow } from "../dirty/plan.ts";
import { type LabelledRun, mergeRuns } from "../dirty/run.ts";
import type { BitmapTarget, DirtySource } from "../dirty/source.ts";
import type { DirtyWindow } from "../dirty/window.ts";
import type { Kernel } from "../sys/kernel.ts";
import { DirtyReader } from "./reader.ts";

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

/** Two reads of everything, one right behind the other. */
export interface TwoReads {
  /** What the first read gave: pinned now, or pinned or written since the read before. */
  readonly first: DirtyMap;
  /** What the second gave: pinned now, or touched between the two. */
  readonly second: DirtyMap;
  /** Reads of the bitmap that it took, and the bytes of bitmap that those copied. */
  readonly cost: { readonly reads: number; readonly bitmapBytes: number };
}

const DEFAULT_BUDGET = 1 << 20;
const OPTIONS: Kinds<DrainOptions> = { maxBitmapBytes: "number", cursor: "object" };

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
  readonly #reader: DirtyReader;
  #on = true;

  /** Starts to track; made by `container.trackDirty`. */
  constructor(init: TrackerInit) {
    const { kernel, source, pieces } = init;
    this.pageSize = source.pageSize;
    this.maxBitmapBytes = BigInt(source.maxBitmapBytes);
    this.source = source.name;
    this.#init = init;
    this.#reader = new DirtyReader(kernel, source, pieces);
    source.start();
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
  drain(options?: DrainOptions): Generator<DirtyWindow, void> {
    // Checked here and not at the first window, so that the call that is wrong is the one that throws.
    const { maxBitmapBytes: budget = DEFAULT_BUDGET, cursor = { iova: 0n } } = checkOptions(
      options,
      OPTIONS,
    );
    if (!Number.isSafeInteger(budget) || budget < 8) {
      throw new RangeError(`maxBitmapBytes must be a whole number of at least 8; got ${budget}`);
    }
    checkKind("cursor.iova", cursor.iova, "bigint");
    return this.#windows(budget, cursor);
  }

  *#windows(budget: number, cursor: Cursor): Generator<DirtyWindow, void> {
    for (;;) {
      const plan = this.#plan(cursor, budget);
      if (plan === undefined) return;
      const window = this.#reader.deliver(plan);
      cursor.iova = plan.iova + plan.size; // before the yield: the kernel has cleared it by now
      yield window;
    }
  }

  #plan(cursor: Cursor, budget: number): PlannedWindow | undefined {
    if (!this.#on) throw new ReferenceError("Cannot read dirty pages: tracking has ended");
    const { pageSize, maxBitmapBytes: max } = this;
    const together = (a: Extent, b: Extent): boolean =>
      this.#reader.label(a) === this.#reader.label(b);
    const limits = { pageSize, budget: BigInt(budget), max };
    return planWindow(this.#init.pieces, cursor, limits, together);
  }

  /**
   * Reads all mappings and gives the dirty pages as runs, joined across windows.
   *
   * @throws As {@link drain} does.
   */
  runs(options?: DrainOptions): Generator<LabelledRun, void> {
    return mergeRuns(this.drain(options));
  }

  /**
   * Reads everything twice, each window right behind its first read: what stays is pinned. Nothing is
   * lost to {@link drain}, which delivers it all the next time.
   *
   * @throws As {@link drain} does.
   */
  readTwice(): TwoReads {
    const first = new DirtyMap(this.pageSize);
    const second = new DirtyMap(this.pageSize);
    const cursor = { iova: 0n };
    const cost = { reads: 0, bitmapBytes: 0 };
    for (let plan; (plan = this.#plan(cursor, DEFAULT_BUDGET)) !== undefined;) {
      first.add(this.#reader.peek(plan));
      second.add(this.#reader.peek(plan));
      cursor.iova = plan.iova + plan.size;
      cost.reads += 2;
      cost.bitmapBytes += 2 * Number(bitmapBytes(plan.size / this.pageSize));
    }
    return { first, second, cost };
  }

  /** Reads the bits of a mapping that only a probe has made; nobody else gets them. */
  look(range: Extent): DirtyWindow {
    return this.#reader.look(range);
  }

  /** Notes that mappings are gone, with what was read of them and not delivered. */
  forget(range: Extent): void {
    this.#reader.forget(range);
  }

  /**
   * Delivers a range that is read in another way than by the source, as an unmap does.
   *
   * @param range Whole mappings.
   * @param read Fills the bitmap.
   * @returns A window of its own memory.
   */
  readOnce(range: Extent, read: (target: BitmapTarget) => void): DirtyWindow {
    if (!this.#on) throw new ReferenceError("Cannot read dirty pages: tracking has ended");
    return this.#reader.deliver(range, read).copy();
  }

  /**
   * Notes that the kernel reports every mapped page once more, because it does not know what a group
   * did that has left.
   *
   * @param isCertain Whether the group made everything dirty until then; if it may have pinned, the
   *   next report means one or the other.
   * @see drivers/vfio/vfio_iommu_type1.c, vfio_iommu_populate_bitmap_full
   */
  noteGroupLeft(isCertain: boolean): void {
    this.#reader.owe(isCertain ? "all-mapped" : "unknown");
  }

  /** Notes that the kernel has ended tracking by itself, as when the last group leaves. */
  end(): void {
    if (!this.#on) return;
    this.#on = false;
    this.#reader[Symbol.dispose]();
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
