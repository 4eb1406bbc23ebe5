import type { Topic } from "../topics.ts";

/** What `pinscope help accounts` says. */
export const ACCOUNTS: Topic = {
  name: "accounts",
  about: "VmLck, VmPin, RLIMIT_MEMLOCK: what is charged",
  commands: ["pins", "plan"],
  text: `Memory that a device may write has to stay where it is. The kernel counts it,
and refuses with ENOMEM what would go over the limit.

VmLck           in /proc/PID/status: what mlock and VFIO's type1 have locked. A
                device behind an IOMMU costs its whole mappings when it is
                attached; a mediated device only what its driver pins.
VmPin           pinned by others, iommufd among them. Type1 does not move it.
RLIMIT_MEMLOCK  the limit of the process: ulimit -l. With CAP_IPC_LOCK, as root
                has it, it does not hold, and everything is counted all the
                same.
dma_avail       mappings that a container may still have: dma_entry_limit of
                the module vfio_iommu_type1, 65535 if nobody has changed it;
                then ENOSPC.

VmLck belongs to the whole process. A page that two containers map is counted
twice; an iova that drivers pin twice, once.
  pinscope pins                 who locks memory, and how near to the limit
  pinscope pins DEVICE          what a device and a mapping cost here
  pinscope plan --map 0:64G     whether it will fit, before it is tried`,
};
