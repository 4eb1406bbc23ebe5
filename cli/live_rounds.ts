/**
 * Rounds of a live container, as the views take them.
 *
 * @module
 */

import { type Container, DirtyMap, type DirtyTracker, type Extent } from "../mod.ts";
import type { DirtyLabel, ViewAccount, ViewRound } from "../lib/view/mod.ts";

type LabelledWindow = Extent & { readonly label: DirtyLabel };

/** What the accounts of this process say. */
function accountOf(container: Container): ViewAccount {
  const { locked, pinned, limit, ipcLock, dmaAvailable } = container.pins();
  return { locked, pinned, limit: ipcLock ? undefined : limit.soft, dmaAvailable };
}

/** Reads everything when it is told to, and measures. */
export class LiveRounds {
  readonly #container: Container;
  readonly #tracker: DirtyTracker;
  readonly #begun = performance.now();
  #before: number = this.#begun;
  #round = 0;

  /** Time counts from here. */
  constructor(container: Container, tracker: DirtyTracker) {
    this.#container = container;
    this.#tracker = tracker;
  }

  /**
   * Reads a round. Where only pinned pages are dirty, everything is read twice first: what the second
   * read still has is pinned, or was touched between the two. Nothing is lost by that.
   */
  async next(signal: AbortSignal): Promise<ViewRound> {
    const [container, tracker] = [this.#container, this.#tracker];
    const now = performance.now();
    const spent = tracker.readTime;
    const canTell = container.scope().label === "pinned-scope";
    const pinned = canTell ? tracker.readTwice().second : undefined;
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
      mappings: container.mappings.map(({ iova, size }) => ({ iova, size }))
        .sort((a, b) => a.iova < b.iova ? -1 : 1),
      windows,
      readTime: tracker.readTime - spent,
      account: accountOf(container),
    };
  }
}
