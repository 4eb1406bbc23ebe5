/**
 * Flags and constants of linux/iommufd.h.
 *
 * @see include/uapi/linux/iommufd.h
 * @module
 */

/** The type byte of iommufd's requests, the same as VFIO's. */
export const IOMMUFD_TYPE = 0x3b;
/** Where iommufd's request numbers begin within the type. */
export const IOMMUFD_CMD_BASE = 0x80;

// enum iommufd_ioas_map_flags

/** The caller chooses the address; otherwise the kernel does and writes it back. */
export const IOMMU_IOAS_MAP_FIXED_IOVA = 0x1;
/** The device may write the memory. */
export const IOMMU_IOAS_MAP_WRITEABLE = 0x2;
/** The device may read the memory. */
export const IOMMU_IOAS_MAP_READABLE = 0x4;

// enum iommufd_option, enum iommufd_option_ops

/** Option: whom pinned memory is charged to; 0 the user, 1 the process. */
export const IOMMU_OPTION_RLIMIT_MODE = 0;
/** Option: whether an address space uses huge pages in the IOMMU. */
export const IOMMU_OPTION_HUGE_PAGES = 1;
/** Sets the option. */
export const IOMMU_OPTION_OP_SET = 0;
/** Reads the option. */
export const IOMMU_OPTION_OP_GET = 1;

// enum iommufd_vfio_ioas_op

/** Reads the address space that VFIO container requests use. */
export const IOMMU_VFIO_IOAS_GET = 0;
/** Sets it. */
export const IOMMU_VFIO_IOAS_SET = 1;
/** Unsets it. */
export const IOMMU_VFIO_IOAS_CLEAR = 2;

// enum iommufd_hwpt_alloc_flags

/** The page table can be the parent of a nested one. */
export const IOMMU_HWPT_ALLOC_NEST_PARENT = 0x1;
/** The page table supports dirty tracking; devices whose IOMMU does not cannot attach. */
export const IOMMU_HWPT_ALLOC_DIRTY_TRACKING = 0x2;
/** `fault_id` is valid. */
export const IOMMU_HWPT_FAULT_ID_VALID = 0x4;
/** The page table can be attached to a process address space id. */
export const IOMMU_HWPT_ALLOC_PASID = 0x8;

// enum iommu_hwpt_vtd_s1_flags (64 bits)

/** VT-d: supervisor requests are allowed. */
export const IOMMU_VTD_S1_SRE = 0x1;
/** VT-d: extended access bits are set. */
export const IOMMU_VTD_S1_EAFE = 0x2;
/** VT-d: supervisor writes heed write protection. */
export const IOMMU_VTD_S1_WPE = 0x4;

// enum iommu_hwpt_data_type

/** No data. */
export const IOMMU_HWPT_DATA_NONE = 0;
/** The data is an `iommu_hwpt_vtd_s1`. */
export const IOMMU_HWPT_DATA_VTD_S1 = 1;
/** The data is an `iommu_hwpt_arm_smmuv3`. */
export const IOMMU_HWPT_DATA_ARM_SMMUV3 = 2;
/** The data is an `iommu_hwpt_amd_guest`. */
export const IOMMU_HWPT_DATA_AMD_GUEST = 3;

// enum iommu_hw_info_type, enum iommufd_hw_info_flags, enum iommufd_hw_capabilities (64 bits)

