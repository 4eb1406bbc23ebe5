import type { Extent, ExtentSet } from "../base/extent.ts";
import type { DirtyMap } from "../dirty/dirty_map.ts";
import type { DirtyLabel } from "../dirty/label.ts";
import type { DirtySource } from "../dirty/source.ts";
import type { DirtyWindow } from "../dirty/window.ts";
import type { Kernel } from "../sys/kernel.ts";

/** What a tracker is made from. */
export interface TrackerInit {
  readonly kernel: Kernel;
  readonly source: DirtySource;
  /** What is mapped, kept up to date by its owner. */
  readonly pieces: ExtentSet<Extent>;
  /** Called when tracking has ended. */
  readonly onEnd: () => void;
}

/** Two reads of everything, one right behind the other. */
export interface TwoReads {
  /** What the first read gave: pinned now, or pinned or written since the read before. */
  readonly first: DirtyMap;
  /** What the second gave: pinned now, or touched between the two. */
  readonly second: DirtyMap;
  /** Reads of the bitmap that it took, and the bytes of bitmap that those copied. */
  readonly cost: { readonly reads: number; readonly bitmapBytes: number };
}

/** How far an asynchronous drain has come. */
export interface DrainProgress {
  /** Windows that were delivered. */
  readonly windows: number;
  /** Bytes of mappings in them. */
  readonly size: bigint;
  /** Bytes of all mappings. */
  readonly total: bigint;
}

/** A window that was delivered to somebody who may give it back. */
export interface TakenWindow extends Extent {
  readonly label: DirtyLabel;
  /** The mappings in it, as they were then: another one may lie there by now. */
  readonly pieces: readonly Extent[];
  /** The window itself, where its mapping is gone and nothing else has its bits. */
  readonly gone: DirtyWindow | undefined;
}

/** What an asynchronous drain listens to and tells. */
export interface AsideOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: DrainProgress) => void) | undefined;
}
