/**
 * How groups join and leave the modelled type1, and what that pins, charges and makes dirty.
 *
 * @see drivers/vfio/vfio_iommu_type1.c, vfio_iommu_type1_attach_group and
 * vfio_iommu_type1_detach_group
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import { inRanges } from "../rules/iova.ts";
import type { Process } from "./process.ts";
import type { AttachedGroup, Type1 } from "./type1.ts";
import { pinRemote } from "./type1_map.ts";

/** Attaches a group; the first one behind an IOMMU pins all that is mapped: 0 or -errno. */
export function attach(iommu: Type1, group: AttachedGroup, current: Process): number {
  if (iommu.hasInvalidVaddr) return -ERRNO.EBUSY;
  if (!group.emulated) {
    if (conflicts(iommu)) return -ERRNO.EINVAL;
    if (!iommu.host.interruptsSafe) return -ERRNO.EPERM;
    const result = iommu.hasIommu ? 0 : replay(iommu, current);
    if (result < 0) return result;
    iommu.hadIommu = true;
  }
  group.hasPinned = false;
  iommu.groups.add(group);
  return 0;
}

/**
 * Whether something is mapped where the new IOMMU has a hole, or, if the container had an IOMMU
 * before, above what the new one reaches.
 *
 * @see vfio_iommu_aper_conflict and vfio_iommu_resv_conflict
 */
function conflicts(iommu: Type1): boolean {
  const { mappings, host: { ranges } } = iommu;
  const limit = (ranges.at(-1)?.end ?? 0n) + 1n;
  const rest = (1n << 64n) - limit;
  const beyond = iommu.hadIommu && !iommu.hasIommu && rest > 0n;
  if (beyond && mappings.find(limit, rest) !== undefined) return true;
  return ranges.some(({ end }, i) => {
    const next = ranges[i + 1];
    return next !== undefined && mappings.find(end + 1n, next.start - end - 1n) !== undefined;
  });
}

/** Pins and maps what is mapped already; all or nothing. @see vfio_iommu_replay */
function replay(iommu: Type1, current: Process): number {
  const before = new Map([...iommu.mappings].map((dma) => [dma, dma.charged]));
  for (const dma of iommu.mappings) {
    const pinned = pinRemote(iommu, dma, current);
    // What the IOMMU cannot address shows when it is to be mapped.
    const result = pinned === 0 && !inRanges(iommu.host.ranges, dma) ? -ERRNO.EFAULT : pinned;
    if (result === 0) continue;
    for (const [other, charged] of before) other.uncharge(other.charged - charged);
    return result;
  }
  for (const dma of before.keys()) dma.iommuMapped = true;
  return 0;
}

/** Detaches a group; what the last one behind an IOMMU had pinned is given back. */
export function detach(iommu: Type1, group: AttachedGroup): void {
  const counted = !group.emulated && !group.hasPinned;
  iommu.groups.delete(group);
  if (iommu.groups.size === 0) return iommu.release();
  if (!group.emulated && !iommu.hasIommu) {
    for (const dma of iommu.mappings) {
      dma.iommuMapped = false;
      // What drivers have pinned stays so. @see vfio_iommu_unmap_unpin_reaccount
      let kept = 0n;
      for (const { place } of dma.pins.values()) if (!place.isDevice) kept += iommu.pageSize;
      dma.uncharge(dma.charged - kept);
    }
  }
  if (!counted || !iommu.tracking) return;
  // What the group did since the last read is not known any more.
  for (const dma of iommu.mappings) dma.bits?.set(0, Number(dma.size / iommu.pageSize));
}