/** The IOMMU tells nothing. */
export const IOMMU_HW_INFO_TYPE_NONE = 0;
/** Asks for the IOMMU's own type; the same number as none. */
export const IOMMU_HW_INFO_TYPE_DEFAULT = 0;
/** The data is an `iommu_hw_info_vtd`. */
export const IOMMU_HW_INFO_TYPE_INTEL_VTD = 1;
/** The data is an `iommu_hw_info_arm_smmuv3`. */
export const IOMMU_HW_INFO_TYPE_ARM_SMMUV3 = 2;
/** The data is an `iommu_hw_info_tegra241_cmdqv`. */
export const IOMMU_HW_INFO_TYPE_TEGRA241_CMDQV = 3;
/** The data is an `iommu_hw_info_amd`. */
export const IOMMU_HW_INFO_TYPE_AMD = 4;
/** `in_data_type` is valid. */
export const IOMMU_HW_INFO_FLAG_INPUT_TYPE = 0x1;
/** Capability: the IOMMU tracks dirty pages. */
export const IOMMU_HW_CAP_DIRTY_TRACKING = 0x1;
/** Capability: the device's process address spaces may execute. */
export const IOMMU_HW_CAP_PCI_PASID_EXEC = 0x2;
/** Capability: the device's process address spaces may be privileged. */
export const IOMMU_HW_CAP_PCI_PASID_PRIV = 0x4;
/** Capability bit that tells a lack: no address translation service. */
export const IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED = 0x8;
/** Erratum 772415: read-only pages must not be mapped in a nesting parent. */
export const IOMMU_HW_INFO_VTD_ERRATA_772415_SPR17 = 0x1;
/** Erratum: TLBI and CFGI commands, each with its SYNC, must be given twice. */
export const IOMMU_HW_INFO_ARM_SMMUV3_ERRATA_REPEAT_TLBI_CFGI = 0x1;

// Dirty tracking of a page table

/** Turns tracking on; without it, off. */
export const IOMMU_HWPT_DIRTY_TRACKING_ENABLE = 0x1;
/** Reads without clearing. */
export const IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR = 0x1;

// Invalidation

/** The entries are `iommu_hwpt_vtd_s1_invalidate`. */
export const IOMMU_HWPT_INVALIDATE_DATA_VTD_S1 = 0;
/** The entries are `iommu_viommu_arm_smmuv3_invalidate`. */
export const IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3 = 1;
/** VT-d: only leaf entries changed. */
export const IOMMU_VTD_INV_FLAGS_LEAF = 0x1;

// Page faults

/** `pasid` is valid. */
export const IOMMU_PGFAULT_FLAGS_PASID_VALID = 0x1;
/** The last fault of its group. */
export const IOMMU_PGFAULT_FLAGS_LAST_PAGE = 0x2;
/** A read faulted. */
export const IOMMU_PGFAULT_PERM_READ = 0x1;
/** A write faulted. */
export const IOMMU_PGFAULT_PERM_WRITE = 0x2;
/** An instruction fetch faulted. */
export const IOMMU_PGFAULT_PERM_EXEC = 0x4;
/** A privileged access faulted. */
export const IOMMU_PGFAULT_PERM_PRIV = 0x8;
/** Response: the page is there, try again. */
export const IOMMUFD_PAGE_RESP_SUCCESS = 0;
/** Response: the page cannot be had. */
export const IOMMUFD_PAGE_RESP_INVALID = 1;

// Virtual IOMMUs, their event queues and hardware queues

/** Kind of virtual IOMMU: reserved. */
export const IOMMU_VIOMMU_TYPE_DEFAULT = 0;
/** Kind of virtual IOMMU: Arm SMMUv3. */
export const IOMMU_VIOMMU_TYPE_ARM_SMMUV3 = 1;
/** Kind of virtual IOMMU: NVIDIA Tegra241's SMMUv3 with command queue virtualisation. */
export const IOMMU_VIOMMU_TYPE_TEGRA241_CMDQV = 2;
/** Flag of an event header: events before this one were lost. */
export const IOMMU_VEVENTQ_FLAG_LOST_EVENTS = 0x1;
/** Kind of event queue: reserved. */
export const IOMMU_VEVENTQ_TYPE_DEFAULT = 0;
/** Kind of event queue: Arm SMMUv3. */
export const IOMMU_VEVENTQ_TYPE_ARM_SMMUV3 = 1;
/** Kind of event queue: NVIDIA Tegra241. */
export const IOMMU_VEVENTQ_TYPE_TEGRA241_CMDQV = 2;
/** Kind of hardware queue: reserved. */
export const IOMMU_HW_QUEUE_TYPE_DEFAULT = 0;
/** Kind of hardware queue: NVIDIA Tegra241's virtual command queue. */
export const IOMMU_HW_QUEUE_TYPE_TEGRA241_CMDQV = 1;
