/**
 * What VFIO_IOMMU_MAP_DMA refuses, in the order of the kernel.
 *
 * @see drivers/vfio/vfio_iommu_type1.c, vfio_dma_do_map
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import type { Extent, ExtentSet } from "../base/extent.ts";
import { hex } from "../base/format.ts";
import { VFIO_DMA_MAP_FLAG_READ, VFIO_DMA_MAP_FLAG_WRITE } from "../uapi/flag.ts";
import { inRanges, type IovaRange } from "./iova.ts";
import { alignRefusal, describe, emptyRefusal, wrapRefusal } from "./range.ts";
import { firstRefusal, type Refusal } from "./refusal.ts";

/** The fields of a MAP request. */
export interface MapRequest extends Extent {
  readonly flags: number;
  /** User address of the memory; undefined where it is not known yet. */
  readonly vaddr: bigint | undefined;
}

/** What a container says about its addresses. */
export interface AddressSpace {
  /** Smallest page of the IOMMU, in bytes. */
  readonly pageSize: bigint;
  readonly mappings: ExtentSet<Extent>;
  /** Usable ranges; undefined where the kernel reports none (no IOMMU-backed group yet). */
  readonly ranges: readonly IovaRange[] | undefined;
  /** Mappings that may still be made; undefined where the caller leaves that to the kernel. */
  readonly entriesLeft?: number | undefined;
}

const EINVAL = ERRNO.EINVAL;
const RIGHTS = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE;

/**
 * Finds why a MAP would be refused. Memory limits and bad memory are found by the kernel alone.
 *
 * The VADDR flavour, which moves a mapping to another address, is not made here.
 */
export function mapRefusal(request: MapRequest, space: AddressSpace): Refusal | undefined {
  const { flags, iova, size, vaddr } = request;
  const { pageSize, mappings, ranges } = space;
  return firstRefusal(
    () =>
      (flags & RIGHTS) !== 0 ? undefined : {
        errno: EINVAL,
        rule: "map.rights",
        reason: "a mapping is for reading, writing, or both; got neither",
      },
    () => emptyRefusal("map.size", size),
    () => alignRefusal("map.align", "size", size, pageSize),
    () => alignRefusal("map.align", "iova", iova, pageSize),
    () => alignRefusal("map.align", "the memory's address", vaddr ?? 0n, pageSize),
    () => wrapRefusal("map.wrap", "iova", iova, size),
    () => wrapRefusal("map.wrap", "the memory's address", vaddr ?? 0n, size),
    () => overlapRefusal(request, mappings),
    () =>
      space.entriesLeft !== 0 ? undefined : {
        errno: ERRNO.ENOSPC,
        rule: "map.entries",
        reason: "no mapping is left of the container's dma_entry_limit",
      },
    () =>
      inRanges(ranges, request) ? undefined : {
        errno: EINVAL,
        rule: "map.iova-range",
        reason: `${describe(request)} is outside the IOVA ranges of the container: ${
          (ranges ?? []).map(({ start, end }) => `${hex(start)}..${hex(end)}`).join(", ")
        }`,
      },
  );
}

function overlapRefusal(request: Extent, mappings: ExtentSet<Extent>): Refusal | undefined {
  const other = mappings.overlapping(request.iova, request.size);
  if (other === undefined) return undefined;
  const reason = `${describe(request)} overlaps the mapping ${describe(other)}`;
  return { errno: ERRNO.EEXIST, rule: "map.overlap", reason };
}
