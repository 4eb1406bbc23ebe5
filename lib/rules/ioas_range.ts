/**
 * What the requests of an address space of iommufd refuse, in the order of the kernel: those about
 * ranges, which are unmapped, allowed or listed.
 *
 * @see drivers/iommu/iommufd/ioas.c and io_pagetable.c
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import type { Extent } from "../base/extent.ts";
import { hex } from "../base/format.ts";
import { IOAS_MAX, type IoasState, missing, tooLarge } from "./ioas_place.ts";
import type { IovaRange } from "./iova.ts";
import { describe, emptySize, wraps } from "./range.ts";
import { firstRefusal, type Refusal, type Rule, type RuleState } from "./refusal.ts";

const { EADDRINUSE, EFAULT, EINVAL, EMSGSIZE, ENOENT, EOPNOTSUPP, EOVERFLOW } = ERRNO;
const UNMAP = "iommufd_ioas_unmap";
const UNMAP_RANGE = "iopt_unmap_iova_range";

/** What UNMAP looks at. */
export type IoasUnmapState = Pick<IoasState, "behaviour" | "found" | "mappings">;

/** Whether a request means everything: address 0, and the longest length. */
export const isAll = ({ iova, size }: Extent): boolean => iova === 0n && size === IOAS_MAX;

const unlessAll = (
  request: Extent,
  test: () => string | undefined,
): string | undefined => isAll(request) ? undefined : test();

/** A mapping that reaches out of a range on either side. */
export function cutMapping(range: Extent, mappings: Iterable<Extent>): Extent | undefined {
  for (const mapping of mappings) {
    const outside = mapping.iova < range.iova ||
      mapping.iova + mapping.size > range.iova + range.size;
    if (outside) return mapping;
  }
  return undefined;
}

/** The rules of IOAS_UNMAP. */
export const IOAS_UNMAP_RULES: readonly Rule<Extent, IoasUnmapState>[] = [
  {
    name: "ioas.found",
    source: "iommufd_get_ioas",
    errno: ENOENT,
    about: "the address space is there",
    test: (_, { found }) => missing("address space", found),
  },
  {
    name: "ioas.unmap-max",
    source: UNMAP,
    errno: EOVERFLOW,
    about: "iova and size are below 2^64 - 1; 0 and 2^64 - 1 mean everything",
    test: (range) =>
      unlessAll(range, () => tooLarge("iova", range.iova) ?? tooLarge("size", range.size)),
  },
  {
    name: "ioas.unmap-size",
    source: "iopt_unmap_iova",
    errno: EINVAL,
    about: "the size is more than 0",
    test: ({ size }) => emptySize(size),
  },
  {
    name: "ioas.unmap-wrap",
    source: "iopt_unmap_iova",
    errno: EOVERFLOW,
    about: "the range ends at 2^64 or below",
    test: (range) => unlessAll(range, () => wraps("iova", range.iova, range.size)),
  },
  {
    name: "ioas.unmap-cut",
    source: UNMAP_RANGE,
    errno: ENOENT,
    about: "the range cuts no mapping; what lies before the one that it cuts is gone",
    test: (range, { mappings }) =>
      unlessAll(range, () => {
        const cut = cutMapping(range, mappings.inRange(range.iova, range.size));
        return cut && `${describe(range)} cuts the mapping ${describe(cut)}; a mapping goes whole`;
      }),
  },
  {
    name: "ioas.unmap-none",
    source: UNMAP,
    errno: ENOENT,
    about: "something is mapped in the range",
    test: (range, { mappings }) =>
      unlessAll(
        range,
        () =>
          mappings.overlapping(range.iova, range.size) === undefined
            ? `nothing is mapped in ${describe(range)}`
            : undefined,
      ),
  },
];

/** The fields of ALLOW_IOVAS. */
export interface IoasAllowRequest {
  /** Must be 0. */
  readonly reserved?: number | undefined;
  /** The ranges, both ends included; undefined where they cannot be read. */
  readonly ranges: readonly IovaRange[] | undefined;
}

/** What ALLOW_IOVAS looks at. */
export interface IoasAllowState extends RuleState {
  readonly found?: boolean | undefined;
  /** Addresses that no device reserves; undefined where the caller leaves that to the kernel. */
  readonly free?: readonly IovaRange[] | undefined;
}

