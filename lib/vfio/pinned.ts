import { ERRNO } from "../base/errno.ts";
import { VfioError } from "../base/error.ts";
import { bitmapBytes } from "../base/page.ts";
import { DirtyMap } from "../dirty/dirty_map.ts";
import type { Container } from "./container.ts";
import type { ScopeReport } from "./scope.ts";

/** Which pages are pinned now, and how that was found; or why it cannot be found. */
export type PinnedPages =
  | {
    readonly known: true;
    /** The pages, as `pages.runs()` and others. */
    readonly pages: DirtyMap;
    /**
     * `start-get-stop`: START seeds the bitmap with current pins, one read of everything gives them,
     * STOP ends it. `two-reads`: of two reads with nothing between, the second gives what is pinned.
     */
    readonly how: "start-get-stop" | "two-reads";
    /** Reads of the bitmap that it took, and the bytes of bitmap that those copied. */
    readonly cost: { readonly reads: number; readonly bitmapBytes: number };
    /** When the answer can be wrong, as a sentence without its end. */
    readonly caveat: string;
  }
  | {
    readonly known: false;
    /** Why, as a sentence without its end. */
    readonly reason: string;
    /** What the container's dirty bits mean instead. */
    readonly scope: ScopeReport;
  };

/**
 * Finds which pages drivers have pinned, without losing anything for a tracker that is on.
 *
 * The kernel has no request for it. Its dirty bitmap shows pinned pages on every read, so it can be
 * read off, unless a group makes every mapped page dirty. Where this container has no tracker, it
 * starts and stops tracking: that would end what another process tracks in the same container.
 *
 * @see drivers/vfio/vfio_iommu_type1.c, vfio_dma_populate_bitmap
 */
export function readPinned(container: Container): PinnedPages {
  const scope = container.scope().label === "unknown" ? container.probeScope() : container.scope();
  if (scope.label !== "pinned-scope") return { known: false, reason: scope.reason, scope };
  const { tracker } = container;
  if (tracker !== undefined) {
    const { second, cost } = tracker.readTwice();
    const caveat = "a page that a driver released or wrote between the two reads is in it too";
    return { known: true, pages: second, how: "two-reads", cost, caveat };
  }
  using started = container.trackDirty();
  const pages = new DirtyMap(started.pageSize);
  const cost = { reads: 0, bitmapBytes: 0 };
  for (const window of started.drain()) {
    pages.add(window);
    cost.reads += 1;
    cost.bitmapBytes += Number(bitmapBytes(BigInt(window.pages)));
  }
  const caveat = "a page that a driver released or wrote between START and the read is in it too";
  return { known: true, pages, how: "start-get-stop", cost, caveat };
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

/** Set by the class, for this module alone. */
let begin: (container: Container) => PinHistory;

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
  #round = 0;

  static {
    begin = (container) => new PinHistory(container);
  }

  private constructor(container: Container) {
    this.#container = container;
    if (container.scope().label === "unknown") container.probeScope();
    this.#own = container.tracker === undefined ? container.trackDirty() : undefined;
    try {
      this.#pinned = this.#read().second;
    } catch (error) {
      this.#own?.[Symbol.dispose]();
      throw error;
    }
  }

  #read(): { readonly first: DirtyMap; readonly second: DirtyMap } {
    const { tracker } = this.#container;
    if (tracker === undefined) throw new ReferenceError("Cannot follow pins: tracking has ended");
    const scope = this.#container.scope();
    if (scope.label !== "pinned-scope") {
      throw new VfioError({
        operation: "VFIO_IOMMU_DIRTY_PAGES",
        errno: ERRNO.EOPNOTSUPP,
        action: "follow pinned pages",
        hint: scope.reason,
      });
    }
    return tracker.readTwice();
  }

  /**
   * Ends a round and tells what happened in it.
   *
   * @throws {VfioError} EOPNOTSUPP, if a group makes every mapped page dirty.
   * @throws {ReferenceError} If tracking has ended.
   */
  next(): PinRound {
    const before = this.#pinned;
    const { first, second } = this.#read();
    this.#pinned = second;
    this.#round += 1;
    return {
      round: this.#round,
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
  return begin(container);
}
