/**
 * Why the kernel refused, from what can be seen.
 *
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import type { Reason } from "../base/error.ts";
import type { Extent } from "../base/extent.ts";
import { formatSize } from "../base/format.ts";
import { entriesReason, fitsMemlock, memlockReason } from "../pins/memlock.ts";
import type { Kernel } from "../sys/kernel.ts";
import { readLine } from "../sys/text.ts";
import { readPins } from "./pins.ts";

const PARAMETERS = "/sys/module/vfio_iommu_type1/parameters";

/** Why VFIO_IOMMU_MAP_DMA failed. */
export function explainMap(kernel: Kernel, errno: number, extent: Extent): Reason | undefined {
  switch (errno) {
    case ERRNO.ENOMEM:
      return explainMemlock(kernel, extent.size, "map.memlock");
    case ERRNO.ENOSPC: {
      const hint = entriesReason(readLine(kernel, `${PARAMETERS}/dma_entry_limit`) ?? "65535");
      return { hint, rule: "map.entries" };
    }
    case ERRNO.EFAULT:
      return {
        hint:
          "the memory cannot be pinned: it is not mapped, not writable, or of a kind that the " +
          "kernel does not pin for long",
        rule: "map.pin",
      };
    case ERRNO.EINVAL:
      return "the range fits what the container reports, yet the kernel refuses it; its IOMMU may " +
        "have a window of its own there, or another user of the container changed its groups";
    case ERRNO.EEXIST:
      return {
        hint: "the range overlaps a mapping that another user of the container made",
        rule: "map.overlap",
      };
    default:
      return undefined;
  }
}

/**
 * Whether RLIMIT_MEMLOCK is what `wanted` more locked bytes meet, with the figures.
 *
 * @param rule The rule to name, if it is.
 */
export function explainMemlock(kernel: Kernel, wanted: bigint, rule: string): Reason | undefined {
  const pins = readPins(kernel, undefined);
  if (pins === undefined) return undefined;
  if (!fitsMemlock(pins, pins.locked + wanted)) {
    return { hint: memlockReason(pins, pins.locked, wanted), rule };
  }
  return `the host has not enough memory to pin ${formatSize(wanted)}; RLIMIT_MEMLOCK is not ` +
    "the reason";
}

/** Why SET_CONTAINER or SET_IOMMU failed for a group. */
export function explainAttach(kernel: Kernel, errno: number, mapped: bigint): Reason | undefined {
  switch (errno) {
    case ERRNO.EPERM:
      return {
        hint: "the IOMMU does not remap interrupts, so a device could send any; switch interrupt " +
          `remapping on, or accept the risk: echo 1 > ${PARAMETERS}/allow_unsafe_interrupts`,
        rule: "setup.interrupts",
      };
    case ERRNO.EBUSY:
      return {
        hint: "a device of the group is in use, or a mapping has no valid address now",
        rule: "group.moving",
      };
    case ERRNO.ENODEV:
      return {
        hint: "no IOMMU driver of VFIO is loaded; as root: modprobe vfio_iommu_type1",
        rule: "setup.claimed",
      };
    case ERRNO.EINVAL:
      if (mapped === 0n) return "the group's IOMMU does not fit this container";
  }
  return mapped > 0n ? explainReplay(kernel, errno, mapped) : undefined;
}

/** What is mapped already is pinned and mapped for the IOMMU of the group that joins. */
function explainReplay(kernel: Kernel, errno: number, mapped: bigint): Reason | undefined {
  switch (errno) {
    case ERRNO.ENOMEM: {
      const why = explainMemlock(kernel, mapped, "group.memlock") ?? "memory is short";
      const { hint, rule } = typeof why === "string" ? { hint: why, rule: "group.memlock" } : why;
      return {
        hint: `the ${formatSize(mapped)} mapped so far are pinned when the group joins; ${hint}`,
        rule,
      };
    }
    case ERRNO.EFAULT:
      return {
        hint:
          "what is mapped so far is pinned and mapped for the group's IOMMU when it joins, and " +
          "some of it cannot be: its memory is not there or not writable, or it lies beyond the " +
          "addresses of the IOMMU",
        rule: "group.pin",
      };
    case ERRNO.EINVAL:
      return {
        hint: "a mapping lies outside the addresses that the group's IOMMU can use, or in its " +
          "interrupt window",
        rule: "group.window",
      };
    default:
      return undefined;
  }
}
