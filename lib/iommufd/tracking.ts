import { checkKind, checkOptions, type Kinds } from "../base/argument.ts";
import { type Extent, ExtentSet } from "../base/extent.ts";
import { hex } from "../base/format.ts";
import { isAligned } from "../base/page.ts";
import { cutRanges } from "../dirty/pieces.ts";
import type { DirtyWindow } from "../dirty/window.ts";
import type { Kernel } from "../sys/kernel.ts";
import { coreOf, type DirtyTracker, startTracking } from "../track/tracker.ts";
import { type DirtyRequests, HwptSource } from "./hwpt_source.ts";
import type { MappingWatch } from "./watch.ts";

/** How to track the dirty pages of a page table. */
export interface TrackOptions {
  /** Bytes of a page of the bitmap, a power of two; by default 4096. */
  readonly pageSize?: bigint;
  /**
   * Bytes of the largest entry that the page table may have, a power of two: windows are cut at its
   * multiples and nowhere else, because a read of a part of an entry takes the bit of all of it. By
   * default a page where the address space has no huge entries, 1 GiB for an IOMMU of Intel, and for
   * others as much as it takes to cut no mapping.
   */
  readonly entrySize?: bigint;
}

const OPTIONS: Kinds<TrackOptions> = { pageSize: "bigint", entrySize: "bigint" };
const PAGE = 4096n;
/** Larger than any mapping. */
const UNCUT = 1n << 64n;

/** What a tracker of a page table is made from. */
export interface TrackingInit {
  readonly kernel: Kernel;
  readonly requests: DirtyRequests;
  /** What is mapped now. */
  readonly mappings: Iterable<Extent>;
  /** Bytes of the largest entry that there can be, as far as that is known. */
  readonly largestEntry: () => bigint | undefined;
  /** Who is told of mappings. */
  readonly watches: Set<MappingWatch>;
  readonly onEnd: () => void;
}

/** Follows the mappings of an address space for the tracker of one page table. */
class Tracking implements MappingWatch {
  readonly tracker: DirtyTracker;
  readonly #pageSize: bigint;
  readonly #unit: bigint;
  readonly #pieces = new ExtentSet<Extent>();

  constructor(init: TrackingInit, pageSize: bigint, unit: bigint) {
    this.#pageSize = pageSize;
    this.#unit = unit;
    for (const mapping of init.mappings) {
      this.allow(mapping);
      this.mapped(mapping);
    }
    const { kernel, requests, watches } = init;
    const onEnd = (): void => {
      watches.delete(this);
      init.onEnd();
    };
    const source = new HwptSource(requests, pageSize);
    this.tracker = startTracking({ kernel, source, pieces: this.#pieces, onEnd });
    watches.add(this);
  }

  allow({ iova, size }: Pick<Extent, "size"> & Partial<Extent>): void {
    if (iova === undefined && this.#pageSize > PAGE) {
      throw new RangeError(
        `Dirty pages are tracked in pages of ${
          hex(this.#pageSize)
        } bytes, and the kernel's choice of ` +
          "an address need not fit them: give an iova",
      );
    }
    this.#whole(iova ?? 0n, size);
  }

  #whole(iova: bigint, size: bigint): void {
    if (isAligned(iova, this.#pageSize) && isAligned(size, this.#pageSize)) return;
    throw new RangeError(
      `Dirty pages are tracked in whole pages of ${hex(this.#pageSize)} bytes; got a mapping of ` +
        `${hex(size)} bytes at iova ${hex(iova)}`,
    );
  }

  mapped({ iova, size }: Extent): void {
    const limits = { pageSize: this.#pageSize, unit: this.#unit };
    for (const piece of cutRanges([{ iova, size }], limits)) this.#pieces.add(piece);
  }

  leaving(mappings: readonly Extent[]): () => void {
    const core = coreOf(this.tracker);
    const windows: DirtyWindow[] = mappings.map((mapping) => core.lastLook(mapping));
    return () => {
      for (const [i, mapping] of mappings.entries()) {
        const { iova, size } = mapping;
        for (const piece of this.#pieces.inRange(iova, size)) this.#pieces.delete(piece);
        core.forget(mapping);
        core.leave(windows[i]!);
      }
    };
  }
}

function checkSize(name: string, value: bigint, least: bigint): void {
  checkKind(name, value, "bigint");
  if (value >= least && (value & (value - 1n)) === 0n) return;
  throw new RangeError(`${name} must be a power of two of at least ${least}; got ${value}`);
}

/** See `Hwpt.trackDirty`. */
export function trackTable(init: TrackingInit, options?: TrackOptions): DirtyTracker {
  const { pageSize = PAGE, entrySize } = checkOptions(options, OPTIONS);
  checkSize("pageSize", pageSize, 512n);
  if (entrySize !== undefined) checkSize("entrySize", entrySize, pageSize);
  const unit = entrySize ?? init.largestEntry() ?? UNCUT;
  return new Tracking(init, pageSize, unit).tracker;
}
