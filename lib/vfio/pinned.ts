import { bitmapBytes } from "../base/page.ts";
import { DirtyMap } from "../dirty/dirty_map.ts";
import type { DirtyWindow } from "../dirty/window.ts";
import type { DirtyTracker } from "../track/tracker.ts";
import type { Container } from "./container.ts";
import { probeScopeAside } from "./probe.ts";
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
    return { known: true, pages: second, how: "two-reads", cost, caveat: BETWEEN };
  }
  using started = container.trackDirty();
  const seed = new Seed(started);
  for (const window of started.drain()) seed.add(window);
  return seed.result();
}

/** The same without holding anything up. An abort is answered when the read that it finds has ended. */
export async function readPinnedAside(
  container: Container,
  signal: AbortSignal | undefined,
): Promise<PinnedPages> {
  signal?.throwIfAborted();
  const isOpen = container.scope().label === "unknown";
  const scope = isOpen ? await probeScopeAside(container) : container.scope();
  if (scope.label !== "pinned-scope") return { known: false, reason: scope.reason, scope };
  const { tracker } = container;
  if (tracker !== undefined) {
    const { second, cost } = await tracker.readTwiceAsync({ signal });
    return { known: true, pages: second, how: "two-reads", cost, caveat: BETWEEN };
  }
  using started = container.trackDirty();
  const seed = new Seed(started);
  try {
    for await (const window of started.drainAsync({ signal })) seed.add(window);
  } finally {
    await started.idle(); // or the end of tracking would wait for it on the spot
  }
  return seed.result();
}

const BETWEEN = "a page that a driver released or wrote between the two reads is in it too";

/** What one read of everything gives, right after START. */
class Seed {
  readonly #pages: DirtyMap;
  #reads = 0;
  #bitmapBytes = 0;

  constructor({ pageSize }: DirtyTracker) {
    this.#pages = new DirtyMap(pageSize);
  }

  add(window: DirtyWindow): void {
    this.#pages.add(window);
    this.#reads += 1;
    this.#bitmapBytes += Number(bitmapBytes(BigInt(window.pages)));
  }

  result(): PinnedPages {
    return {
      known: true,
      pages: this.#pages,
      how: "start-get-stop",
      cost: { reads: this.#reads, bitmapBytes: this.#bitmapBytes },
      caveat: "a page that a driver released or wrote between START and the read is in it too",
    };
  }
}
