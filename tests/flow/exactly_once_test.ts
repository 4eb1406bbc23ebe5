/** Each page that was written is delivered once, whatever is stopped, thrown or unmapped in between. */
import { Container, type DirtyRound, type DirtyTracker, type DirtyWindow } from "../../mod.ts";
import { DEFAULT_MDEV, LAB_SCENES } from "../../lib/model/mod.ts";
import { Scene } from "../kernel/mock/drain_cases.ts";
import { APERTURE } from "../kernel/mock/mock.ts";
import { equal, ok } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { LateKernel } from "../support/late_kernel.ts";
import { Random } from "../unit/random.ts";

const PAGE = 4096n;
const SLOTS = 12;
const SLOT = 64;
const SCENE = { devices: [{ kind: "mdev", name: DEFAULT_MDEV, group: 1 }] } as const;

/** Slots of 64 pages that can be mapped and written, and their tracker. */
interface Place extends Disposable {
  readonly kernel: LateKernel;
  readonly tracker: DirtyTracker;
  /** Whether the pages of a mapping that is unmapped come all the same. */
  readonly keepsGone: boolean;
  /** Address of page 0. */
  readonly base: bigint;
  map(slot: number): Disposable;
  write(page: number): void;
}

function type1(): Place {
  using stack = new DisposableStack();
  const kernel = new LateKernel(SCENE);
  const container = stack.use(Container.open({ kernel }));
  const group = stack.use(container.attach(DEFAULT_MDEV));
  stack.use(group.device());
  const memory = stack.use(container.allocate(BigInt(SLOTS * SLOT) * PAGE));
  stack.defer(() => container.unmapAll());
  const tracker = stack.use(container.trackDirty());
  const driver = kernel.vendor(DEFAULT_MDEV);
  const map = (slot: number): Disposable => {
    const iova = BigInt(slot * SLOT) * PAGE;
    return container.map(memory, { iova, offset: iova, size: BigInt(SLOT) * PAGE });
  };
  const write = (page: number): void =>
    equal(driver.write(BigInt(page) * PAGE, new Uint8Array(1)), 0);
  const owned = stack.move();
  const dispose = (): void => owned.dispose();
  return { kernel, tracker, keepsGone: false, base: 0n, map, write, [Symbol.dispose]: dispose };
}

function hwpt(): Place {
  using stack = new DisposableStack();
  const kernel = new LateKernel(LAB_SCENES.mock);
  const scene = stack.use(new Scene(kernel, false));
  const tracker = stack.use(scene.table.trackDirty());
  const map = (slot: number): Disposable => scene.map(slot * SLOT, SLOT);
  const write = (page: number): void => scene.touch(page, new Set());
  const owned = stack.move();
  const dispose = (): void => owned.dispose();
  const base = APERTURE.start;
  return { kernel, tracker, keepsGone: true, base, map, write, [Symbol.dispose]: dispose };
}

/** What has to come, and what was delivered. */
class Book {
  /** Pages that were written and not delivered. */
  readonly due = new Set<number>();
  /** Pages of mappings that went while somebody held what was read of them: they may still come. */
  readonly loose = new Set<number>();

  constructor(readonly place: Place) {}

  take(runs: Iterable<{ iova: bigint; pages: number }>): void {
    for (const { iova, pages } of runs) {
      const first = Number((iova - this.place.base) / PAGE);
      for (let page = first; page < first + pages; page += 1) {
        ok(this.due.delete(page) || this.loose.delete(page), `page ${page} was not written`);
      }
    }
  }
}

class Play {
  readonly #random: Random;
  readonly #place: Place;
  readonly #book: Book;
  readonly #mapped = new Map<number, Disposable>();
  /** Rounds that are being read. */
  #round:
    | { readonly done: Promise<DirtyRound | undefined>; readonly stop: AbortController }
    | undefined;

  constructor(place: Place, random: Random) {
    this.#place = place;
    this.#random = random;
    this.#book = new Book(place);
    for (let slot = 0; slot < SLOTS; slot += 1) this.#mapped.set(slot, place.map(slot));
  }

  #write(): void {
    const { due, loose } = this.#book;
    for (const slot of this.#mapped.keys()) {
      const page = slot * SLOT + this.#random.below(SLOT);
      // One that was written in a mapping that is gone cannot be told from it.
      if (this.#random.below(4) > 0 || due.has(page) || loose.has(page)) continue;
      this.#place.write(page);
      due.add(page);
    }
  }

