/**
 * What every request of an iommufd refuses, and those of options and destruction, in the order of the
 * kernel.
 *
 * @see drivers/iommu/iommufd/main.c
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import { hex } from "../base/format.ts";
import {
  IOMMU_OPTION_HUGE_PAGES,
  IOMMU_OPTION_OP_GET,
  IOMMU_OPTION_OP_SET,
  IOMMU_OPTION_RLIMIT_MODE,
} from "../uapi/flag.ts";
import {
  IOMMU_DESTROY,
  IOMMU_GET_HW_INFO,
  IOMMU_HWPT_ALLOC,
  IOMMU_HWPT_GET_DIRTY_BITMAP,
  IOMMU_HWPT_SET_DIRTY_TRACKING,
  IOMMU_IOAS_ALLOC,
  IOMMU_IOAS_ALLOW_IOVAS,
  IOMMU_IOAS_COPY,
  IOMMU_IOAS_IOVA_RANGES,
  IOMMU_IOAS_MAP,
  IOMMU_IOAS_UNMAP,
  IOMMU_OPTION,
} from "../uapi/request.ts";
import { missing } from "./ioas_place.ts";
import type { Rule, RuleState } from "./refusal.ts";

const { E2BIG, EADDRINUSE, EBUSY, EFAULT, EINVAL, ENOENT, ENOTTY, EOPNOTSUPP, EPERM } = ERRNO;
const IOCTL = "iommufd_fops_ioctl";

/** How long the struct of a request is, and how long it must be at least, in Linux 6.12. */
export interface IommufdStruct {
  readonly size: number;
  readonly min: number;
}

const whole = (size: number): IommufdStruct => ({ size, min: size });

/** The requests that Linux 6.12 knows and Pinscope models, by their numbers. */
export const IOMMUFD_STRUCTS: ReadonlyMap<number, IommufdStruct> = new Map([
  [IOMMU_DESTROY, whole(8)],
  [IOMMU_IOAS_ALLOC, whole(12)],
  [IOMMU_IOAS_ALLOW_IOVAS, whole(24)],
  [IOMMU_IOAS_COPY, whole(40)],
  [IOMMU_IOAS_IOVA_RANGES, whole(32)],
  [IOMMU_IOAS_MAP, whole(40)],
  [IOMMU_IOAS_UNMAP, whole(24)],
  [IOMMU_OPTION, whole(24)],
  [IOMMU_HWPT_ALLOC, { size: 48, min: 24 }],
  [IOMMU_GET_HW_INFO, { size: 40, min: 32 }],
  [IOMMU_HWPT_SET_DIRTY_TRACKING, whole(16)],
  [IOMMU_HWPT_GET_DIRTY_BITMAP, whole(48)],
]);

/** The head of any request. */
export interface IommufdRequest {
  /** What its first field says. */
  readonly size: number;
  /** Whether bytes behind the struct that the kernel knows are other than 0. */
  readonly tail?: boolean | undefined;
}

/** The rules of every request; `struct` is undefined for a request that the kernel does not know. */
export const IOMMUFD_RULES: readonly Rule<
  IommufdRequest,
  RuleState & { readonly struct: IommufdStruct | undefined }
>[] = [
  {
    name: "iommufd.argument",
    source: IOCTL,
    errno: EFAULT,
    about: "the struct can be read",
  },
  {
    name: "iommufd.known",
    source: IOCTL,
    errno: ENOTTY,
    about: "the kernel knows the request",
    test: (_, { struct }) =>
      struct === undefined ? "the kernel does not know the request" : undefined,
  },
  {
    name: "iommufd.size",
    source: IOCTL,
    errno: EINVAL,
    about: "size covers the fields that the request had from the beginning",
    test: ({ size }, { struct }) =>
      struct !== undefined && size < struct.min
        ? `size must be at least ${struct.min}; got ${size}`
        : undefined,
  },
  {
    name: "iommufd.tail",
    source: "copy_struct_from_user",
    errno: E2BIG,
    about: "bytes behind what the kernel knows are 0",
    test: ({ tail = false }) =>
      tail ? "the request has fields that this kernel does not know" : undefined,
  },
];

/** The rules of IOAS_ALLOC. */
export const IOAS_ALLOC_RULES: readonly Rule<{ readonly flags: number }, RuleState>[] = [{
  name: "ioas.alloc-flags",
  source: "iommufd_ioas_alloc_ioctl",
  errno: EOPNOTSUPP,
  about: "there are no flags",
  test: ({ flags }) => flags === 0 ? undefined : `the flags ${hex(flags)} are unknown`,
}];

/** The rules of DESTROY. */
export const DESTROY_RULES: readonly Rule<
  { readonly id: number },
  RuleState & { readonly found: boolean; readonly users: number }
