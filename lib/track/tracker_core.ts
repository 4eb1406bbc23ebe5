import { type Extent, totalSize } from "../base/extent.ts";
import type { DirtyMap } from "../dirty/dirty_map.ts";
import { type Cursor, type PlanLimits, type PlannedWindow, planWindow } from "../dirty/plan.ts";
import type { BitmapTarget, DirtySource } from "../dirty/source.ts";
import type { DirtyWindow } from "../dirty/window.ts";
import { ReadAhead } from "./read_ahead.ts";
import { DirtyReader } from "./reader.ts";
import { sortOut } from "./take_back.ts";
import type { AsideOptions, TakenWindow, TrackerInit, TwoReads } from "./tracker_types.ts";
import { readAllTwice, readAllTwiceAside } from "./two_reads.ts";

/** Bytes of bitmap of a window, where nobody says otherwise. */
export const DEFAULT_BUDGET: number = 1 << 20;

/**
 * What dirty tracking consists of, and what the container tells it. `DirtyTracker` is its public face.
 */
export class TrackerCore implements Disposable {
  /** Where the bits come from. */
  readonly source: DirtySource;
  readonly #init: TrackerInit;
  readonly #reader: DirtyReader;
  readonly #ahead: ReadAhead;
  /** Windows of mappings that are gone, in memory of their own: they come with the next drain. */
  readonly #left: DirtyWindow[] = [];
  readonly #ofGone = new WeakSet<DirtyWindow>();
  /** Whether a mapping may share a window with the one before it. */
  readonly #together = (a: Extent, b: Extent): boolean =>
    this.#reader.label(a) === this.#reader.label(b) &&
    (this.source.spansGaps || a.iova + a.size === b.iova);
  #on = true;

  /** Starts to track. */
  constructor(init: TrackerInit) {
    const { kernel, source, pieces } = init;
    this.source = source;
    this.#init = init;
    this.#reader = new DirtyReader(kernel, source, pieces);
    this.#ahead = new ReadAhead(kernel, source, this.#reader);
    source.start();
  }

  /** Whether tracking is still on. */
  get isOn(): boolean {
    return this.#on;
  }

  /** Milliseconds that reads have taken in the kernel until now. */
  get spent(): number {
    return this.#reader.spent;
  }

  /** See `DirtyTracker.drain`. */
  *windows(budget: number, cursor: Cursor): Generator<DirtyWindow, void> {
    const limits = this.#limits(budget);
    try {
      for (;;) {
        this.#ahead.release(cursor);
        const plan = this.#plan(cursor, limits);
        const left = this.#left.shift();
        if (left !== undefined) {
          yield left;
          continue;
        }
        if (this.#ahead.range !== undefined) {
          const window = this.#take(cursor, plan);
          if (window !== undefined) yield window;
          continue;
        }
        if (plan === undefined) return;
        const window = this.#reader.deliver(plan);
        cursor.iova = plan.iova + plan.size; // before the yield: the kernel has cleared it by now
        yield window;
      }
    } finally {
      this.#ahead.leave(cursor);
    }
  }

