import { checkKind, checkOptions, type Kinds } from "../base/argument.ts";
import { hex } from "../base/format.ts";
import type { Cursor } from "../dirty/plan.ts";
import { type LabelledRun, mergeRuns } from "../dirty/run.ts";
import type { DirtyWindow } from "../dirty/window.ts";
import { DEFAULT_BUDGET, TrackerCore, type TrackerInit, type TwoReads } from "./tracker_core.ts";

export type { TwoReads };

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

const OPTIONS: Kinds<DrainOptions> = { maxBitmapBytes: "number", cursor: "object" };

/** Set by the class, for this module alone: what a script has no use for is no method of it. */
let make: (core: TrackerCore) => DirtyTracker;
let open: (tracker: DirtyTracker) => TrackerCore;

/**
 * Dirty tracking that is on: read it with {@link DirtyTracker.drain}, end it with dispose.
 *
 * Each window is one read, which clears in the kernel what it reports: what a script does not take
 * from a window is lost to it. An error leaves unknown what was cleared; the range is then reported
 * once as `incomplete`, with every mapped page.
 */
export class DirtyTracker implements Disposable {
  readonly #core: TrackerCore;

  static {
    make = (core) => new DirtyTracker(core);
    open = (tracker) => tracker.#core;
  }

  private constructor(core: TrackerCore) {
    this.#core = core;
  }

  /** Bytes of a page of the bitmap, as the source says. */
  get pageSize(): bigint {
    return this.#core.source.pageSize;
  }

  /** Most bytes of bitmap in one read. */
  get maxBitmapBytes(): bigint {
    return BigInt(this.#core.source.maxBitmapBytes);
  }

  /** Where the bits come from: "type1". */
  get source(): string {
    return this.#core.source.name;
  }

  /** Whether tracking is still on: it ends with dispose, and when the last group leaves. */
  get isOn(): boolean {
    return this.#core.isOn;
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
    return this.#core.windows(budget, cursor);
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
    return this.#core.readTwice();
  }

  /**
   * Stops tracking; what was not read is lost. A second time does nothing.
   *
   * @see drivers/vfio/vfio_iommu_type1.c, vfio_dma_bitmap_free_all
   */
  [Symbol.dispose](): void {
    this.#core[Symbol.dispose]();
  }

  /** A line for logs: the source and its page size. */
  toString(): string {
    return `${this.source} dirty tracking, ${hex(this.pageSize)}-byte pages`;
  }
}

/** Starts to track; `container.trackDirty` does. */
export function startTracking(init: TrackerInit): DirtyTracker {
  return make(new TrackerCore(init));
}

/** What is behind a tracker, for those who tell it what happens to its container. */
export function coreOf(tracker: DirtyTracker): TrackerCore {
  return open(tracker);
}
