import { checkOptions, given } from "../base/argument.ts";
import { ERRNO } from "../base/errno.ts";
import { VfioError } from "../base/error.ts";
import type { DirtyMap } from "../dirty/dirty_map.ts";
import type { DirtyTracker, TwoReads } from "../track/tracker.ts";
import type { Container } from "./container.ts";
import { probeScopeAside } from "./probe.ts";

/** How to read pins without holding anything up. */
export interface PinReadOptions {
  /** Ends it: what was read by then is lost to no tracker. */
  readonly signal?: AbortSignal | undefined;
}

/** Checks them. */
export function checkPinRead(options: PinReadOptions | undefined): PinReadOptions {
  const checked = checkOptions(options, { signal: "object" });
  const { signal } = checked;
  if (signal === undefined || signal instanceof AbortSignal) return checked;
  throw new TypeError(`signal must be an AbortSignal; got ${given(signal)}`);
}

/** What happened to pins since the round before. */
export interface PinRound {
  /** Counts from 1. */
  readonly round: number;
  /** Pages pinned at its end. */
  readonly pinned: DirtyMap;
  /**
   * Pages pinned now that were not pinned in the round before; in the first round, that were not
   * when the history began.
   */
  readonly fresh: DirtyMap;
  /** Pages pinned in the round before that are not pinned now. */
  readonly released: DirtyMap;
  /** Pages that were dirty without being pinned at either end: written, or pinned in between only. */
  readonly once: DirtyMap;
}

/** What begins a history. */
interface HistoryInit {
  readonly container: Container;
  /** The tracking that was started for it. */
  readonly own: Disposable | undefined;
  readonly pinned: DirtyMap;
}

/** Set by the class, for this module alone. */
let make: (init: HistoryInit) => PinHistory;

/** The container's tracker, if what it reads tells pins. */
function trackerOf(container: Container): DirtyTracker {
  const { tracker } = container;
  if (tracker === undefined) throw new ReferenceError("Cannot follow pins: tracking has ended");
  const scope = container.scope();
  if (scope.label === "pinned-scope") return tracker;
  throw new VfioError({
    operation: "VFIO_IOMMU_DIRTY_PAGES",
    errno: ERRNO.EOPNOTSUPP,
    action: "follow pinned pages",
    hint: scope.reason,
  });
}

/**
 * Pins over time: each round tells what was pinned, released, or touched once since the last. It
 * keeps the pages of one round, however many there are.
 *
 * @example Two rounds on a mediated device
 * ```ts
 * import { Container } from "@pinscope/vfio";
 * import { DEFAULT_MDEV, ModelKernel } from "@pinscope/vfio/model";
 *
 * const kernel = new ModelKernel();
 * using container = Container.open({ kernel });
 * using group = container.attach(DEFAULT_MDEV);
 * using _device = group.device();
 * using memory = container.allocate(1n << 20n);
 * using _mapping = container.map(memory, { iova: 0n });
 * using history = container.pinHistory();
 * kernel.vendor(DEFAULT_MDEV).pin(0x8000n, 1);
 * const round = history.next();
 * if (!round.fresh.has(0x8000n)) throw new Error("the page is newly pinned");
 * ```
 */
export class PinHistory implements Disposable, Iterable<PinRound> {
  readonly #container: Container;
  readonly #own: Disposable | undefined;
  #pinned: DirtyMap;
  #rounds = 0;

  static {
    make = (init) => new PinHistory(init);
  }

  private constructor({ container, own, pinned }: HistoryInit) {
    this.#container = container;
    this.#own = own;
    this.#pinned = pinned;
  }

  /**
   * Ends a round and tells what happened in it.
   *
   * @throws {VfioError} EOPNOTSUPP, if a group makes every mapped page dirty.
   * @throws {ReferenceError} If tracking has ended.
   */
  next(): PinRound {
    return this.#round(trackerOf(this.#container).readTwice());
  }

  /**
   * Ends a round as {@link next} does, and reads on a thread of its own: nothing else is held up.
   *
   * @param options A signal that ends the reading; what it had read comes with the next round.
   * @throws As {@link next} does, and the reason of the signal.
   */
  async nextAsync(options?: PinReadOptions): Promise<PinRound> {
    const { signal } = checkPinRead(options);
    return this.#round(await trackerOf(this.#container).readTwiceAsync({ signal }));
  }

  #round({ first, second }: TwoReads): PinRound {
    const before = this.#pinned;
    this.#pinned = second;
    this.#rounds += 1;
    return {
      round: this.#rounds,
      pinned: second.clone(),
      fresh: second.difference(before),
      released: before.difference(second),
      once: first.difference(second).difference(before),
    };
  }

  /** Gives a round each time the next one is asked for, without end. */
  *[Symbol.iterator](): Generator<PinRound, void> {
    for (;;) yield this.next();
  }

  /** Ends the tracking that was started for it. */
  [Symbol.dispose](): void {
    this.#own?.[Symbol.dispose]();
  }
}

/** Begins with what is pinned now; `container.pinHistory` does. */
export function beginHistory(container: Container): PinHistory {
  if (container.scope().label === "unknown") container.probeScope();
  using stack = new DisposableStack();
  const own = container.tracker === undefined ? stack.use(container.trackDirty()) : undefined;
  const pinned = trackerOf(container).readTwice().second;
  stack.move();
  return make({ container, own, pinned });
}

/** The same without holding anything up. An abort is answered when the read that it finds has ended. */
export async function beginHistoryAside(
  container: Container,
  signal: AbortSignal | undefined,
): Promise<PinHistory> {
  signal?.throwIfAborted();
  if (container.scope().label === "unknown") await probeScopeAside(container);
  using stack = new DisposableStack();
  const own = container.tracker === undefined ? stack.use(container.trackDirty()) : undefined;
  const tracker = trackerOf(container);
  try {
    const { second: pinned } = await tracker.readTwiceAsync({ signal });
    stack.move();
    return make({ container, own, pinned });
  } finally {
    await tracker.idle(); // or the end of tracking would wait for it on the spot
  }
}
