/**
 * What VFIO_IOMMU_MAP_DMA refuses, in the order of the kernel.
 *
 * @see drivers/vfio/vfio_iommu_type1.c, vfio_iommu_type1_map_dma and vfio_dma_do_map
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import type { Extent, ExtentSet } from "../base/extent.ts";
import { hex } from "../base/format.ts";
import {
  VFIO_DMA_MAP_FLAG_READ,
  VFIO_DMA_MAP_FLAG_VADDR,
  VFIO_DMA_MAP_FLAG_WRITE,
} from "../uapi/flag.ts";
import { inRanges, type IovaRange } from "./iova.ts";
import { describe, emptySize, misaligned, unknownFlags, wrapErrno, wraps } from "./range.ts";
import { wrongArgsz } from "./range.ts";
import { firstRefusal, type Refusal, type Rule, type RuleState } from "./refusal.ts";

/** The fields of a MAP request. */
export interface MapRequest extends Extent {
  /** Left out: large enough. */
  readonly argsz?: number | undefined;
  /** READ 1, WRITE 2, or VADDR 4 alone. */
  readonly flags: number;
  /** User address of the memory; undefined where it is not known yet. */
  readonly vaddr: bigint | undefined;
}

/** What a container says about its addresses. */
export interface AddressSpace extends RuleState {
  /** Smallest page of the IOMMU, in bytes. */
  readonly pageSize: bigint;
  readonly mappings: ExtentSet<Extent>;
  /** Usable ranges; undefined where the kernel reports none (no IOMMU-backed group yet). */
  readonly ranges: readonly IovaRange[] | undefined;
  /** Mappings that may still be made; undefined where the caller leaves that to the kernel. */
  readonly entriesLeft?: number | undefined;
  /** Whether a mediated device is attached; memory cannot move to another address then. */
  readonly emulated?: boolean | undefined;
  /** Whether a mapping's address was taken away by UNMAP with VADDR, so that MAP may give a new one. */
  readonly isMoving?: ((mapping: Extent) => boolean) | undefined;
}

const { EINVAL, EEXIST, ENOSPC, ENOENT, ENOMEM, EFAULT } = ERRNO;
const RIGHTS = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE;
const KNOWN = RIGHTS | VFIO_DMA_MAP_FLAG_VADDR;
const ARGSZ = 32;
const DO_MAP = "vfio_dma_do_map";

type MapRule = Rule<MapRequest, AddressSpace>;

const moves = ({ flags }: MapRequest): boolean => (flags & VFIO_DMA_MAP_FLAG_VADDR) !== 0;

/** At which place it is tested, and with which answer, depends on the kernel. */
const wrapRule = (when: "EINVAL" | "EOVERFLOW"): MapRule => ({
  name: "map.wrap",
  source: DO_MAP,
  errno: wrapErrno,
  about: "neither iova nor vaddr wraps around 2^64",
  when: (behaviour) => behaviour.wrap === when,
  test: ({ iova, size, vaddr }) =>
    size <= 0n
      ? undefined
      : wraps("iova", iova, size) ?? wraps("the memory's address", vaddr ?? 0n, size),
});

const sizeRule: MapRule = {
  name: "map.size",
  source: DO_MAP,
  errno: EINVAL,
  about: "the size is more than 0",
  test: ({ size }) => emptySize(size),
};

