/**
 * What the requests for dirty bits of a page table of iommufd refuse, in the order of the kernel.
 *
 * @see drivers/iommu/iommufd/hw_pagetable.c and io_pagetable.c
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import type { Extent } from "../base/extent.ts";
import { hex } from "../base/format.ts";
import {
  IOMMU_HWPT_DIRTY_TRACKING_ENABLE,
  IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR,
} from "../uapi/flag.ts";
import { missing, offUnit } from "./ioas_place.ts";
import { ADDRESS_END, unknownFlags } from "./range.ts";
import type { Rule, RuleState } from "./refusal.ts";

const { EINVAL, ENOENT, EOPNOTSUPP, EOVERFLOW } = ERRNO;

/** What SET_DIRTY_TRACKING and GET_DIRTY_BITMAP look at of a page table. */
export interface HwptState extends RuleState {
  /** Whether there is such a page table. */
  readonly found?: boolean | undefined;
  /** Whether it was made with dirty tracking. */
  readonly tracksDirty: boolean;
}

const wantsTracking = (_: unknown, { tracksDirty }: HwptState): string | undefined =>
  tracksDirty ? undefined : "this page table was not made with dirtyTracking";

/** The rules of SET_DIRTY_TRACKING; it looks at no reserved field. */
export const HWPT_SET_RULES: readonly Rule<{ readonly flags: number }, HwptState>[] = [
  {
    name: "hwpt.set-flags",
    source: "iommufd_hwpt_set_dirty_tracking",
    errno: EOPNOTSUPP,
    about: "flags are ENABLE or 0",
    test: ({ flags }) => unknownFlags(flags, IOMMU_HWPT_DIRTY_TRACKING_ENABLE),
  },
  {
    name: "hwpt.found",
    source: "iommufd_get_hwpt_paging",
    errno: ENOENT,
    about: "the page table is there",
    test: (_, { found }) => missing("page table", found),
  },
  {
    name: "hwpt.set-tracks",
    source: "iopt_set_dirty_tracking",
    errno: EOPNOTSUPP,
    about: "the page table was made with dirty tracking",
    test: wantsTracking,
  },
];

/** The fields of GET_DIRTY_BITMAP. */
export interface HwptGetRequest extends Extent {
  /** NO_CLEAR 1. */
  readonly flags?: number | undefined;
  /** Must be 0. */
  readonly reserved?: number | undefined;
  /** Bytes of a page of the bitmap. */
  readonly pageSize: bigint;
}

/** What GET_DIRTY_BITMAP looks at. */
export interface HwptGetState extends HwptState {
  /** The unit of addresses of the address space. */
  readonly alignment: bigint;
}

const GET = "iommufd_hwpt_get_dirty_bitmap";
const RANGE = "iommufd_check_iova_range";

/** The last address as the kernel reckons it, which takes a size of 0 for 2^64. */
const lastOf = ({ iova, size }: Extent): bigint => iova + BigInt.asUintN(64, size - 1n);

/** Whether the ends of a range are multiples of a page, whose size the kernel takes for a mask. */
function offEnds({ iova, size }: Extent, page: bigint, what: string): string | undefined {
  const unit = page & -page;
  const mask = page - 1n;
  const end = iova + size;
  if ((iova & mask) !== 0n) {
    return offUnit(`the range's iova`, iova, unit) ?? `the range's iova does not fit ${what}`;
  }
  if ((BigInt.asUintN(64, end) & mask) === 0n) return undefined;
  return offUnit(`the range's size`, size, unit) ?? `the range's end does not fit ${what}`;
}

/** The rules of GET_DIRTY_BITMAP. */
export const HWPT_GET_RULES: readonly Rule<HwptGetRequest, HwptGetState>[] = [
  {
    name: "hwpt.get-flags",
    source: GET,
    errno: EOPNOTSUPP,
    about: "flags are NO_CLEAR or 0, the reserved field is 0",
    test: ({ flags = 0, reserved = 0 }) =>
      unknownFlags(flags, IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR) ??
        (reserved === 0 ? undefined : `the reserved field must be 0; got ${reserved}`),
  },
  {
    name: "hwpt.found",
    source: "iommufd_get_hwpt_paging",
    errno: ENOENT,
    about: "the page table is there",
    test: (_, { found }) => missing("page table", found),
  },
  {
    name: "hwpt.get-range",
    source: RANGE,
    errno: EOVERFLOW,
    about: "the size is above 0, and the range ends at 2^64 or below",
    test: (range) =>
      lastOf(range) < ADDRESS_END
        ? undefined
        : "a range of dirty pages has a size above 0 and ends at 2^64 or below; got iova " +
          `${hex(range.iova)}, size ${range.size}`,
  },
  {
    name: "hwpt.get-align",
    source: RANGE,
    errno: EINVAL,
    about: "iova and size are multiples of the unit of the address space",
    test: (range, { alignment }) => offEnds(range, alignment, `the unit ${hex(alignment)}`),
  },
  {
    name: "hwpt.get-page",
    source: RANGE,
    errno: EINVAL,
    about: "the page size is above 0, and iova and size are multiples of it",
    test: (range) =>
      range.pageSize <= 0n
        ? `pageSize must be a power of two; got ${range.pageSize}`
        : offEnds(range, range.pageSize, `pages of ${hex(range.pageSize)}`),
  },
  {
    name: "hwpt.get-tracks",
    source: "iommu_read_and_clear_dirty",
    errno: EOPNOTSUPP,
    about: "the page table was made with dirty tracking",
    test: wantsTracking,
  },
];
