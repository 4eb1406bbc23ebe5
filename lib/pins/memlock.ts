import { formatSize } from "../base/format.ts";
import type { PinSnapshot } from "./snapshot.ts";

/** Bytes of a host page: the kernel counts, and rounds the limit down, in these. */
const HOST_PAGE = 4096n;

/**
 * Whether so many more bytes may be locked: exactly the limit may, one page more may not.
 *
 * @see mm/util.c, __account_locked_vm
 */
export function fitsMemlock(pins: PinSnapshot, locked: bigint): boolean {
  if (pins.ipcLock || pins.limit.soft === undefined) return true;
  return locked <= pins.limit.soft / HOST_PAGE * HOST_PAGE;
}

/** Says that `wanted` more bytes on top of `locked` are over the limit, and what to do. */
export function memlockReason({ limit }: PinSnapshot, locked: bigint, wanted: bigint): string {
  const hard = limit.hard === undefined ? "unlimited" : formatSize(limit.hard);
  return `VmLck ${formatSize(locked)} + ${formatSize(wanted)} is above RLIMIT_MEMLOCK ` +
    `${formatSize(limit.soft ?? 0n)} (hard: ${hard}), and CAP_IPC_LOCK, which lifts it, is ` +
    "missing; raise the limit (ulimit -l, LimitMEMLOCK=) or map less";
}

/** Says that a container has no mapping left, and what to do. */
export function entriesReason(limit: number | string): string {
  return `no mapping is left: dma_entry_limit of vfio_iommu_type1 is ${limit} mappings a ` +
    "container; use fewer, larger mappings, or load the module with a higher limit";
}
