/**
 * Why iommufd refused, from the error number and what can be seen.
 *
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import { formatSize } from "../base/format.ts";
import { RLIMIT_MEMLOCK } from "../sys/constant.ts";
import { type Kernel, UNLIMITED } from "../sys/kernel.ts";

/** Where iommufd is opened. */
export const PATH = "/dev/iommu";

/** Why /dev/iommu cannot be opened. */
export function explainOpen(errno: number): string | undefined {
  switch (errno) {
    case ERRNO.ENOENT:
    case ERRNO.ENODEV:
      return `there is no ${PATH}: the kernel was built without CONFIG_IOMMUFD, or its module is ` +
        "not loaded; as root: modprobe iommufd; type1 (Container) works without it";
    case ERRNO.EACCES:
      return `this user may not open ${PATH}; as root: chmod 666 ${PATH} (it gives no device away)`;
    default:
      return undefined;
  }
}

/** Why an object cannot be destroyed. */
export function explainDestroy(errno: number): string | undefined {
  switch (errno) {
    case ERRNO.EBUSY:
      return "another object uses it: a device is attached, or a page table was made for it";
    case ERRNO.ENOENT:
      return "there is no such object any more";
    default:
      return undefined;
  }
}

/** Why IOMMU_IOAS_MAP, MAP_FILE or COPY failed. */
export function explainMap(kernel: Kernel, errno: number): string | undefined {
  switch (errno) {
    case ERRNO.ENOMEM:
      return explainLimit(kernel);
    case ERRNO.ENOSPC:
      return "no gap between the reserved addresses and the mappings is large enough, within the " +
        "ranges that are allowed";
    case ERRNO.EEXIST:
      return "another mapping is in the range";
    case ERRNO.EFAULT:
      return `the memory ${CANNOT_PIN}`;
    case ERRNO.EPERM:
      return "what is copied was mapped for reading only; copy it with access r";
    case ERRNO.ENOENT:
      return "not all of the range is mapped, or the address space is gone";
    case ERRNO.EINVAL:
      return "the range meets addresses that are reserved, or is no multiple of the smallest page " +
        "of a device that is attached: see ranges()";
    default:
      return undefined;
  }
}

const CANNOT_PIN = "cannot be pinned: it is not mapped, not writable, or of a kind that the " +
  "kernel does not pin for long";

/** Why all that is mapped cannot be pinned, when the first device or page table comes. */
const NO_PIN = `memory of a mapping ${CANNOT_PIN}; unmap it, or map it with access r`;

/** What RLIMIT_MEMLOCK has to do with ENOMEM: the kernel does not show what it counts against it. */
function explainLimit(kernel: Kernel): string {
  const limit = kernel.prlimit(0, RLIMIT_MEMLOCK);
  if (typeof limit === "number" || limit.soft === UNLIMITED) {
    return "the host has not enough memory to pin; RLIMIT_MEMLOCK is not the reason";
  }
  return `RLIMIT_MEMLOCK is ${formatSize(limit.soft)}, and what this user has pinned through ` +
    "iommufd, io_uring and others counts together (in the account of the process: its VmLck); " +
    "without CAP_IPC_LOCK no more can be pinned, or the host has no more memory";
}

/** Why IOMMU_IOAS_UNMAP failed. */
export function explainUnmap(errno: number): string | undefined {
  switch (errno) {
    case ERRNO.ENOENT:
      return "nothing is mapped there, or the range cuts a mapping: a mapping goes as a whole";
    case ERRNO.EBUSY:
      return "somebody else unmaps there now";
    default:
      return undefined;
  }
}

const NO_IOMMU = "the device is not bound to this iommufd, or is a mediated device, which has no " +
  "IOMMU of its own";

/** Why IOMMU_GET_HW_INFO failed. */
export function explainHardware(errno: number): string | undefined {
  return errno === ERRNO.ENOENT ? NO_IOMMU : undefined;
}

/** Why IOMMU_HWPT_ALLOC failed. */
export function explainHwpt(
  kernel: Kernel,
  errno: number,
  tracksDirty: boolean,
): string | undefined {
  switch (errno) {
    case ERRNO.ENOMEM:
      return explainLimit(kernel);
    case ERRNO.EFAULT:
      return NO_PIN;
    case ERRNO.EOPNOTSUPP:
      return tracksDirty
        ? "the device's IOMMU does not track dirty pages: hardwareInfo(device).dirtyTracking tells"
        : "the device's IOMMU makes no page tables on demand";
    case ERRNO.ENOENT:
      return NO_IOMMU;
    case ERRNO.EINVAL:
      return "there is no such address space, or its mappings do not fit the device's IOMMU";
    case ERRNO.EADDRINUSE:
      return "mappings or allowed ranges lie where the device's IOMMU cannot translate";
    default:
      return undefined;
  }
}

/** Why a dirty request failed. */
export function explainDirty(errno: number): string | undefined {
  switch (errno) {
    case ERRNO.EOPNOTSUPP:
      return "this page table was not made with dirtyTracking";
    case ERRNO.ENOENT:
      return "there is no such page table any more";
    case ERRNO.ENOMEM:
      return "the kernel has no memory for it; take every page of the range as dirty, as the next " +
        "drain of a tracker does";
    default:
      return undefined;
  }
}

/** Why VFIO_DEVICE_BIND_IOMMUFD failed. */
export function explainBind(errno: number): string | undefined {
  switch (errno) {
    case ERRNO.EBUSY:
      return "the device's group is open: a device is used through its group or by itself, not both";
    case ERRNO.EPERM:
      return "the IOMMU does not remap interrupts, so a device could send any; switch interrupt " +
        "remapping on, or accept the risk: the module iommufd's parameter allow_unsafe_interrupts; or " +
        "another iommufd has a device of its group";
    case ERRNO.EINVAL:
      return "the device is bound already, or its IOMMU does not fit";
    default:
      return undefined;
  }
}

/** Why VFIO_DEVICE_ATTACH_IOMMUFD_PT failed. */
export function explainAttach(kernel: Kernel, errno: number): string | undefined {
  switch (errno) {
    case ERRNO.ENOENT:
      return "there is no such address space or page table in the iommufd that it is bound to";
    case ERRNO.EBUSY:
      return "the device is being reset: try again when that is over; or its group is attached " +
        "elsewhere";
    case ERRNO.ENOMEM:
      return explainLimit(kernel);
    case ERRNO.EFAULT:
      return NO_PIN;
    case ERRNO.EINVAL:
      return "the page table does not fit the device: one with dirty tracking takes only devices " +
        "whose IOMMU has it";
    case ERRNO.EADDRINUSE:
      return "mappings or allowed ranges lie where the device's IOMMU cannot translate, or where " +
        "its interrupts are: see ranges()";
    default:
      return undefined;
  }
}
