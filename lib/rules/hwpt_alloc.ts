/**
 * What IOMMU_HWPT_ALLOC refuses, in the order of the kernel.
 *
 * @see drivers/iommu/iommufd/hw_pagetable.c, iommufd_hwpt_alloc
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import { IOMMU_HWPT_ALLOC_DIRTY_TRACKING, IOMMU_HWPT_ALLOC_NEST_PARENT } from "../uapi/flag.ts";
import { missing } from "./ioas_place.ts";
import { unknownFlags } from "./range.ts";
import type { Rule, RuleState } from "./refusal.ts";

const { EADDRINUSE, EFAULT, EINVAL, ENOENT, ENOMEM, EOPNOTSUPP } = ERRNO;

/** The fields of HWPT_ALLOC. */
export interface HwptAllocRequest {
  /** NEST_PARENT 1, DIRTY_TRACKING 2. */
  readonly flags: number;
  /** Must be 0. */
  readonly reserved?: number | undefined;
  /** Kind of the data for the driver of the IOMMU; 0 for none. */
  readonly dataType?: number | undefined;
  /** Bytes of it. */
  readonly dataLength?: number | undefined;
}

/** What HWPT_ALLOC looks at. */
export interface HwptAllocState extends RuleState {
  /** Whether the device is bound to the iommufd. */
  readonly device: boolean;
  /** What `pt_id` leads to. */
  readonly target: "ioas" | "hwpt" | "other" | "none";
  /** Whether the device's IOMMU tracks dirty pages. */
  readonly tracksDirty: boolean;
  /** Whether the device's IOMMU nests page tables; undefined where the caller leaves that to the kernel. */
  readonly nests?: boolean | undefined;
}

const ALLOC = "iommufd_hwpt_alloc";
const PAGING = "iommufd_hwpt_paging_alloc";
const KNOWN = IOMMU_HWPT_ALLOC_NEST_PARENT | IOMMU_HWPT_ALLOC_DIRTY_TRACKING;

/** The rules of HWPT_ALLOC. */
export const HWPT_ALLOC_RULES: readonly Rule<HwptAllocRequest, HwptAllocState>[] = [
  {
    name: "hwpt.alloc-reserved",
    source: ALLOC,
    errno: EOPNOTSUPP,
    about: "the reserved field is 0",
    test: ({ reserved = 0 }) =>
      reserved === 0 ? undefined : `the reserved field must be 0; got ${reserved}`,
  },
  {
    name: "hwpt.alloc-data",
    source: ALLOC,
    errno: EINVAL,
    about: "data for the IOMMU's driver has a kind and a length, or neither",
    test: ({ dataType = 0, dataLength = 0 }) =>
      (dataType === 0) === (dataLength === 0)
        ? undefined
        : `data has a kind and a length, or neither; got kind ${dataType}, ${dataLength} bytes`,
  },
  {
    name: "hwpt.alloc-device",
    source: "iommufd_get_device",
    errno: ENOENT,
    about: "the device is bound to the iommufd",
    test: (_, { device }) => missing("device in this iommufd", device),
  },
  {
    name: "hwpt.alloc-target",
    source: ALLOC,
    errno: EINVAL,
    about: "pt_id is an address space, or a page table to nest in",
    test: (_, { target }) =>
      target === "ioas" || target === "hwpt"
        ? undefined
        : "a page table is made of an address space; there is no such one",
  },
  {
    name: "hwpt.alloc-nested",
    source: "iommufd_hwpt_nested_alloc",
    errno: EOPNOTSUPP,
    about: "a nested page table comes with data of its IOMMU",
    test: ({ dataLength = 0, flags }, { target }) =>
      target === "hwpt" && (dataLength === 0 || flags !== 0)
        ? "a nested page table comes with data of its IOMMU, and without these flags"
        : undefined,
  },
  {
    name: "hwpt.alloc-flags",
    source: PAGING,
    errno: EOPNOTSUPP,
    about: "flags are NEST_PARENT and DIRTY_TRACKING",
    test: ({ flags }) => unknownFlags(flags, KNOWN),
  },
  {
    name: "hwpt.alloc-dirty",
    source: PAGING,
    errno: EOPNOTSUPP,
    about: "with DIRTY_TRACKING: the device's IOMMU tracks dirty pages",
    test: ({ flags }, { tracksDirty }) =>
      (flags & IOMMU_HWPT_ALLOC_DIRTY_TRACKING) !== 0 && !tracksDirty
        ? "the device's IOMMU does not track dirty pages"
        : undefined,
  },
  {
    name: "hwpt.alloc-nests",
    source: "domain_alloc_user",
    errno: EOPNOTSUPP,
    about: "with NEST_PARENT: the device's IOMMU nests page tables",
    test: ({ flags }, { nests = true }) =>
      (flags & IOMMU_HWPT_ALLOC_NEST_PARENT) !== 0 && !nests
        ? "the device's IOMMU does not nest page tables"
        : undefined,
  },
  {
    name: "hwpt.alloc-fit",
    source: "iopt_table_add_domain",
    errno: EADDRINUSE,
    about: "all that is mapped or allowed lies where the device's IOMMU can translate",
  },
  {
    name: "hwpt.alloc-pin",
    source: "iopt_fill_domain",
    errno: EFAULT,
    about: "the memory of all mappings is there and can be pinned",
  },
  {
    name: "hwpt.alloc-memlock",
    source: "do_update_pinned",
    errno: ENOMEM,
    about: "RLIMIT_MEMLOCK holds all mappings in the account that is charged",
  },
];
