/**
 * What VFIO_IOMMU_DIRTY_PAGES refuses, in the order of the kernel.
 *
 * @see drivers/vfio/vfio_iommu_type1.c, vfio_iommu_type1_dirty_pages
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import type { Extent } from "../base/extent.ts";
import {
  VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP,
  VFIO_IOMMU_DIRTY_PAGES_FLAG_START,
  VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP,
} from "../uapi/flag.ts";
import { BITMAP_RULES, type BitmapRequest, noBitmap, wrongBitmapPage } from "./bitmap.ts";
import type { AddressSpace } from "./map.ts";
import { ADDRESS_END, cuts, describe, emptySize, misaligned, unknownFlags } from "./range.ts";
import { wrapErrno, wraps, wrongArgsz } from "./range.ts";
import { firstRefusal, type Refusal, type Rule } from "./refusal.ts";

export { type BitmapRequest, DIRTY_BITMAP_SIZE_MAX } from "./bitmap.ts";

/** Most pages of one mapping that can be tracked. @see DIRTY_BITMAP_PAGES_MAX */
export const DIRTY_BITMAP_PAGES_MAX = 0x7fff_ffff;

/** The fields of a DIRTY_PAGES request; a range and a bitmap only with GET_BITMAP. */
export interface DirtyPagesRequest extends Extent {
  /** Left out: large enough. */
  readonly argsz?: number | undefined;
  /** START 1, STOP 2 or GET_BITMAP 4. */
  readonly flags: number;
  /** With GET_BITMAP. */
  readonly bitmap?: BitmapRequest | undefined;
}

/** The fields of a GET_BITMAP request. */
export interface DirtyRequest extends Extent {
  readonly bitmap: BitmapRequest;
}

/** What DIRTY_PAGES looks at. */
export interface DirtyState extends Pick<AddressSpace, "behaviour" | "pageSize" | "mappings"> {
  /** Whether dirty tracking is on. */
  readonly tracking: boolean;
  /** A container of version 1 has no dirty pages. */
  readonly v1?: boolean | undefined;
}

const { EINVAL, EACCES, EFAULT, ENOMEM } = ERRNO;
const START = VFIO_IOMMU_DIRTY_PAGES_FLAG_START;
const GET = VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP;
const KNOWN = START | VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP | GET;
const ARGSZ = 8;
const ARGSZ_GET = 48;
const IOCTL = "vfio_iommu_type1_dirty_pages";

type DirtyRule = Rule<DirtyPagesRequest, DirtyState>;

/** The rules of every flavour. */
const HEAD_RULES: readonly DirtyRule[] = [
  {
    name: "dirty.v1",
    source: IOCTL,
    errno: EACCES,
    about: "the container is of version 2",
    test: (_, { v1 }) => v1 === true ? "a container of version 1 has no dirty pages" : undefined,
  },
  {
    name: "dirty.argsz",
    source: IOCTL,
    errno: EINVAL,
    about: "argsz covers argsz and flags",
    test: ({ argsz }) => wrongArgsz(argsz, ARGSZ),
  },
  {
    name: "dirty.flags",
    source: IOCTL,
    errno: EINVAL,
    about: "exactly one of START, STOP and GET_BITMAP",
    test: ({ flags }) =>
      unknownFlags(flags, KNOWN) ??
        (flags !== 0 && (flags & (flags - 1)) === 0
          ? undefined
          : `one of START (1), STOP (2) and GET_BITMAP (4) must be asked for; got ${flags}`),
  },
];

const START_RULES: readonly DirtyRule[] = [
  {
    name: "dirty.pages-max",
    source: "vfio_dma_bitmap_alloc",
    errno: EINVAL,
    about: "START: no mapping has more than 2^31 - 1 pages",
    test: (_, { mappings, pageSize, tracking }) =>
      tracking ? undefined : tooManyPages(mappings, pageSize),
  },
  {
    name: "dirty.memory",
    source: "vfio_dma_bitmap_alloc_all",
    errno: ENOMEM,
    about: "START: the kernel has memory for a bitmap of each mapping",
  },
];

