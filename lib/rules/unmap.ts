/**
 * What VFIO_IOMMU_UNMAP_DMA refuses, in the order of the kernel.
 *
 * @see drivers/vfio/vfio_iommu_type1.c, vfio_iommu_type1_unmap_dma and vfio_dma_do_unmap
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import type { Extent } from "../base/extent.ts";
import {
  VFIO_DMA_UNMAP_FLAG_ALL,
  VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP,
  VFIO_DMA_UNMAP_FLAG_VADDR,
} from "../uapi/flag.ts";
import { BITMAP_RULES, type BitmapRequest, noBitmap, wrongBitmapPage } from "./bitmap.ts";
import type { AddressSpace } from "./map.ts";
import { cuts, describe, emptySize, misaligned, unknownFlags, wrapErrno } from "./range.ts";
import { wraps, wrongArgsz } from "./range.ts";
import { firstRefusal, type Refusal, type Rule } from "./refusal.ts";

/** The fields of an UNMAP request. */
export interface UnmapRequest extends Extent {
  /** Left out: large enough. */
  readonly argsz?: number | undefined;
  /** GET_DIRTY_BITMAP 1, ALL 2, VADDR 4. */
  readonly flags: number;
  /** With the flag GET_DIRTY_BITMAP. */
  readonly bitmap?: BitmapRequest | undefined;
}

/** What UNMAP looks at. */
export interface UnmapState extends AddressSpace {
  /** Whether dirty tracking is on. */
  readonly tracking: boolean;
  /** A container of version 1 takes a range that cuts a mapping. */
  readonly v1?: boolean | undefined;
}

const { EINVAL, EBUSY, EFAULT } = ERRNO;
const ALL = VFIO_DMA_UNMAP_FLAG_ALL;
const VADDR = VFIO_DMA_UNMAP_FLAG_VADDR;
const BITMAP = VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP;
const ARGSZ = 24;
const ARGSZ_BITMAP = 48;
const IOCTL = "vfio_iommu_type1_unmap_dma";
const DO_UNMAP = "vfio_dma_do_unmap";

const has = ({ flags }: UnmapRequest, flag: number): boolean => (flags & flag) !== 0;

/** The rules of UNMAP. */
export const UNMAP_RULES: readonly Rule<UnmapRequest, UnmapState>[] = [
  {
    name: "unmap.argsz",
    source: IOCTL,
    errno: EINVAL,
    about: "argsz covers the struct",
    test: ({ argsz }) => wrongArgsz(argsz, ARGSZ),
  },
  {
    name: "unmap.flags",
    source: IOCTL,
    errno: EINVAL,
    about: "flags are ALL, VADDR and GET_DIRTY_BITMAP, the last one alone",
    test: (request) =>
      unknownFlags(request.flags, ALL | VADDR | BITMAP) ??
        (has(request, BITMAP) && has(request, ALL | VADDR)
          ? "a dirty bitmap goes with neither ALL nor VADDR"
          : undefined),
  },
  {
    name: "dirty.argsz",
    source: IOCTL,
    errno: EINVAL,
    about: "with a bitmap: argsz covers its fields",
    test: (request) =>
      has(request, BITMAP)
        ? wrongArgsz(request.argsz, ARGSZ_BITMAP) ?? noBitmap(request.bitmap)
        : undefined,
  },
  ...BITMAP_RULES.map((rule): Rule<UnmapRequest, UnmapState> => ({
    ...rule,
    test: (request) => has(request, BITMAP) ? rule.test(request) : undefined,
  })),
  {
    name: "unmap.vaddr-mdev",
    source: DO_UNMAP,
    errno: EBUSY,
    about: "VADDR needs a container without mediated devices",
    test: (request, { emulated }) =>
      has(request, VADDR) && emulated === true
        ? "a mediated device is in the container, so memory cannot move to another address"
        : undefined,
  },
  {
    name: "unmap.align",
    source: DO_UNMAP,
    errno: EINVAL,
    about: "iova is a multiple of the smallest page",
    test: ({ iova }, { pageSize }) => misaligned("iova", iova, pageSize),
  },
  {
    name: "unmap.all",
    source: DO_UNMAP,
    errno: EINVAL,
    about: "ALL goes with iova 0 and size 0",
    test: (request) =>
      has(request, ALL) && (request.iova !== 0n || request.size !== 0n)
        ? "ALL goes with iova 0 and size 0"
        : undefined,
  },
  {
    name: "unmap.size",
    source: DO_UNMAP,
    errno: EINVAL,
    about: "without ALL the size is more than 0",
    test: (request) => has(request, ALL) ? undefined : emptySize(request.size),
  },
  {
    name: "unmap.align",
    source: DO_UNMAP,
    errno: EINVAL,
    about: "size is a multiple of the smallest page",
    test: ({ size }, { pageSize }) => misaligned("size", size, pageSize),
  },
  {
    name: "unmap.wrap",
    source: DO_UNMAP,
    errno: wrapErrno,
    about: "the range does not wrap around 2^64",
    test: ({ iova, size }) => wraps("iova", iova, size),
  },
  {
    name: "dirty.started",
    source: DO_UNMAP,
    errno: EINVAL,
    about: "with a bitmap: dirty tracking is on",
    test: (request, { tracking }) =>
      has(request, BITMAP) && !tracking ? "dirty tracking was not started" : undefined,
  },
  {
    name: "dirty.page-size",
    source: DO_UNMAP,
    errno: EINVAL,
    about: "pages of the bitmap are the container's smallest",
    test: (request, { pageSize }) =>
      has(request, BITMAP) ? wrongBitmapPage(request.bitmap, pageSize) : undefined,
  },
  {
    name: "unmap.cut",
    source: DO_UNMAP,
    errno: EINVAL,
    about: "version 2: the range cuts no mapping",
    test: (request, { mappings, v1 }) =>
      has(request, ALL) || v1 === true ? undefined : cuts(mappings, request),
  },
  {
    name: "unmap.vaddr",
    source: DO_UNMAP,
    errno: EINVAL,
    about: "VADDR takes mappings that have their address",
    test: takenTwice,
  },
  {
    name: "dirty.copy",
    source: "update_user_bitmap",
    errno: EFAULT,
    about: "with a bitmap: its memory is there and writable",
    concerns: (request) => has(request, BITMAP),
  },
];

function takenTwice(request: UnmapRequest, space: UnmapState): string | undefined {
  if (!has(request, VADDR)) return undefined;
  const targets = has(request, ALL)
    ? [...space.mappings]
    : space.mappings.inRange(request.iova, request.size);
  const gone = targets.find((mapping) => space.isMoving?.(mapping) === true);
  return gone && `the mapping ${describe(gone)} has lost its address already`;
}

/** Finds why an UNMAP on a type1 container would be refused. */
export function unmapRefusal(
  request: UnmapRequest,
  space: AddressSpace & { readonly v1?: boolean | undefined },
  tracking: boolean,
): Refusal | undefined {
  // Not spread: a state may be an object with getters.
  const { pageSize, mappings, ranges, behaviour, emulated, isMoving, v1 } = space;
  const state = { pageSize, mappings, ranges, behaviour, emulated, isMoving, v1, tracking };
  return firstRefusal(UNMAP_RULES, request, state);
}
