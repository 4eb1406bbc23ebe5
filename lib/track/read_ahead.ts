import type { Extent } from "../base/extent.ts";
import { bitmapBytes } from "../base/page.ts";
import { orAbort } from "../base/wait.ts";
import type { Cursor } from "../dirty/plan.ts";
import type { DirtySource } from "../dirty/source.ts";
import type { DirtyWindow } from "../dirty/window.ts";
import type { AsideCall, AsideResult, Kernel } from "../sys/kernel.ts";
import { BitmapMemory } from "./bitmap_memory.ts";
import type { Owed } from "./debts.ts";
import type { DirtyReader, Reading } from "./reader.ts";

/** A read that was begun. */
interface Begun extends Reading {
  readonly call: AsideCall;
  readonly owed: Owed;
  /** Of the drain that it was begun for, as long as that goes on. */
  cursor: Cursor | undefined;
}

/** A read that is done: its window, or why there is none. */
type Outcome = { readonly window: DirtyWindow } | { readonly error: unknown };

/**
 * One read that another thread makes, in memory of its own. It clears bits in the kernel, so what it
 * gives is kept until somebody takes it.
 */
export class ReadAhead implements Disposable {
  readonly #kernel: Kernel;
  readonly #source: DirtySource;
  readonly #reader: DirtyReader;
  /** What is read into, and what the window that was delivered last shows. */
  #memory: BitmapMemory;
  #shown: BitmapMemory;
  /** Who may still look at that window. */
  #holder: Cursor | undefined;
  #begun: Begun | undefined;
  #outcome: Outcome | undefined;

  /** Takes no memory before the first read. */
  constructor(kernel: Kernel, source: DirtySource, reader: DirtyReader) {
    this.#kernel = kernel;
    this.#source = source;
    this.#reader = reader;
    this.#memory = new BitmapMemory(kernel);
    this.#shown = new BitmapMemory(kernel);
  }

  /** The range that was read, or is being read, and not taken yet. */
  get range(): Extent | undefined {
    return this.#begun?.range;
  }

  /**
   * Begins to read a range of whole mappings; there must be none that was not taken.
   *
   * @param cursor Of the drain that it is read for: it stands before the range.
   */
  begin(range: Extent, cursor: Cursor): void {
    const reading = this.#reader.begin(range);
    const bytes = Number(bitmapBytes(range.size / this.#source.pageSize));
    const clear = this.#memory.prepareUncleared(bytes);
    const request = this.#source.reading(range, this.#memory);
    const call = this.#kernel.ioctlAside({ ...request, clear });
    this.#begun = { ...reading, call, owed: this.#reader.debts.take(reading.pieces), cursor };
  }

  /** Whether the read was done when it was begun, as with a kernel that has no other thread. */
  get isDone(): boolean {
    return this.#begun?.call.isDone === true;
  }

  /**
   * Settles when the read is done.
   *
   * @throws The reason of the signal, as soon as it aborts; the read goes on.
   */
  async arrived(signal?: AbortSignal): Promise<void> {
    const begun = this.#begun;
    if (begun === undefined) return;
    // A thread that failed shows when its read is taken.
    await orAbort(begun.call.done.catch(() => {}), signal);
  }

  /**
   * Waits for a read that is under way, and leaves it to the next delivery of its range. Somebody else
   * may have begun another one when this returns: whoever wants to begin asks for {@link range} then.
   *
   * @throws The reason of the signal, as soon as it aborts.
   */
  async pass(signal?: AbortSignal): Promise<void> {
    const { range } = this;
    await this.arrived(signal);
    if (this.range === range) this.stow();
  }

  /** Waits on the spot until the read is done, before something changes what its bits mean. */
  settle(): void {
    const begun = this.#begun;
    if (begun !== undefined) this.#outcome ??= this.#finish(begun);
  }

  #finish(begun: Begun): Outcome {
    try {
      const { result, milliseconds }: AsideResult = begun.call.wait();
      this.#reader.spent += milliseconds;
      this.#source.checkRead(result, begun.range);
      return { window: this.#reader.finish(begun, this.#memory) };
    } catch (error) {
      this.#reader.debts.failed(begun.pieces);
      return { error };
    }
  }

  #end(): { readonly begun: Begun; readonly outcome: Outcome } | undefined {
    this.settle();
    const begun = this.#begun;
    const outcome = this.#outcome;
    this.#begun = this.#outcome = undefined;
    return begun === undefined || outcome === undefined ? undefined : { begun, outcome };
  }

  /** The window that {@link take} will deliver; undefined where it throws, or nothing was read. */
  get ready(): DirtyWindow | undefined {
    this.settle();
    const outcome = this.#outcome;
    return outcome !== undefined && "window" in outcome ? outcome.window : undefined;
  }

  /**
   * Delivers what was read. The drain that it was begun for goes on behind it, whoever gets it: where
   * several take what the others began, each step brings one of them further.
   *
   * @param reader The cursor of the drain that gets it: the window is good until {@link release}. While
   *   another one has a window, this one gets a copy, which takes longer.
   * @throws {VfioError} If the read failed; its range is reported as `incomplete` the next time.
   */
  take(reader: Cursor): DirtyWindow | undefined {
    const ended = this.#end();
    if (ended === undefined) return undefined;
    const { outcome, begun: { range, cursor } } = ended;
    if (cursor !== undefined) cursor.iova = range.iova + range.size;
    if ("error" in outcome) throw outcome.error;
    const { window } = outcome;
    this.#reader.complete(window, this.#memory);
    this.#holder ??= reader;
    if (this.#holder !== reader) return window.copy();
    [this.#memory, this.#shown] = [this.#shown, this.#memory];
    return window;
  }

  /** Ends what {@link take} gave a drain. */
  release(reader: Cursor): void {
    if (this.#holder === reader) this.#holder = undefined;
  }

  /** Leaves what was begun for a drain that has ended to the next one. */
  leave(reader: Cursor): void {
    this.release(reader);
    if (this.#begun?.cursor === reader) this.#begun.cursor = undefined;
  }

  /** Leaves what was read to the next delivery of its range: it cannot come as a window any more. */
  stow(): void {
    const ended = this.#end();
    if (ended !== undefined && "window" in ended.outcome) {
      this.#keep(ended.begun, ended.outcome.window);
    }
  }

  /**
   * Shows what was read, until the next read begins, and leaves it to the next delivery of its range.
   *
   * @throws {VfioError} If the read failed; its range is reported as `incomplete` the next time.
   */
  look(): DirtyWindow | undefined {
    const ended = this.#end();
    if (ended === undefined) return undefined;
    const { begun, outcome } = ended;
    if ("error" in outcome) throw outcome.error;
    this.#keep(begun, outcome.window);
    return outcome.window;
  }

  #keep({ owed }: Begun, window: DirtyWindow): void {
    this.#reader.keep(window);
    this.#reader.debts.restore(owed);
  }

  /** Gives the memory back. */
  [Symbol.dispose](): void {
    this.settle(); // or the kernel would write into memory that is not ours any more
    this.#begun = this.#outcome = undefined;
    this.#memory[Symbol.dispose]();
    this.#shown[Symbol.dispose]();
  }
}
