/**
 * What GET_DIRTY_BITMAP of iommufd answers with success although its bits say less than they seem to.
 *
 * @see drivers/iommu/iommufd/io_pagetable.c, __iommu_read_and_clear_dirty
 * @module
 */

import type { Extent, ExtentSet } from "../base/extent.ts";
import { formatSize, hex } from "../base/format.ts";
import { HWPT_GET_RULES, type HwptGetRequest, type HwptGetState } from "./hwpt.ts";
import { firstHole } from "./ioas_place.ts";
import { firstRefusal, type Refusal } from "./refusal.ts";

/** Something that the kernel answers with success, and bits that say less than they seem to. */
export interface Trap {
  /** A short name, as "hwpt.hole". */
  readonly name: string;
  /** The kernel's function where it happens. */
  readonly source: string;
  /** What is to be kept, in a few words. */
  readonly about: string;
  /** Says what is wrong; undefined where it is not. */
  readonly test: (request: HwptRead, state: HwptReadState) => string | undefined;
}

/** A read of dirty bits by somebody who wants to believe them. */
export interface HwptRead extends HwptGetRequest {
  /** Bytes of the bitmap. */
  readonly bytes: number;
}

/** What such a read looks at. */
export interface HwptReadState extends HwptGetState {
  /** Whether tracking is on. */
  readonly tracking: boolean;
  /** What is mapped. */
  readonly mappings: ExtentSet<Extent>;
}

/** What makes GET_DIRTY_BITMAP answer with success and wrong bits, in the order of its walk. */
export const HWPT_TRAPS: readonly Trap[] = [
  {
    name: "hwpt.empty",
    source: "iommufd_check_iova_range",
    about:
      "a size of 0 at address 0 means everything to the test of the range, and nothing to the walk",
    test: ({ size }) => size > 0n ? undefined : "a range of dirty pages has a size above 0; got 0",
  },
  {
    name: "hwpt.page-bit",
    source: "iova_bitmap_alloc",
    about: "of a page size that is no power of two the lowest bit is taken",
    test: ({ pageSize }) =>
      (pageSize & (pageSize - 1n)) === 0n
        ? undefined
        : `pageSize must be a power of two; got ${pageSize}`,
  },
  {
    name: "hwpt.bitmap",
    source: "iova_bitmap_set",
    about: "the bitmap holds a bit for each page; a bad address loses the bits",
    test: ({ size, pageSize, bytes }) => {
      const need = (size / pageSize + 7n) / 8n;
      return BigInt(bytes) >= need
        ? undefined
        : `the bitmap of ${formatSize(size)} takes ${need} bytes; the target has ${bytes}`;
    },
  },
  {
    name: "hwpt.tracking",
    source: "__iommu_read_and_clear_dirty",
    about: "without tracking no page is dirty",
    test: (_, { tracking }) =>
      tracking ? undefined : "tracking is off, and the kernel would answer that none is dirty",
  },
  {
    name: "hwpt.hole",
    source: "__iommu_read_and_clear_dirty",
    about: "the walk ends at the first hole",
    test: (range, { mappings }) => {
      const hole = firstHole(range, mappings);
      return hole === undefined
        ? undefined
        : `not all of the range is mapped: nothing is at iova ${
          hex(hole)
        }; the kernel would report ` +
          "no page from there on";
    },
  },
];

/** Finds why a read would be refused, or its bits would say less than they seem to. */
export function hwptReadRefusal(read: HwptRead, state: HwptReadState): Refusal | undefined {
  const refusal = firstRefusal(HWPT_GET_RULES, read, state);
  if (refusal !== undefined) return refusal;
  for (const { name, source, test } of HWPT_TRAPS) {
    const reason = test(read, state);
    if (reason !== undefined) return { errno: 0, rule: name, reason, source };
  }
  return undefined;
}