  /** Unmaps a slot, or maps it again. */
  #change(): void {
    const { due, loose } = this.#book;
    const slot = this.#random.below(SLOTS);
    const mapping = this.#mapped.get(slot);
    if (mapping === undefined) {
      this.#mapped.set(slot, this.#place.map(slot));
      return;
    }
    if (this.#mapped.size < 5) return;
    mapping[Symbol.dispose]();
    this.#mapped.delete(slot);
    if (this.#place.keepsGone) return;
    for (let page = slot * SLOT; page < (slot + 1) * SLOT; page += 1) {
      if (due.delete(page) && this.#round !== undefined) loose.add(page);
    }
  }

  /** A window after the other, until somebody has enough: by break, throw, abort or return. */
  async #drain(): Promise<void> {
    const random = this.#random;
    const { tracker } = this.#place;
    const maxBitmapBytes = 8 * (1 + random.below(3));
    let left = random.below(10);
    const enough = new Error("enough");
    const stop = new AbortController();
    const how = random.below(4);
    const onProgress = (): void => {
      if (how === 0 && left-- === 0) throw enough;
    };
    const take = (window: DirtyWindow): boolean => {
      this.#book.take(window.runs());
      if (how === 1 && left-- === 0) throw enough;
      return how === 2 && left-- === 0;
    };
    const options = { maxBitmapBytes, signal: stop.signal, onProgress };
    try {
      const windows = tracker.drainAsync(options);
      for (;;) {
        const next = windows.next();
        await null;
        if (how === 3 && left-- === 0) stop.abort(enough);
        if (random.below(8) === 0) this.#change();
        const { value } = await this.#settle(next);
        if (value === undefined) break;
        if (take(value)) break;
        if (random.below(6) === 0) this.#write();
      }
      await windows.return();
    } catch (error) {
      if (error !== enough) throw error;
    }
  }

  /** Lets the kernel answer until something settles. */
  async #settle<T>(promise: Promise<T>): Promise<T> {
    let isOver = false;
    const settled = promise.finally(() => isOver = true);
    settled.catch(() => {}); // it is awaited below
    for (let step = 1; !isOver; step += 1) {
      this.#place.kernel.finish();
      await (step % 50 === 0 ? new Promise((resolve) => setTimeout(resolve)) : null);
    }
    return await settled;
  }

  #drainHere(): void {
    let left = this.#random.below(10);
    for (const window of this.#place.tracker.drain({ maxBitmapBytes: 8 })) {
      this.#book.take(window.runs());
      if (left-- === 0) break;
    }
  }

  async #readTwice(): Promise<void> {
    const stop = new AbortController();
    const { signal } = stop;
    const both = this.#place.tracker.readTwiceAsync({ signal }).catch((error: unknown) => {
      if (error !== "enough") throw error;
    });
    await null;
    for (let n = this.#random.below(5); n > 0; n -= 1) {
      this.#place.kernel.finish();
      for (let turn = 0; turn < 20; turn += 1) await null;
      if (this.#random.below(4) === 0) this.#change();
    }
    if (this.#random.below(2) === 0) stop.abort("enough");
    await this.#settle(both);
  }

  /** Begins a round, goes on with one, or stops it. */
  async #rounds(): Promise<void> {
    const { tracker, kernel } = this.#place;
    if (this.#round === undefined) {
      const stop = new AbortController();
      const { signal } = stop;
      const rounds = tracker.rounds({ interval: 0, count: 1, maxBitmapBytes: 8, signal });
      const done = rounds.next().then(({ value }) => value ?? undefined, (error: unknown) => {
        if (error === "enough") return undefined;
        throw error;
      });
      this.#round = { done, stop };
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    for (let n = this.#random.below(12); n > 0; n -= 1) {
      kernel.finish();
      await new Promise((resolve) => setTimeout(resolve));
    }
    if (this.#random.below(3) > 0) return; // something else happens before it goes on
    await this.#endRound(this.#random.below(4) > 0);
  }

  async #endRound(abort: boolean): Promise<void> {
    if (this.#round === undefined) return;
    const { done, stop } = this.#round;
    if (abort) stop.abort("enough");
    const round = await this.#settle(done);
    if (round !== undefined) this.#book.take(round.dirty.runs());
    this.#round = undefined;
    this.#book.loose.clear();
  }

  async run(): Promise<void> {
    const { tracker, kernel } = this.#place;
    for (let step = 0; step < 80; step += 1) {
      this.#write();
      switch (this.#random.below(6)) {
        case 0:
          this.#drainHere();
          break;
        case 1:
          await this.#drain();
          break;
        case 2:
          this.#change();
          break;
        case 3:
          await this.#rounds();
          break;
        case 4:
          tracker.readTwice();
          break;
        case 5:
          await this.#readTwice();
      }
    }
    await this.#endRound(true);
    kernel.hurry();
    for (const window of tracker.drain()) this.#book.take(window.runs());
    equal([...this.#book.due], [], "lost");
    for (const window of tracker.drain()) equal(window.count, 0, "a second time");
    for (const mapping of this.#mapped.values()) mapping[Symbol.dispose]();
  }
}

for (const open of [type1, hwpt]) {
  describe(`each page once from ${open.name}, whatever comes between`, () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      it(`seed ${seed}`, async () => {
        using place = open();
        await new Play(place, new Random(seed)).run();
      });
    }
  });
}
