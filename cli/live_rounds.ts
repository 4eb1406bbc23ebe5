/**
 * Rounds of a live container, as the views take them.
 *
 * @module
 */

import { DirtyMap, type DirtyTracker, type Extent, VfioError } from "../mod.ts";
import type { DirtyLabel, ViewAccount, ViewRound } from "../lib/view/mod.ts";
import type { Shared } from "./source.ts";

type LabelledWindow = Extent & { readonly label: DirtyLabel };

/** What the accounts of this process say. */
export function accountOf(container: Shared): ViewAccount {
  const { locked, pinned, limit, ipcLock, dmaAvailable } = container.pins();
  return { locked, pinned, limit: ipcLock ? undefined : limit.soft, dmaAvailable };
}

/** What is mapped, by rising address and in whole pages of the bitmap. */
export function mappingsOf({ mappings }: Shared, pageSize: bigint): Extent[] {
  return [...mappings].map(({ iova, size }: Extent) => {
    const first = iova - iova % pageSize;
    const pages = (iova + size - first + pageSize - 1n) / pageSize;
    return { iova: first, size: pages * pageSize };
  }).sort((a, b) => a.iova < b.iova ? -1 : 1);
}

/** Reads everything when it is told to, and measures. */
export class LiveRounds implements Disposable {
  readonly #container: Shared;
  readonly #tracker: DirtyTracker;
  /** Tells what is pinned: the same one, or where a device keeps its log, type1 beside it. */
  readonly #pins: DirtyTracker | string;
  readonly #begun = performance.now();
  #before: number = this.#begun;
  #round = 0;

  /** Time counts from here. */
  constructor(container: Shared, tracker: DirtyTracker) {
    this.#container = container;
    this.#tracker = tracker;
    this.#pins = tracker.source === "type1" ? tracker : beside(container);
  }

  /** What is mapped, by rising address and in whole pages of the bitmap. */
  get mappings(): Extent[] {
    return mappingsOf(this.#container, this.#tracker.pageSize);
  }

  /** Why pinned pages cannot be told apart; undefined where they can. */
  get unpinned(): string | undefined {
    const container = this.#container;
    if (typeof this.#pins === "string") return this.#pins;
    if (!("scope" in container)) return NO_PINS;
    const { label, reason } = container.scope();
    return label === "pinned-scope" ? undefined : reason;
  }

  /**
   * Reads a round. Where type1 reports pinned pages only, everything is read twice first: what the
   * second read still has is pinned, or was touched between the two. Nothing is lost by that.
   */
  async next(signal: AbortSignal): Promise<ViewRound> {
    const tracker = this.#tracker;
    const now = performance.now();
    const spent = this.#readTime;
    const pinned = await this.#readPinned(signal);
    const dirty = new DirtyMap(tracker.pageSize);
    const windows: LabelledWindow[] = [];
    for await (const window of tracker.drainAsync({ signal })) {
      dirty.add(window);
      windows.push({ iova: window.iova, size: window.size, label: window.label });
    }
    const elapsed = now - this.#before;
    this.#before = now;
    this.#round += 1;
    return {
      round: this.#round,
      at: now - this.#begun,
      elapsed,
      dirty,
      pinned,
      labels: [...new Set(windows.map(({ label }) => label))],
      mappings: this.mappings,
      windows,
      readTime: this.#readTime - spent,
      account: accountOf(this.#container),
    };
  }

  get #readTime(): number {
    const [pins, tracker] = [this.#pins, this.#tracker];
    const beside = typeof pins === "string" || pins === tracker ? 0 : pins.readTime;
    return tracker.readTime + beside;
  }

  async #readPinned(signal: AbortSignal): Promise<DirtyMap | undefined> {
    const [pins, tracker] = [this.#pins, this.#tracker];
    if (typeof pins === "string" || this.unpinned !== undefined) return undefined;
    const { second } = await pins.readTwiceAsync({ signal });
    if (pins === tracker) return second;
    // What type1 takes for dirty is not asked of it, and must not pile up.
    for await (const _ of pins.drainAsync({ signal }));
    return second.withPageSize(tracker.pageSize);
  }

  /** Settles when nothing is being read, by the tracker or by what was started beside it. */
  async idle(): Promise<void> {
    await this.#tracker.idle();
    if (typeof this.#pins !== "string") await this.#pins.idle();
  }

  /** Ends what was started beside the tracker. */
  [Symbol.dispose](): void {
    if (typeof this.#pins !== "string" && this.#pins !== this.#tracker) {
      this.#pins[Symbol.dispose]();
    }
  }
}

const NO_PINS = "iommufd tells what a device writes, not what a driver has pinned";

/** Type1's own tracking, or why there is none. */
function beside(container: Shared): DirtyTracker | string {
  if (!("scope" in container)) return NO_PINS;
  try {
    return container.trackDirty();
  } catch (error) {
    if (!(error instanceof VfioError)) throw error;
    return error.message;
  }
}