  /** Takes the window that was read ahead; the cursor goes on behind it if it stood before it. */
  #take(cursor: Cursor, plan: PlannedWindow | undefined): DirtyWindow | undefined {
    const { range } = this.#ahead;
    if (range !== undefined && range.iova === plan?.iova) cursor.iova = range.iova + range.size;
    return this.#ahead.take(cursor);
  }

  /** See `DirtyTracker.drainAsync`. */
  async *windowsAside(
    budget: number,
    cursor: Cursor,
    { signal, onProgress }: AsideOptions,
  ): AsyncGenerator<DirtyWindow, void> {
    const limits = this.#limits(budget);
    let [windows, size] = [0, 0n];
    // Before the window is taken: who throws here, or stops for another reason, has lost nothing.
    const tell = (next: Extent | undefined): void => {
      windows += 1;
      if (next !== undefined) size += totalSize(this.#init.pieces.inRange(next.iova, next.size));
      onProgress?.({ windows, size, total: totalSize(this.#init.pieces) });
    };
    try {
      for (;;) {
        this.#ahead.release(cursor);
        signal?.throwIfAborted();
        const plan = this.#plan(cursor, limits);
        if (this.#left.length > 0) {
          tell(undefined);
          const left = this.#left.shift();
          if (left !== undefined) yield left;
          continue;
        }
        if (this.#ahead.range === undefined) {
          if (plan === undefined) return;
          this.#ahead.begin(plan, cursor);
        }
        const { range } = this.#ahead;
        await this.#ahead.arrived(signal);
        // Another reader of the same tracker took it, and may have begun the next: that one would have
        // to be waited for on the spot.
        if (this.#ahead.range !== range) continue;
        const { ready } = this.#ahead;
        if (ready !== undefined) tell(ready);
        const window = this.#take(cursor, plan);
        if (window === undefined) continue;
        const failed = this.#beginNext(cursor, limits);
        yield window;
        if (failed !== undefined) throw failed.error; // the window before it came first
      }
    } finally {
      this.#ahead.leave(cursor);
    }
  }

  /** Reads the next window while the one before is looked at; gives what went wrong. */
  #beginNext(cursor: Cursor, limits: PlanLimits): { readonly error: unknown } | undefined {
    try {
      const plan = this.#plan(cursor, limits);
      if (plan !== undefined) this.#ahead.begin(plan, cursor);
      return undefined;
    } catch (error) {
      return { error };
    }
  }

  /**
   * Takes windows back that were delivered to somebody who could not finish with them.
   *
   * @param dirty The pages of those whose mapping was there.
   */
  takeBack(dirty: DirtyMap, windows: readonly TakenWindow[]): void {
    if (!this.#on) return;
    const { kept, gone } = sortOut(dirty, windows, this.#init.pieces);
    this.#reader.keep(kept);
    for (const { gone } of windows) if (gone !== undefined) this.leave(gone);
    // Of a mapping that went meanwhile, what a last look was to keep had been read already.
    if (this.source.looking !== undefined) { for (const window of gone) this.leave(window); }
    for (const { pieces, label } of windows) {
      for (const piece of pieces) {
        if (this.#reader.label(piece) !== label) this.#reader.debts.owe(piece, label);
      }
    }
  }

  /** See `DirtyTracker.peek`. */
  *glances(budget: number, cursor: Cursor): Generator<DirtyWindow, void> {
    const limits = this.#limits(budget);
    yield* this.#left.slice();
    for (;;) {
      this.#ahead.stow();
      const plan = this.#plan(cursor, limits);
      if (plan === undefined) return;
      const window = this.#reader.glance(plan);
      cursor.iova = plan.iova + plan.size;
      yield window;
    }
  }

  /** Looks at a mapping that is about to go, for {@link leave}; a window of its own memory. */
  lastLook(mapping: Extent): DirtyWindow {
    if (!this.#on) throw new ReferenceError("Cannot read dirty pages: tracking has ended");
    this.#ahead.stow();
    return this.#reader.glance(mapping).copy();
  }

  /** Keeps what was dirty of a mapping that is gone for the next drain. */
  leave(window: DirtyWindow): void {
    if (!this.#on || window.count === 0) return;
    this.#left.push(window);
    this.#ofGone.add(window);
  }

  /** What is to be known of a window that was delivered, should it come back. */
  taken(window: DirtyWindow): TakenWindow {
    const { iova, size, label } = window;
    if (this.#ofGone.has(window)) return { iova, size, label, pieces: [], gone: window };
    const pieces = this.#init.pieces.inRange(iova, size);
    return { iova, size, label, pieces, gone: undefined };
  }

  /** See `DirtyTracker.idle`. */
  async idle(): Promise<void> {
    await this.#ahead.arrived();
  }

  /** Waits on the spot for a read that is under way, before something changes what its bits mean. */
  settle(): void {
    this.#ahead.settle();
  }

  /** Made once a drain: a window allocates nothing that it does not need. */
  #limits(budget: number): PlanLimits {
    const { pageSize, maxBitmapBytes } = this.source;
    return { pageSize, budget: BigInt(budget), max: BigInt(maxBitmapBytes) };
  }

  #plan(cursor: Cursor, limits: PlanLimits): PlannedWindow | undefined {
    if (!this.#on) throw new ReferenceError("Cannot read dirty pages: tracking has ended");
    return planWindow(this.#init.pieces, cursor, limits, this.#together);
  }

  /** See `DirtyTracker.readTwice`. */
  readTwice(): TwoReads {
    this.#ahead.stow();
    const limits = this.#limits(DEFAULT_BUDGET);
    const next = (cursor: Cursor): PlannedWindow | undefined => this.#plan(cursor, limits);
    return readAllTwice(this.#reader, this.source.pageSize, next);
  }

  /** See `DirtyTracker.readTwiceAsync`. */
  async readTwiceAside(signal: AbortSignal | undefined): Promise<TwoReads> {
    const limits = this.#limits(DEFAULT_BUDGET);
    const next = (cursor: Cursor): PlannedWindow | undefined => this.#plan(cursor, limits);
    return await readAllTwiceAside(this.#ahead, this.source.pageSize, next, signal);
  }

  /** Reads the bits of a mapping that only a probe has made; nobody else gets them. */
  look(range: Extent): DirtyWindow {
    return this.#reader.look(range);
  }

  /** The same without holding anything up; the window is good until the next read. */
  async lookAside(range: Extent): Promise<DirtyWindow> {
    for (;;) {
      while (this.#ahead.range !== undefined) await this.#ahead.pass();
      this.#ahead.begin(range, { iova: range.iova });
      await this.#ahead.arrived();
      const window = this.#ahead.range === range ? this.#ahead.look() : undefined;
      if (window !== undefined) return window; // or a drain of the same tracker took it
    }
  }

  /** Notes that mappings are gone, with what was read of them and not delivered. */
  forget(range: Extent): void {
    this.#ahead.stow();
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
    this.#ahead.stow();
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
    this.#left.length = 0;
    this.#ahead[Symbol.dispose]();
    this.#reader[Symbol.dispose]();
    this.#init.onEnd();
  }

  /** See `DirtyTracker[Symbol.dispose]`. */
  [Symbol.dispose](): void {
    if (!this.#on) return;
    this.settle();
    using stack = new DisposableStack();
    stack.defer(() => this.end());
    this.#init.source.stop();
  }
}