>[] = [
  {
    name: "destroy.found",
    source: "iommufd_object_remove",
    errno: ENOENT,
    about: "the object is there",
    test: (_, { found }) => missing("object", found),
  },
  {
    name: "destroy.users",
    source: "iommufd_object_remove",
    errno: EBUSY,
    about: "no other object, no device and no attachment uses it",
    test: (_, { users }) =>
      users === 0 ? undefined : `${users} others use it: page tables, devices or attachments`,
  },
];

/** The fields of OPTION. */
export interface OptionRequest {
  /** RLIMIT_MODE 0, HUGE_PAGES 1. */
  readonly option: number;
  /** SET 0, GET 1. */
  readonly op: number;
  /** Must be 0. */
  readonly reserved?: number | undefined;
  /** The object: 0 for RLIMIT_MODE, an address space for HUGE_PAGES. */
  readonly object: number;
  readonly value: bigint;
}

/** What OPTION looks at. */
export interface OptionState extends RuleState {
  /** Whether the object is an address space. */
  readonly found: boolean;
  /** Whether the process has CAP_SYS_RESOURCE. */
  readonly sysResource: boolean;
  /** Objects of the iommufd. */
  readonly objects: number;
  /** Whether the address space has page tables and mappings. */
  readonly filled: boolean;
  /** Whether mappings are no multiples of a page, so that huge pages cannot be switched off. */
  readonly odd?: boolean | undefined;
}

const isMode = ({ option }: OptionRequest): boolean => option === IOMMU_OPTION_RLIMIT_MODE;
const sets = ({ op }: OptionRequest): boolean => op === IOMMU_OPTION_OP_SET;
const RLIMIT = "iommufd_option_rlimit_mode";
const HUGE = "iommufd_ioas_option_huge_pages";

/** The rules of OPTION. */
export const OPTION_RULES: readonly Rule<OptionRequest, OptionState>[] = [
  {
    name: "option.known",
    source: "iommufd_option",
    errno: EOPNOTSUPP,
    about: "the option is known, and the reserved field is 0",
    test: ({ option, reserved = 0 }) =>
      reserved !== 0
        ? `the reserved field must be 0; got ${reserved}`
        : option === IOMMU_OPTION_RLIMIT_MODE || option === IOMMU_OPTION_HUGE_PAGES
        ? undefined
        : `there is no option ${option}`,
  },
  {
    name: "option.object",
    source: RLIMIT,
    errno: EOPNOTSUPP,
    about: "the account is chosen for the iommufd as a whole: object 0",
    test: (request) =>
      isMode(request) && request.object !== 0
        ? `the account is chosen for object 0; got ${request.object}`
        : undefined,
  },
  {
    name: "option.found",
    source: "iommufd_get_ioas",
    errno: ENOENT,
    about: "the use of huge pages is chosen for an address space that is there",
    test: (request, { found }) => isMode(request) ? undefined : missing("address space", found),
  },
  {
    name: "option.op",
    source: "iommufd_option",
    errno: EOPNOTSUPP,
    about: "the option is set or read",
    test: (request) =>
      sets(request) || request.op === IOMMU_OPTION_OP_GET
        ? undefined
        : `an option is set (0) or read (1); got ${request.op}`,
  },
  {
    name: "option.capability",
    source: RLIMIT,
    errno: EPERM,
    about: "CAP_SYS_RESOURCE chooses the account",
    test: (request, { sysResource }) =>
      isMode(request) && sets(request) && !sysResource
        ? "only CAP_SYS_RESOURCE may change whom memory is charged to"
        : undefined,
  },
  {
    name: "option.objects",
    source: RLIMIT,
    errno: EBUSY,
    about: "the account is chosen before there is any object",
    test: (request, { objects }) =>
      isMode(request) && sets(request) && objects > 0
        ? "the account is chosen before the first object is made"
        : undefined,
  },
  {
    name: "option.filled",
    source: "iopt_disable_large_pages",
    errno: EINVAL,
    about: "huge pages are switched off before there are page tables and mappings",
    test: (request, { filled }) =>
      !isMode(request) && sets(request) && request.value === 0n && filled
        ? "a page table may have huge entries already: set it before the first device"
        : undefined,
  },
  {
    name: "option.odd",
    source: "iopt_check_iova_alignment",
    errno: EADDRINUSE,
    about: "without huge pages, all mappings are whole pages",
    test: (request, { odd = false }) =>
      !isMode(request) && sets(request) && request.value === 0n && odd
        ? "a mapping is no multiple of a page"
        : undefined,
  },
  {
    name: "option.value",
    source: HUGE,
    errno: EINVAL,
    about: "the value is 0 or 1",
    test: (request) =>
      sets(request) && request.value !== 0n && request.value !== 1n
        ? `the value must be 0 or 1; got ${request.value}`
        : undefined,
  },
];
