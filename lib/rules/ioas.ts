/**
 * What IOMMU_IOAS_MAP and IOMMU_IOAS_COPY refuse, in the order of the kernel.
 *
 * @see drivers/iommu/iommufd/ioas.c and io_pagetable.c
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import type { Extent, ExtentSet } from "../base/extent.ts";
import { hex } from "../base/format.ts";
import { IOMMU_IOAS_MAP_WRITEABLE } from "../uapi/flag.ts";
import {
  firstHole,
  IOAS_MAP_FLAGS,
  IOAS_MAX,
  IOAS_PIN_RULES,
  IOAS_PLACE_RULES,
  type IoasMapRequest,
  type IoasMapRule,
  type IoasState,
  missing,
  noRights,
  offPage,
  tooLarge,
} from "./ioas_place.ts";
import { emptySize, unknownFlags, wraps } from "./range.ts";
import { firstRefusal, type Refusal, type Rule } from "./refusal.ts";

export type { IoasMapRequest, IoasState } from "./ioas_place.ts";

/** The fields of a COPY. */
export interface IoasCopyRequest extends IoasMapRequest {
  /** Where the source begins. */
  readonly source: bigint;
}

/** The two ends of a COPY. */
export interface IoasCopyState extends IoasState {
  /** The source: what is mapped there. */
  readonly from: {
    readonly found?: boolean | undefined;
    readonly mappings: ExtentSet<Extent>;
    /** Whether all of the source was mapped for writing too. */
    readonly writable: boolean;
  };
}

type CopyRule = Rule<IoasCopyRequest, IoasCopyState>;

const { EINVAL, ENOENT, EOPNOTSUPP, EOVERFLOW, EPERM } = ERRNO;
const MAP = "iommufd_ioas_map";
const COPY = "iommufd_ioas_copy";
const PAGE = 4096n;

/** The rules of IOAS_MAP. */
export const IOAS_MAP_RULES: readonly IoasMapRule[] = [
  {
    name: "ioas.map-flags",
    source: MAP,
    errno: EOPNOTSUPP,
    about: "flags are FIXED_IOVA, WRITEABLE and READABLE; the reserved field is 0",
    test: ({ flags, reserved = 0 }) =>
      unknownFlags(flags, IOAS_MAP_FLAGS) ??
        (reserved === 0 ? undefined : `the reserved field must be 0; got ${reserved}`),
  },
  {
    name: "ioas.map-max",
    source: MAP,
    errno: EOVERFLOW,
    about: "iova and size are below 2^64 - 1",
    test: ({ iova, size }) => tooLarge("iova", iova) ?? tooLarge("size", size),
  },
  {
    name: "ioas.map-rights",
    source: MAP,
    errno: EINVAL,
    about: "READABLE, WRITEABLE, or both",
    test: noRights,
  },
  {
    name: "ioas.found",
    source: "iommufd_get_ioas",
    errno: ENOENT,
    about: "the address space is there",
    test: (_, { found }) => missing("address space", found),
  },
  {
    name: "ioas.map-size",
    source: "iopt_alloc_pages",
    errno: EINVAL,
    about: "the size is more than 0",
    test: ({ size }) =>
      emptySize(size) ??
        (size > IOAS_MAX - PAGE
          ? `the size must leave room for a page; got ${hex(size)}`
          : undefined),
  },
  {
    name: "ioas.memory-wrap",
    source: "iopt_alloc_pages",
    errno: EOVERFLOW,
    about: "the memory ends below 2^64",
    test: ({ vaddr = 0n, size }) =>
      vaddr + size > IOAS_MAX ? wraps("the memory's address", vaddr, size + 1n) : undefined,
  },
  ...IOAS_PLACE_RULES,
  {
    name: "ioas.memory-align",
    source: "iopt_insert_area",
    errno: EINVAL,
    about: "the memory begins at a multiple of the unit of the address space",
    test: offPage,
  },
  ...IOAS_PIN_RULES,
];

/** The rules of IOAS_COPY. */
export const IOAS_COPY_RULES: readonly CopyRule[] = [
  {
    name: "ioas.copy-flags",
    source: COPY,
    errno: EOPNOTSUPP,
    about: "flags are FIXED_IOVA, WRITEABLE and READABLE",
    test: ({ flags }) => unknownFlags(flags, IOAS_MAP_FLAGS),
  },
  {
    name: "ioas.copy-max",
    source: COPY,
    errno: EOVERFLOW,
    about: "both addresses and the size are below 2^64 - 1",
    test: ({ iova, size, source }) =>
      tooLarge("size", size) ?? tooLarge("the source", source) ?? tooLarge("iova", iova),
  },
  {
    name: "ioas.copy-rights",
    source: COPY,
    errno: EINVAL,
    about: "READABLE, WRITEABLE, or both",
    test: noRights,
  },
  {
    name: "ioas.copy-found",
    source: "iommufd_get_ioas",
    errno: ENOENT,
    about: "the source's address space is there",
    test: (_, { from }) => missing("address space to copy from", from.found),
  },
  {
    name: "ioas.copy-size",
    source: "iopt_get_pages",
    errno: EINVAL,
    about: "the size is more than 0",
    test: ({ size }) => emptySize(size),
  },
  {
    name: "ioas.copy-wrap",
    source: "iopt_get_pages",
    errno: EOVERFLOW,
    about: "the source ends at 2^64 or below",
    test: ({ source, size }) => wraps("the source", source, size),
  },
  {
    name: "ioas.copy-source",
    source: "iopt_get_pages",
    errno: ENOENT,
    about: "all of the source is mapped",
    test: ({ source, size }, { from }) => {
      const hole = firstHole({ iova: source, size }, from.mappings);
      return hole === undefined
        ? undefined
        : `nothing is mapped at iova ${hex(hole)} of the source`;
    },
  },
  {
    name: "ioas.found",
    source: "iommufd_get_ioas",
    errno: ENOENT,
    about: "the address space is there",
    test: (_, { found }) => missing("address space", found),
  },
  ...IOAS_PLACE_RULES,
  {
    name: "ioas.copy-writable",
    source: "iopt_insert_area",
    errno: EPERM,
    about: "what was mapped for reading only is not copied for writing",
    test: ({ flags }, { from }) =>
      (flags & IOMMU_IOAS_MAP_WRITEABLE) !== 0 && !from.writable
        ? "the source was mapped for reading only; copy it with access r"
        : undefined,
  },
  {
    name: "ioas.memory-align",
    source: "iopt_insert_area",
    errno: EINVAL,
    about: "the memory begins at a multiple of the unit of the address space",
    test: offPage,
  },
  ...IOAS_PIN_RULES,
];

/** Finds why a MAP would be refused, as far as an address space tells. */
export function ioasMapRefusal(request: IoasMapRequest, state: IoasState): Refusal | undefined {
  return firstRefusal(IOAS_MAP_RULES, request, state);
}

/** Finds why a COPY would be refused, as far as the two address spaces tell. */
export function ioasCopyRefusal(
  request: IoasCopyRequest,
  state: IoasCopyState,
): Refusal | undefined {
  return firstRefusal(IOAS_COPY_RULES, request, state);
}
