import { check } from "../base/error.ts";
import type { Extent } from "../base/extent.ts";
import type { DirtyLabel } from "../dirty/label.ts";
import type { BitmapTarget, DirtySource, ReadRequest } from "../dirty/source.ts";
import { describe } from "../rules/range.ts";
import { explainDirty } from "./explain.ts";

/** The requests of a page table, each checked before it is made. */
export interface DirtyRequests {
  /** Switches tracking on, with no page dirty, or off. */
  setTracking(on: boolean): void;
  /**
   * Prepares GET_DIRTY_BITMAP.
   *
   * @throws {ReferenceError} If tracking is off: the kernel would answer that no page is dirty.
   * @throws {RangeError} If the kernel would refuse the range, or report a part of it only.
   */
  prepare(range: Extent, target: BitmapTarget, how: PreparedRead): ReadRequest;
}

/** How a read is to be. */
export interface PreparedRead {
  readonly pageSize: bigint;
  /** Whether the bits are taken. */
  readonly clear: boolean;
}

/** The request knows no bound; this is one that memory for a bitmap is likely to be there for. */
const MAX_BITMAP = 1 << 28;

/**
 * The dirty bits of an IOMMU's page table.
 *
 * @see drivers/iommu/iommufd/io_pagetable.c, iopt_read_and_clear_dirty_data
 */
export class HwptSource implements DirtySource {
  /** "hwpt". */
  readonly name = "hwpt";
  /** Bytes of a page of the bitmap. */
  readonly pageSize: bigint;
  /** Most bytes of bitmap in one read. */
  readonly maxBitmapBytes: number = MAX_BITMAP;
  /** The kernel's walk ends at the first hole, with success. */
  readonly spansGaps = false;
  readonly #requests: DirtyRequests;

  /** Made by `hwpt.trackDirty`. */
  constructor(requests: DirtyRequests, pageSize: bigint) {
    this.#requests = requests;
    this.pageSize = pageSize;
  }

  /** SET_DIRTY_TRACKING, which clears every bit first. */
  start(): void {
    this.#requests.setTracking(true);
  }

  /** SET_DIRTY_TRACKING. */
  stop(): void {
    this.#requests.setTracking(false);
  }

  /** GET_DIRTY_BITMAP. */
  reading(range: Extent, target: BitmapTarget): ReadRequest {
    return this.#requests.prepare(range, target, { pageSize: this.pageSize, clear: true });
  }

  /** GET_DIRTY_BITMAP with NO_CLEAR. */
  looking(range: Extent, target: BitmapTarget): ReadRequest {
    return this.#requests.prepare(range, target, { pageSize: this.pageSize, clear: false });
  }

  /** What GET_DIRTY_BITMAP answered. */
  checkRead(result: number, range: Extent): void {
    const action = `read dirty pages of ${describe(range)}`;
    check(result, "IOMMU_HWPT_GET_DIRTY_BITMAP", action, explainDirty);
  }

  /** The IOMMU sets a bit when a device writes; a bit of a huge entry stands for all its pages. */
  label(): DirtyLabel {
    return "written";
  }

  /** Says nothing new. */
  sawClean(): DirtyLabel {
    return "written";
  }
}