/** The first range that is empty, or in one before it. */
function badAllowed(ranges: readonly IovaRange[]): string | undefined {
  for (const [i, { start, end }] of ranges.entries()) {
    if (start < 0n || end > IOAS_MAX || start >= end) {
      return `an allowed range begins below its end, both in 64 bits; got ${start} to ${end}`;
    }
    const other = ranges.slice(0, i).find((before) => start <= before.end && before.start <= end);
    if (other !== undefined) {
      const shared = start > other.start ? start : other.start;
      return `allowed ranges must not overlap; ${hex(shared)} is in two of them`;
    }
  }
  return undefined;
}

/** The rules of IOAS_ALLOW_IOVAS. */
export const IOAS_ALLOW_RULES: readonly Rule<IoasAllowRequest, IoasAllowState>[] = [
  {
    name: "ioas.allow-reserved",
    source: "iommufd_ioas_allow_iovas",
    errno: EOPNOTSUPP,
    about: "the reserved field is 0",
    test: ({ reserved = 0 }) =>
      reserved === 0 ? undefined : `the reserved field must be 0; got ${reserved}`,
  },
  {
    name: "ioas.found",
    source: "iommufd_get_ioas",
    errno: ENOENT,
    about: "the address space is there",
    test: (_, { found }) => missing("address space", found),
  },
  {
    name: "ioas.allow-read",
    source: "iommufd_ioas_load_iovas",
    errno: EFAULT,
    about: "the list can be read",
    test: ({ ranges }) => ranges === undefined ? "the list cannot be read" : undefined,
  },
  {
    name: "ioas.allow-range",
    source: "iommufd_ioas_load_iovas",
    errno: EINVAL,
    about: "each range begins below its end, and none overlaps another",
    test: ({ ranges = [] }) => badAllowed(ranges),
  },
  {
    name: "ioas.allow-device",
    source: "iopt_set_allow_iova",
    errno: EADDRINUSE,
    about: "no device reserves addresses in them",
    test: ({ ranges = [] }, { free }) => {
      const bad = free &&
        ranges.find(({ start, end }) => !free.some((one) => one.start <= start && end <= one.end));
      return bad && `a device reserves addresses in ${hex(bad.start)}..${hex(bad.end)}`;
    },
  },
];

/** The fields of IOVA_RANGES. */
export interface IoasRangesRequest {
  /** Must be 0. */
  readonly reserved?: number | undefined;
  /** How many ranges there is room for. */
  readonly room: number;
}

/** The rules of IOAS_IOVA_RANGES. */
export const IOAS_RANGES_RULES: readonly Rule<
  IoasRangesRequest,
  RuleState & { readonly found?: boolean | undefined; readonly count: number }
>[] = [
  {
    name: "ioas.ranges-reserved",
    source: "iommufd_ioas_iova_ranges",
    errno: EOPNOTSUPP,
    about: "the reserved field is 0",
    test: ({ reserved = 0 }) =>
      reserved === 0 ? undefined : `the reserved field must be 0; got ${reserved}`,
  },
  {
    name: "ioas.found",
    source: "iommufd_get_ioas",
    errno: ENOENT,
    about: "the address space is there",
    test: (_, { found }) => missing("address space", found),
  },
  {
    name: "ioas.ranges-write",
    source: "iommufd_ioas_iova_ranges",
    errno: EFAULT,
    about: "the list can be written, as far as there is room in it",
  },
  {
    name: "ioas.ranges-room",
    source: "iommufd_ioas_iova_ranges",
    errno: EMSGSIZE,
    about: "the list has room for all ranges; how many there are is told",
    test: ({ room }, { count }) =>
      room >= count ? undefined : `there are ${count} ranges, and room for ${room}`,
  },
];

/** Finds why an UNMAP would be refused. */
export function ioasUnmapRefusal(range: Extent, state: IoasUnmapState): Refusal | undefined {
  return firstRefusal(IOAS_UNMAP_RULES, range, state);
}

/** Finds why ALLOW_IOVAS would be refused. */
export function ioasAllowRefusal(
  request: IoasAllowRequest,
  state: IoasAllowState,
): Refusal | undefined {
  return firstRefusal(IOAS_ALLOW_RULES, request, state);
}
