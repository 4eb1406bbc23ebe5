/**
 * What MAP, MAP_FILE and COPY of iommufd ask of the place that is mapped to, in the order of the kernel.
 *
 * @see drivers/iommu/iommufd/io_pagetable.c, iopt_alloc_area_pages
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import type { Extent, ExtentSet } from "../base/extent.ts";
import { hex } from "../base/format.ts";
import { isAligned } from "../base/page.ts";
import {
  IOMMU_IOAS_MAP_FIXED_IOVA,
  IOMMU_IOAS_MAP_READABLE,
  IOMMU_IOAS_MAP_WRITEABLE,
} from "../uapi/flag.ts";
import { inRanges, type IovaRange } from "./iova.ts";
import { describe, wraps } from "./range.ts";
import type { Rule, RuleState } from "./refusal.ts";

/** What an address space looks like to a request. */
export interface IoasState extends RuleState {
  /** Whether there is such an address space; true if left out. */
  readonly found?: boolean | undefined;
  /** Addresses and lengths are multiples of this power of two, in bytes. */
  readonly alignment: bigint;
  /** What is mapped. */
  readonly mappings: ExtentSet<Extent>;
  /** Addresses that no device reserves. */
  readonly ranges: readonly IovaRange[];
}

/** The fields of a MAP, or what a COPY asks of where it copies to. */
export interface IoasMapRequest {
  /** FIXED_IOVA 1, WRITEABLE 2, READABLE 4. */
  readonly flags: number;
  /** Must be 0. */
  readonly reserved?: number | undefined;
  /** The address, with FIXED_IOVA. */
  readonly iova: bigint;
  /** Bytes. */
  readonly size: bigint;
  /** User address of the memory; undefined where it is not known. */
  readonly vaddr?: bigint | undefined;
}

const { EINVAL, EEXIST, ENOMEM, ENOSPC, EFAULT, EOVERFLOW } = ERRNO;
const RIGHTS = IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE;
/** Flags that a mapping may have. */
export const IOAS_MAP_FLAGS = RIGHTS | IOMMU_IOAS_MAP_FIXED_IOVA;
/** No address and no length may be this, although 64 bits hold it. */
export const IOAS_MAX: bigint = (1n << 64n) - 1n;
const PAGE = 4096n;

const CHECK = "iopt_check_iova";
const PLACE = "iopt_alloc_area_pages";

/** A rule about where something is mapped. */
export type IoasMapRule = Rule<IoasMapRequest, IoasState>;

const isFixed = ({ flags }: IoasMapRequest): boolean => (flags & IOMMU_IOAS_MAP_FIXED_IOVA) !== 0;

/** Says what is wrong with a value that is no multiple of the address space's unit. */
export function offUnit(name: string, value: bigint, unit: bigint): string | undefined {
  return isAligned(value, unit)
    ? undefined
    : `${name} must be a multiple of ${hex(unit)}; got ${hex(value)}`;
}

/** Says that a number is none that the kernel takes. */
export function tooLarge(name: string, value: bigint): string | undefined {
  return value < IOAS_MAX ? undefined : `${name} must be below 2^64 - 1; got ${hex(value)}`;
}

/** Says that something is not there. */
export const missing = (what: string, found: boolean | undefined): string | undefined =>
  found === false ? `there is no such ${what}` : undefined;

/** Says that a mapping would be good for nothing. */
export const noRights = ({ flags }: IoasMapRequest): string | undefined =>
  (flags & RIGHTS) === 0 ? "a mapping is for reading, writing, or both; got neither" : undefined;

/** The unit of the address space below a page means that memory must begin at a multiple of it. */
export const offPage = ({ vaddr }: IoasMapRequest, { alignment }: IoasState): string | undefined =>
  vaddr === undefined
    ? undefined
    : offUnit("the memory's offset in its page", vaddr % PAGE, alignment);

/** What MAP, MAP_FILE and COPY ask of the place that is mapped to. */
export const IOAS_PLACE_RULES: readonly IoasMapRule[] = [
  {
    name: "ioas.size-align",
    source: PLACE,
    errno: EINVAL,
    about: "the size is a multiple of the unit of the address space",
    test: ({ size }, { alignment }) => offUnit("size", size, alignment),
  },
  {
    name: "ioas.iova-align",
    source: CHECK,
    errno: EINVAL,
    about: "the iova is a multiple of the unit of the address space",
    test: (request, { alignment }) =>
      isFixed(request) ? offUnit("iova", request.iova, alignment) : undefined,
  },
  {
    name: "ioas.wrap",
    source: CHECK,
    errno: EOVERFLOW,
    about: "the range ends at 2^64 or below",
    test: (request) => isFixed(request) ? wraps("iova", request.iova, request.size) : undefined,
  },
  {
    name: "ioas.reserved",
    source: CHECK,
    errno: EINVAL,
    about: "no address of the range is reserved for a device",
    test: (request, { ranges }) =>
      !isFixed(request) || inRanges(ranges, request)
        ? undefined
        : `${describe(request)} must lie in one of ${
          ranges.map(({ start, end }) => `${hex(start)}..${hex(end)}`).join(", ")
        }`,
  },
  {
    name: "ioas.overlap",
    source: CHECK,
    errno: EEXIST,
    about: "no other mapping is in the range",
    test: (request, { mappings }) => {
      const other = isFixed(request) ? mappings.overlapping(request.iova, request.size) : undefined;
      return other && `${describe(request)} overlaps the mapping ${describe(other)}`;
    },
  },
  {
    name: "ioas.space",
    source: "iopt_alloc_iova",
    errno: ENOSPC,
    about:
      "without FIXED_IOVA: a gap is free, in what is allowed, with the alignment of the memory",
    concerns: (request) => !isFixed(request),
  },
];

/** What shows only when pages are pinned: at once with a page table, else at the first one. */
export const IOAS_PIN_RULES: readonly IoasMapRule[] = [
  {
    name: "ioas.pin",
    source: "pfn_reader_user_pin",
    errno: EFAULT,
    about: "with a page table: the memory is there, can be pinned, and is writable for WRITEABLE",
  },
  {
    name: "ioas.memlock",
    source: "do_update_pinned",
    errno: ENOMEM,
    about: "with a page table: RLIMIT_MEMLOCK holds it in the account that is charged",
  },
];

/** The first address of a range that nothing is mapped at. */
export function firstHole(
  { iova, size }: Extent,
  mappings: ExtentSet<Extent>,
): bigint | undefined {
  let at = iova;
  for (const mapping of mappings.inRange(iova, size)) {
    if (mapping.iova > at) return at;
    at = mapping.iova + mapping.size;
  }
  return at < iova + size ? at : undefined;
}
