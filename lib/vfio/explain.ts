/**
 * Why the kernel refused, from what can be seen.
 *
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import type { Extent } from "../base/extent.ts";
import { formatSize } from "../base/format.ts";
import { entriesReason, fitsMemlock, memlockReason } from "../pins/memlock.ts";
import type { Kernel } from "../sys/kernel.ts";
import { readLine } from "../sys/text.ts";
import { readPins } from "./pins.ts";

const PARAMETERS = "/sys/module/vfio_iommu_type1/parameters";

/** Why VFIO_IOMMU_MAP_DMA failed. */
export function explainMap(kernel: Kernel, errno: number, extent: Extent): string | undefined {
  switch (errno) {
    case ERRNO.ENOMEM:
      return explainMemlock(kernel, extent.size);
    case ERRNO.ENOSPC:
      return entriesReason(readLine(kernel, `${PARAMETERS}/dma_entry_limit`) ?? "65535");
    case ERRNO.EFAULT:
      return "the memory cannot be pinned: it is not mapped, not writable, or of a kind that the " +
        "kernel does not pin for long";
    case ERRNO.EINVAL:
      return "the range fits what the container reports, yet the kernel refuses it; its IOMMU may " +
        "have a window of its own there, or another user of the container changed its groups";
    case ERRNO.EEXIST:
      return "the range overlaps a mapping that another user of the container made";
    default:
      return undefined;
  }
}

/** Whether RLIMIT_MEMLOCK is what `wanted` more locked bytes meet, with the figures. */
export function explainMemlock(kernel: Kernel, wanted: bigint): string | undefined {
  const pins = readPins(kernel, undefined);
  if (pins === undefined) return undefined;
  if (!fitsMemlock(pins, pins.locked + wanted)) return memlockReason(pins, pins.locked, wanted);
  return `the host has not enough memory to pin ${formatSize(wanted)}; RLIMIT_MEMLOCK is not ` +
    "the reason";
}

/** Why SET_CONTAINER or SET_IOMMU failed for a group. */
export function explainAttach(
  kernel: Kernel,
  errno: number,
  mapped: bigint,
): string | undefined {
  switch (errno) {
    case ERRNO.EPERM:
      return "the IOMMU does not remap interrupts, so a device could send any; switch interrupt " +
        `remapping on, or accept the risk: echo 1 > ${PARAMETERS}/allow_unsafe_interrupts`;
    case ERRNO.ENOMEM:
      return mapped > 0n
        ? `the ${formatSize(mapped)} mapped so far are pinned when the group joins; ` +
          (explainMemlock(kernel, mapped) ?? "memory is short")
        : undefined;
    case ERRNO.EFAULT:
      return mapped > 0n
        ? "memory that is mapped is pinned when the group joins, and some of it cannot be"
        : undefined;
    case ERRNO.EINVAL:
      return mapped > 0n
        ? "a mapping lies outside the addresses that the group's IOMMU can use, or in its " +
          "interrupt window"
        : "the group's IOMMU does not fit this container";
    case ERRNO.EBUSY:
      return "a device of the group is in use, or a mapping has no valid address now";
    case ERRNO.ENODEV:
      return "no IOMMU driver of VFIO is loaded; as root: modprobe vfio_iommu_type1";
    default:
      return undefined;
  }
}
