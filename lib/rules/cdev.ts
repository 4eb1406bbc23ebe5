/**
 * What a device refuses that is opened by its own node, in the order of the kernel: to be bound to an
 * iommufd, and to be attached to what that has.
 *
 * @see drivers/vfio/device_cdev.c and drivers/iommu/iommufd/device.c
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import { hex } from "../base/format.ts";
import { missing } from "./ioas_place.ts";
import { wrongArgsz } from "./range.ts";
import type { Rule, RuleState } from "./refusal.ts";

const { EADDRINUSE, EBADF, EBADFD, EBUSY, EINVAL, ENOENT, ENOMEM, EOPNOTSUPP, EPERM } = ERRNO;
const BIND = "vfio_df_ioctl_bind_iommufd";

const noFlags = ({ flags }: { readonly flags: number }): string | undefined =>
  flags === 0 ? undefined : `the flags ${hex(flags)} are unknown`;

/** The fields of BIND_IOMMUFD. */
export interface BindRequest {
  readonly argsz?: number | undefined;
  readonly flags: number;
  /** The descriptor of the iommufd. */
  readonly iommufd: number;
}

/** What BIND_IOMMUFD looks at. */
export interface BindState extends RuleState {
  /** Whether the file is that of the device's own node. */
  readonly ownNode: boolean;
  /** Whether the node of the device's group is open. */
  readonly groupOpen: boolean;
  readonly bound: boolean;
  /** What the descriptor leads to. */
  readonly file: "iommufd" | "other" | "none";
  /** Whether the IOMMU remaps interrupts, or the risk is taken. */
  readonly interruptsSafe: boolean;
  /** Whether another file of the device is bound. */
  readonly opened: boolean;
  /** Whether a device of the group is bound elsewhere, or driven by the host. */
  readonly claimed: boolean;
}

/** The rules of BIND_IOMMUFD. */
export const BIND_RULES: readonly Rule<BindRequest, BindState>[] = [
  {
    name: "bind.request",
    source: BIND,
    errno: EINVAL,
    about: "argsz covers the struct, there are no flags, the descriptor is 0 or more",
    test: (request) =>
      wrongArgsz(request.argsz, 16) ?? noFlags(request) ??
        (request.iommufd < 0 ? `a descriptor is 0 or more; got ${request.iommufd}` : undefined),
  },
  {
    name: "bind.node",
    source: BIND,
    errno: EINVAL,
    about: "the device was opened by its own node",
    test: (_, { ownNode }) => ownNode ? undefined : "the device was opened through its group",
  },
  {
    name: "bind.group",
    source: "vfio_device_block_group",
    errno: EBUSY,
    about: "the node of the group is not open",
    test: (_, { groupOpen }) => groupOpen ? "the device's group is open" : undefined,
  },
  {
    name: "bind.once",
    source: BIND,
    errno: EINVAL,
    about: "the file is not bound yet",
    test: (_, { bound }) => bound ? "the device is bound already" : undefined,
  },
  {
    name: "bind.fd",
    source: "iommufd_ctx_from_fd",
    errno: EBADF,
    about: "the descriptor is open",
    test: (_, { file }) => file === "none" ? "the descriptor is not open" : undefined,
  },
  {
    name: "bind.iommufd",
    source: "iommufd_ctx_from_file",
    errno: EBADFD,
    about: "it leads to an iommufd",
    test: (_, { file }) => file === "other" ? "the descriptor is no iommufd" : undefined,
  },
  {
    name: "bind.open",
    source: "vfio_df_open",
    errno: EINVAL,
    about: "no other file of the device is bound",
    test: (_, { opened }) => opened ? "another file of the device is bound" : undefined,
  },
  {
    name: "bind.interrupts",
    source: "iommufd_device_bind",
    errno: EPERM,
    about: "the IOMMU remaps interrupts, or iommufd's allow_unsafe_interrupts takes the risk",
    test: (_, { interruptsSafe }) => interruptsSafe ? undefined : "interrupts are not remapped",
  },
  {
    name: "bind.owner",
    source: "iommu_device_claim_dma_owner",
    errno: EPERM,
    about: "nobody else has a device of the group",
    test: (_, { claimed }) => claimed ? "somebody else has a device of the group" : undefined,
  },
];