const GET_RULES: readonly DirtyRule[] = [
  {
    name: "dirty.argsz",
    source: IOCTL,
    errno: EINVAL,
    about: "GET_BITMAP: argsz covers range and bitmap",
    test: ({ argsz, bitmap }) => wrongArgsz(argsz, ARGSZ_GET) ?? noBitmap(bitmap),
  },
  {
    name: "dirty.size",
    source: IOCTL,
    errno: EINVAL,
    about: "GET_BITMAP: the size is more than 0",
    test: ({ size }) => emptySize(size),
  },
  {
    name: "dirty.wrap",
    source: IOCTL,
    errno: wrapErrno,
    about: "GET_BITMAP: the range ends below 2^64; since v6.18 it may end at it",
    test: (request, { behaviour }) => endsTooHigh(request, behaviour?.top ?? false),
  },
  ...BITMAP_RULES,
  {
    name: "dirty.page-size",
    source: IOCTL,
    errno: EINVAL,
    about: "pages of the bitmap are the container's smallest",
    test: ({ bitmap }, { pageSize }) => wrongBitmapPage(bitmap, pageSize),
  },
  {
    name: "dirty.align",
    source: IOCTL,
    errno: EINVAL,
    about: "iova and size are multiples of that page",
    test: ({ iova, size }, { pageSize }) =>
      misaligned("iova", iova, pageSize) ?? misaligned("size", size, pageSize),
  },
  {
    name: "dirty.started",
    source: IOCTL,
    errno: EINVAL,
    about: "dirty tracking is on",
    test: (_, { tracking }) => tracking ? undefined : "dirty tracking was not started",
  },
  {
    name: "dirty.cut",
    source: "vfio_iova_dirty_bitmap",
    errno: EINVAL,
    about: "the range cuts no mapping",
    test: (request, { mappings }) => cuts(mappings, request),
  },
  {
    name: "dirty.copy",
    source: "update_user_bitmap",
    errno: EFAULT,
    about: "the bitmap's memory is there and writable",
  },
];

const only = (flag: number, rules: readonly DirtyRule[]): DirtyRule[] =>
  rules.map((rule) => {
    const { test } = rule;
    if (test === undefined) return { ...rule, concerns: ({ flags }) => flags === flag };
    return {
      ...rule,
      test: (request, state) => request.flags === flag ? test(request, state) : undefined,
    };
  });

/** The rules of DIRTY_PAGES. */
export const DIRTY_RULES: readonly DirtyRule[] = [
  ...HEAD_RULES,
  ...only(START, START_RULES),
  ...only(GET, GET_RULES),
];

function endsTooHigh(request: Extent, top: boolean): string | undefined {
  const { iova, size } = request;
  if (size <= 0n || iova + size < ADDRESS_END) return undefined;
  if (top) return wraps("iova", iova, size);
  return `a read must end below 2^64; got ${describe(request)}`;
}

function tooManyPages(mappings: Iterable<Extent>, page: bigint): string | undefined {
  for (const mapping of mappings) {
    const pages = mapping.size / page;
    if (pages <= DIRTY_BITMAP_PAGES_MAX) continue;
    return `the mapping ${describe(mapping)} has ${pages} pages, and at most ` +
      `${DIRTY_BITMAP_PAGES_MAX} can be tracked in one; map it in pieces`;
  }
  return undefined;
}

/** Finds why a GET_BITMAP would be refused. */
export function getBitmapRefusal(
  request: DirtyRequest,
  space: Omit<DirtyState, "tracking">,
  tracking: boolean,
): Refusal | undefined {
  // Not spread: a state may be an object with getters.
  const { pageSize, mappings, behaviour, v1 } = space;
  const state = { pageSize, mappings, behaviour, v1, tracking };
  return firstRefusal(DIRTY_RULES, { ...request, flags: GET }, state);
}

/** Finds why START would be refused: a mapping with more pages than a bitmap can count. */
export function startRefusal(mappings: Iterable<Extent>, page: bigint): Refusal | undefined {
  const reason = tooManyPages(mappings, page);
  if (reason === undefined) return undefined;
  return { errno: EINVAL, rule: "dirty.pages-max", reason, source: "vfio_dma_bitmap_alloc" };
}