/** The rules of MAP. */
export const MAP_RULES: readonly MapRule[] = [
  {
    name: "map.argsz",
    source: "vfio_iommu_type1_map_dma",
    errno: EINVAL,
    about: "argsz covers the struct",
    test: ({ argsz }) => wrongArgsz(argsz, ARGSZ),
  },
  {
    name: "map.flags",
    source: "vfio_iommu_type1_map_dma",
    errno: EINVAL,
    about: "flags are READ, WRITE and VADDR",
    test: ({ flags }) => unknownFlags(flags, KNOWN),
  },
  { ...sizeRule, when: ({ wrap }) => wrap === "EOVERFLOW" },
  wrapRule("EOVERFLOW"),
  {
    name: "map.rights",
    source: DO_MAP,
    errno: EINVAL,
    about: "READ, WRITE or both, or VADDR alone",
    test: (request) => {
      const rights = (request.flags & RIGHTS) !== 0;
      if (rights !== moves(request)) return undefined;
      return rights
        ? "VADDR moves a mapping and keeps its rights; it goes with neither READ nor WRITE"
        : "a mapping is for reading, writing, or both; got neither";
    },
  },
  { ...sizeRule, when: ({ wrap }) => wrap === "EINVAL" },
  {
    name: "map.align",
    source: DO_MAP,
    errno: EINVAL,
    about: "size, iova and vaddr are multiples of the smallest page",
    test: ({ size, iova, vaddr }, { pageSize }) =>
      misaligned("size", size, pageSize) ?? misaligned("iova", iova, pageSize) ??
        misaligned("the memory's address", vaddr ?? 0n, pageSize),
  },
  wrapRule("EINVAL"),
  {
    name: "map.vaddr-none",
    source: DO_MAP,
    errno: ENOENT,
    about: "VADDR needs a mapping at the iova",
    test: (request, { mappings }) =>
      moves(request) && mappings.overlapping(request.iova, request.size) === undefined
        ? `no mapping is at ${describe(request)} whose address could be given`
        : undefined,
  },
  {
    name: "map.vaddr",
    source: DO_MAP,
    errno: EINVAL,
    about: "VADDR gives an address to exactly one mapping that has lost its own",
    test: movedWrong,
  },
  {
    name: "map.overlap",
    source: DO_MAP,
    errno: EEXIST,
    about: "no other mapping is in the range",
    test: overlapped,
  },
  {
    name: "map.entries",
    source: DO_MAP,
    errno: ENOSPC,
    about: "dma_entry_limit is not used up",
    test: (request, { entriesLeft }) =>
      entriesLeft === 0 && !moves(request)
        ? "no mapping is left of the container's dma_entry_limit"
        : undefined,
  },
  {
    name: "map.iova-range",
    source: "vfio_iommu_iova_dma_valid",
    errno: EINVAL,
    about: "the range lies in one IOVA range of the container",
    test: (request, { ranges }) =>
      moves(request) || inRanges(ranges, request)
        ? undefined
        : `${describe(request)} is outside the IOVA ranges of the container: ${
          (ranges ?? []).map(({ start, end }) => `${hex(start)}..${hex(end)}`).join(", ")
        }`,
  },
  {
    name: "map.pin",
    source: "vaddr_get_pfns",
    errno: EFAULT,
    about:
      "with an IOMMU: the memory is there, of a kind that can be pinned, and writable for WRITE",
  },
  {
    name: "map.memlock",
    source: "vfio_pin_pages_remote",
    errno: ENOMEM,
    about: "with an IOMMU: RLIMIT_MEMLOCK holds it, or CAP_IPC_LOCK lifts the limit",
  },
];

function movedWrong(request: MapRequest, { mappings, isMoving }: AddressSpace): string | undefined {
  if (!moves(request)) return undefined;
  const other = mappings.overlapping(request.iova, request.size);
  if (other === undefined) return undefined;
  if (other.iova !== request.iova || other.size !== request.size) {
    return `VADDR takes a whole mapping, ${describe(other)}; got ${describe(request)}`;
  }
  return isMoving?.(other) === true
    ? undefined
    : `the mapping ${describe(other)} has its address; UNMAP with VADDR takes it away first`;
}

function overlapped(request: MapRequest, { mappings }: AddressSpace): string | undefined {
  const other = moves(request) ? undefined : mappings.overlapping(request.iova, request.size);
  return other && `${describe(request)} overlaps the mapping ${describe(other)}`;
}

/** Finds why a MAP would be refused. Memory limits and bad memory are found by the kernel alone. */
export function mapRefusal(request: MapRequest, space: AddressSpace): Refusal | undefined {
  return firstRefusal(MAP_RULES, request, space);
}
