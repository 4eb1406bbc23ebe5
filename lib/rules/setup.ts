/**
 * What a container refuses on the way to an IOMMU, in the order of the kernel.
 *
 * @see drivers/vfio/container.c, and drivers/vfio/vfio_iommu_type1.c
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import {
  VFIO_DMA_CC_IOMMU,
  VFIO_TYPE1_IOMMU,
  VFIO_TYPE1v2_IOMMU,
  VFIO_UNMAP_ALL,
  VFIO_UPDATE_VADDR,
} from "../uapi/flag.ts";
import { BEFORE_V6_18, type Behaviour } from "./behaviour.ts";
import { wrongArgsz } from "./range.ts";
import type { Rule, RuleState } from "./refusal.ts";

/** What a container is made of, before it has an IOMMU. */
export interface SetupState extends RuleState {
  /** Groups that are attached. */
  readonly groups: number;
  /** Whether SET_IOMMU has succeeded. */
  readonly hasIommu: boolean;
}

const { EINVAL, ENODEV, EPERM } = ERRNO;

/** Once VFIO_TYPE1_NESTING_IOMMU, which no driver ever served. */
const NESTING = 6;

/** The types of IOMMU that type1 is. */
export const TYPE1_TYPES: readonly number[] = [VFIO_TYPE1_IOMMU, VFIO_TYPE1v2_IOMMU];

/** Ids that type1 knows before it has groups, so that SET_IOMMU asks it. */
function isKnown(id: number, { nesting }: Behaviour): boolean {
  return TYPE1_TYPES.includes(id) || id === VFIO_UNMAP_ALL || (nesting && id === NESTING);
}

/** What {@link hasExtension} looks at. */
export interface ExtensionState extends RuleState {
  readonly hasIommu: boolean;
  /** Whether a mediated device is attached. */
  readonly emulated: boolean;
  /** Whether every IOMMU of the container keeps caches coherent; true without one. */
  readonly coherent: boolean;
}

/**
 * Whether CHECK_EXTENSION answers 1.
 *
 * Before SET_IOMMU it asks type1 in general, and after it for this container.
 */
export function hasExtension(id: number, state: ExtensionState): boolean {
  if (isKnown(id, state.behaviour ?? BEFORE_V6_18)) return true;
  if (!state.hasIommu) return false;
  if (id === VFIO_UPDATE_VADDR) return !state.emulated;
  return id === VFIO_DMA_CC_IOMMU && state.coherent;
}

/** The rules of SET_IOMMU. */
export const SET_IOMMU_RULES: readonly Rule<{ readonly type: number }, SetupState>[] = [
  {
    name: "setup.group",
    source: "vfio_ioctl_set_iommu",
    errno: EINVAL,
    about: "a group is in the container",
    test: (_, { groups }) => groups > 0 ? undefined : "no group is in the container yet",
  },
  {
    name: "setup.once",
    source: "vfio_ioctl_set_iommu",
    errno: EINVAL,
    about: "the container has no IOMMU yet",
    test: (_, { hasIommu }) => hasIommu ? "the container has its IOMMU already" : undefined,
  },
  {
    name: "setup.claimed",
    source: "vfio_ioctl_set_iommu",
    errno: ENODEV,
    about: "a driver knows the id",
    test: ({ type }, { behaviour }) =>
      isKnown(type, behaviour ?? BEFORE_V6_18)
        ? undefined
        : `no driver of an IOMMU knows the id ${type}`,
  },
  {
    name: "setup.type",
    source: "vfio_iommu_type1_open",
    errno: EINVAL,
    about: "the id is a type, 1 or 3, and not an extension",
    test: ({ type }) =>
      TYPE1_TYPES.includes(type) ? undefined : `the id ${type} is an extension, and no type`,
  },
  {
    name: "setup.interrupts",
    source: "vfio_iommu_type1_attach_group",
    errno: EPERM,
    about: "the IOMMU remaps interrupts, or allow_unsafe_interrupts takes the risk",
  },
];

/** The rules of GET_INFO, and of any request for an IOMMU. */
export const GET_INFO_RULES: readonly Rule<{ readonly argsz?: number }, SetupState>[] = [
  {
    name: "info.iommu",
    source: "vfio_fops_unl_ioctl",
    errno: EINVAL,
    about: "the container has its IOMMU; it goes with the last group",
    test: (_, { hasIommu }) => hasIommu ? undefined : "the container has no IOMMU",
  },
  {
    name: "info.argsz",
    source: "vfio_iommu_type1_get_info",
    errno: EINVAL,
    about: "argsz reaches to iova_pgsizes",
    test: ({ argsz }) => wrongArgsz(argsz, 16),
  },
];
