/**
 * What a group refuses, in the order of the kernel.
 *
 * @see drivers/vfio/group.c and drivers/vfio/container.c
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import { wrongArgsz } from "./range.ts";
import type { Rule, RuleState } from "./refusal.ts";

/** What a group is in. */
export interface GroupState extends RuleState {
  /** Whether it is in a container. */
  readonly inContainer: boolean;
  /** Whether that container has its IOMMU. */
  readonly hasIommu: boolean;
  /** Whether every device of it is without a driver, or has one that does no DMA of its own. */
  readonly viable: boolean;
  /** Devices of it that are open. */
  readonly openDevices: number;
  /** Whether a mapping of the container it would join has lost its address to UNMAP with VADDR. */
  readonly moving?: boolean | undefined;
}

const { EINVAL, EBUSY, EBADF, EBADFD, EPERM, ENODEV, EFAULT, ENOMEM } = ERRNO;

/** What opening a group's node looks at. */
export interface OpenState extends RuleState {
  readonly isOpen: boolean;
}

/** What SET_CONTAINER is given: a file that is none, of another kind, or a container. */
export interface SetContainerRequest {
  readonly file: "none" | "other" | "container";
}

/** The rules of opening /dev/vfio/<group>. */
export const OPEN_GROUP_RULES: readonly Rule<Record<never, never>, OpenState>[] = [{
  name: "group.open",
  source: "vfio_group_fops_open",
  errno: EBUSY,
  about: "the group is open once at a time",
  test: (_, { isOpen }) => isOpen ? "the group is open already" : undefined,
}];

/** The rules of GROUP_GET_STATUS. */
export const GET_STATUS_RULES: readonly Rule<{ readonly argsz?: number }, RuleState>[] = [{
  name: "group.argsz",
  source: "vfio_group_ioctl_get_status",
  errno: EINVAL,
  about: "argsz covers the struct",
  test: ({ argsz }) => wrongArgsz(argsz, 8),
}];

/** The rules of GROUP_SET_CONTAINER. */
export const SET_CONTAINER_RULES: readonly Rule<SetContainerRequest, GroupState>[] = [
  {
    name: "group.file",
    source: "vfio_group_ioctl_set_container",
    errno: EBADF,
    about: "the descriptor is open",
    test: ({ file }) => file === "none" ? "the descriptor is not open" : undefined,
  },
  {
    name: "group.again",
    source: "vfio_group_ioctl_set_container",
    errno: EINVAL,
    about: "the group is in no container",
    test: (_, { inContainer }) => inContainer ? "the group is in a container already" : undefined,
  },
  {
    name: "group.kind",
    source: "vfio_group_ioctl_set_container",
    errno: ({ onlyContainers }) => onlyContainers === true ? EINVAL : EBADFD,
    about: "the descriptor is a container, or an iommufd",
    test: ({ file }) => file === "other" ? "the descriptor is no container" : undefined,
  },
  {
    name: "group.viable",
    source: "iommu_group_claim_dma_owner",
    errno: EPERM,
    about: "no driver of the host uses a device of the group",
    test: (_, { viable }) => viable ? undefined : "a driver of the host uses a device of the group",
  },
  {
    name: "group.moving",
    source: "vfio_iommu_type1_attach_group",
    errno: EBUSY,
    about: "every mapping of the container has its address",
    test: (_, { moving }) => moving === true ? "a mapping has lost its address" : undefined,
  },
  {
    name: "group.window",
    source: "vfio_iommu_aper_conflict",
    errno: EINVAL,
    about: "every mapping lies in the addresses of the group's IOMMU, and outside its MSI window",
  },
  {
    name: "group.pin",
    source: "vfio_iommu_replay",
    errno: EFAULT,
    about: "the memory of every mapping can be pinned, and its addresses be mapped",
  },
  {
    name: "group.memlock",
    source: "vfio_pin_pages_remote",
    errno: ENOMEM,
    about: "RLIMIT_MEMLOCK holds all that is mapped, or CAP_IPC_LOCK lifts the limit",
  },
];

/** The rules of GROUP_UNSET_CONTAINER. */
export const UNSET_CONTAINER_RULES: readonly Rule<Record<never, never>, GroupState>[] = [
  {
    name: "group.none",
    source: "vfio_group_ioctl_unset_container",
    errno: EINVAL,
    about: "the group is in a container",
    test: (_, { inContainer }) => inContainer ? undefined : "the group is in no container",
  },
  {
    name: "group.busy",
    source: "vfio_group_detach_container",
    errno: EBUSY,
    about: "no device of the group is open",
    test: (_, { openDevices }) =>
      openDevices > 0 ? `${openDevices} of its devices are open` : undefined,
  },
];

/** The rules of GROUP_GET_DEVICE_FD. */
export const GET_DEVICE_FD_RULES: readonly Rule<{ readonly known: boolean }, GroupState>[] = [
  {
    name: "group.device",
    source: "vfio_device_get_from_name",
    errno: ENODEV,
    about: "the group has a device of that name, bound to a driver of VFIO",
    test: ({ known }) => known ? undefined : "the group has no such device",
  },
  {
    name: "group.iommu",
    source: "vfio_device_assign_container",
    errno: EINVAL,
    about: "the group is in a container that has its IOMMU",
    test: (_, { inContainer, hasIommu }) =>
      inContainer && hasIommu
        ? undefined
        : `the group is in ${inContainer ? "a container without an IOMMU" : "no container"}`,
  },
];
