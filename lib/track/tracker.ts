import { checkKind, checkOptions, given, type Kinds } from "../base/argument.ts";
import { hex } from "../base/format.ts";
import type { Cursor } from "../dirty/plan.ts";
import { type LabelledRun, mergeRuns } from "../dirty/run.ts";
import type { DirtyWindow } from "../dirty/window.ts";
import { noLook } from "./reader.ts";
import { type DirtyRound, roundsOf, type RoundsOptions } from "./rounds.ts";
import { DEFAULT_BUDGET, TrackerCore } from "./tracker_core.ts";
import type { AsideOptions, DrainProgress, TrackerInit, TwoReads } from "./tracker_types.ts";

export type { DirtyRound, DrainProgress, RoundsOptions, TwoReads };

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

/** How to read dirty pages without holding up anything else. */
export interface DrainAsyncOptions extends DrainOptions {
  /** Ends the drain; a read that is under way then goes on, and its window comes first next time. */
  readonly signal?: AbortSignal | undefined;
  /** Called before each window is delivered. */
  readonly onProgress?: ((progress: DrainProgress) => void) | undefined;
}

const OPTIONS: Kinds<DrainOptions> = { maxBitmapBytes: "number", cursor: "object" };
const ASYNC_OPTIONS: Kinds<DrainAsyncOptions> = {
  ...OPTIONS,
  signal: "object",
  onProgress: "function",
};
const ROUNDS_OPTIONS: Kinds<RoundsOptions> = {
  interval: "number",
  count: "number",
  signal: "object",
  maxBitmapBytes: "number",
};

function checkBudget(budget: number): void {
  if (Number.isSafeInteger(budget) && budget >= 8) return;
  throw new RangeError(`maxBitmapBytes must be a whole number of at least 8; got ${budget}`);
}

function checkSignal(signal: AbortSignal | undefined): void {
  if (signal === undefined || signal instanceof AbortSignal) return;
  throw new TypeError(`signal must be an AbortSignal; got ${given(signal)}`);
}

function checkCursor({ iova }: Cursor): void {
  checkKind("cursor.iova", iova, "bigint");
  if (iova >= 0n && iova <= 1n << 64n) return;
  throw new RangeError(`cursor.iova must be an address from 0 to 2^64; got ${iova}`);
}

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

  /** Milliseconds that reads have taken in the kernel until now. */
  get readTime(): number {
    return this.#core.spent;
  }

  /** Where the bits come from: "type1", "hwpt" or "log". */
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
    checkBudget(budget);
    checkCursor(cursor);
    return this.#core.windows(budget, cursor);
  }

  /** Whether {@link peek} works: type1 and a device's log clear whatever is read of them. */
  get canPeek(): boolean {
    return this.#core.source.looking !== undefined;
  }

  /**
   * Looks at the dirty pages of all mappings and takes none: the next {@link drain} has them again,
   * and those that become dirty meanwhile.
   *
   * @throws {ReferenceError} If the source clears what is read: see {@link canPeek}.
   * @throws As {@link drain} does; a look that fails loses nothing.
   * @see drivers/iommu/iommufd/io_pagetable.c, IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR
   */
  peek(options?: DrainOptions): Generator<DirtyWindow, void> {
    const { maxBitmapBytes: budget = DEFAULT_BUDGET, cursor = { iova: 0n } } = checkOptions(
      options,
      OPTIONS,
    );
    checkBudget(budget);
    checkCursor(cursor);
    if (!this.canPeek) throw new ReferenceError(noLook(this.source));
    return this.#core.glances(budget, cursor);
  }

  /**
   * Reads all mappings as {@link drain} does, each window on a thread of its own: nothing else is held
   * up, however long the kernel takes. While a script looks at a window the next one is read, and no
   * more than that one. A window is good until the next is asked for.
   *
   * A window that was read and not delivered, because the script stopped or the signal came, is kept
   * and comes first the next time, from this method or from {@link drain}. What changes the container,
   * as a new mapping, waits for a read that is under way. The thread starts with the first read, which
   * takes some 20 ms, and ends a second after the last one.
   *
   * @param options As for {@link drain}, with a signal and somebody who is told of progress.
   * @returns The windows, one after the other.
   * @throws As {@link drain} does, and the reason of the signal.
   */
  drainAsync(options?: DrainAsyncOptions): AsyncGenerator<DirtyWindow, void> {
    const all = checkOptions(options, ASYNC_OPTIONS);
    const { maxBitmapBytes: budget = DEFAULT_BUDGET, cursor = { iova: 0n } } = all;
    checkBudget(budget);
    checkCursor(cursor);
    const { signal, onProgress }: AsideOptions = all;
    checkSignal(signal);
    return this.#core.windowsAside(budget, cursor, { signal, onProgress });
  }

  /**
   * Reads everything again and again, and sums each round up: how many pages were dirty, how fast they
   * came, how many were others than before. Each round is read as {@link drainAsync} does.
   *
   * A round that ends early, because of an error or of the signal, is not given; what it had read comes
   * with the next read of the same mappings.
   *
   * @param options The interval in milliseconds from the start of one round to that of the next
   *   (1000 by default; a round that takes longer is followed at once), how many rounds (without end
   *   by default), and a signal.
   * @returns The rounds; the first one comes after one interval.
   * @throws {RangeError} If a number is out of its range.
   * @throws As {@link drainAsync} does.
   */
  rounds(options?: RoundsOptions): AsyncGenerator<DirtyRound, void> {
    const { interval = 1000, count = Infinity, maxBitmapBytes: budget = DEFAULT_BUDGET, signal } =
      checkOptions(options, ROUNDS_OPTIONS);
    checkBudget(budget);
    checkSignal(signal);
    if (!(interval >= 0 && interval < 2 ** 31)) {
      throw new RangeError(`interval must be milliseconds from 0 to 2^31 - 1; got ${interval}`);
    }
    if (!(count >= 0 && (Number.isSafeInteger(count) || count === Infinity))) {
      throw new RangeError(`count must be a whole number of at least 0; got ${count}`);
    }
    return roundsOf(this.#core, { interval, count, budget, signal });
  }

  /**
   * Settles when no read of {@link drainAsync} is under way. After an abort, dispose and all that
   * changes the container wait for such a read; this waits without holding anything up, so that a
   * script can tell a read that is stuck in the kernel.
   */
  idle(): Promise<void> {
    return this.#core.idle();
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
   * Reads everything twice as {@link readTwice} does, on a thread of its own. Between the two reads of a
   * window lies the way to that thread and back, some tenths of a millisecond: what is touched then is
   * in the second one too.
   *
   * @param options A signal that ends it; what was read then comes with the next drain.
   * @returns Both reads.
   * @throws As {@link drainAsync} does.
   */
  async readTwiceAsync(options?: { readonly signal?: AbortSignal | undefined }): Promise<TwoReads> {
    const { signal } = checkOptions(options, { signal: "object" });
    checkSignal(signal);
    return await this.#core.readTwiceAside(signal);
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