/** What ATTACH_IOMMUFD_PT looks at. */
export interface AttachState extends RuleState {
  readonly bound: boolean;
  /** What `pt_id` leads to. */
  readonly target: "ioas" | "hwpt" | "other" | "none";
}

const ATTACH = "vfio_df_ioctl_attach_pt";

/** A request with nothing but a head. */
export interface PlainRequest {
  readonly argsz?: number | undefined;
  readonly flags: number;
}

/** The rules of ATTACH_IOMMUFD_PT. */
export const ATTACH_RULES: readonly Rule<PlainRequest, AttachState>[] = [
  {
    name: "attach.bound",
    source: "vfio_device_fops_unl_ioctl",
    errno: EINVAL,
    about: "the device is bound",
    test: (_, { bound }) => bound ? undefined : "the device is not bound to an iommufd",
  },
  {
    name: "attach.request",
    source: ATTACH,
    errno: EINVAL,
    about: "argsz covers the struct, and there are no flags",
    test: (request) => wrongArgsz(request.argsz, 12) ?? noFlags(request),
  },
  {
    name: "attach.found",
    source: "iommufd_device_change_pt",
    errno: ENOENT,
    about: "the address space or page table is there",
    test: (_, { target }) => missing("address space or page table", target !== "none"),
  },
  {
    name: "attach.kind",
    source: "iommufd_device_change_pt",
    errno: EINVAL,
    about: "the object is an address space or a page table",
    test: (_, { target }) =>
      target === "other" ? "the object is neither an address space nor a page table" : undefined,
  },
  {
    name: "attach.fit",
    source: "iommufd_hw_pagetable_attach",
    errno: EINVAL,
    about: "the page table is one for the device's IOMMU, and its group has no other",
  },
  {
    name: "attach.reserved",
    source: "iopt_table_enforce_dev_resv_regions",
    errno: EADDRINUSE,
    about: "nothing is mapped or allowed where the device reserves addresses",
  },
  {
    name: "attach.memlock",
    source: "do_update_pinned",
    errno: ENOMEM,
    about: "with an address space: RLIMIT_MEMLOCK holds all that is mapped in it",
  },
];

/** The rules of DETACH_IOMMUFD_PT: a device that is attached to nothing is no mistake. */
export const DETACH_RULES: readonly Rule<PlainRequest, RuleState & { readonly bound: boolean }>[] =
  [
    {
      name: "attach.bound",
      source: "vfio_device_fops_unl_ioctl",
      errno: EINVAL,
      about: "the device is bound",
      test: (_, { bound }) => bound ? undefined : "the device is not bound to an iommufd",
    },
    {
      name: "detach.request",
      source: "vfio_df_ioctl_detach_pt",
      errno: EINVAL,
      about: "argsz covers the struct, and there are no flags",
      test: (request) => wrongArgsz(request.argsz, 8) ?? noFlags(request),
    },
  ];

/** The rules of GET_HW_INFO. */
export const HW_INFO_RULES: readonly Rule<
  { readonly flags: number; readonly reserved?: number | undefined },
  RuleState & { readonly device: boolean }
>[] = [
  {
    name: "hw-info.flags",
    source: "iommufd_get_hw_info",
    errno: EOPNOTSUPP,
    about: "there are no flags, and the reserved field is 0",
    test: ({ flags, reserved = 0 }) =>
      noFlags({ flags }) ??
        (reserved === 0 ? undefined : `the reserved field must be 0; got ${reserved}`),
  },
  {
    name: "hw-info.device",
    source: "iommufd_get_device",
    errno: ENOENT,
    about: "the device is bound to the iommufd",
    test: (_, { device }) => missing("device in this iommufd", device),
  },
];
