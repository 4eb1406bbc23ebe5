/**
 * Flags and constants of linux/vfio.h for containers, groups and the type1 IOMMU; those of devices,
 * device features and iommufd come along from their own files.
 *
 * All are numbers, also those for the 64-bit flag words: `fields.flags & BigInt(VFIO_MIGRATION_P2P)`.
 *
 * @see include/uapi/linux/vfio.h
 * @module
 */
export * from "./flag_device.ts";
export * from "./flag_feature.ts";
export * from "./flag_iommufd.ts";
export * from "./flag_platform.ts";

// Interface

/** The only version of the VFIO interface there is. */
export const VFIO_API_VERSION = 0;
/** The type byte of all VFIO and iommufd requests, `';'`. */
export const VFIO_TYPE = 0x3b;
/** Where VFIO's request numbers begin within the type. */
export const VFIO_BASE = 100;

// Extensions and IOMMU types: CHECK_EXTENSION takes all of them, SET_IOMMU those that name a type

/** IOMMU type 1, first version: unmap may cut a mapping, and there is no dirty tracking. */
export const VFIO_TYPE1_IOMMU = 1;
/** IOMMU type of powerpc servers. */
export const VFIO_SPAPR_TCE_IOMMU = 2;
/** IOMMU type 1, second version: unmap takes whole mappings only. The one to use. */
export const VFIO_TYPE1v2_IOMMU = 3;
/** Extension: the IOMMU enforces cache coherence of DMA. Answers 0 before SET_IOMMU. */
export const VFIO_DMA_CC_IOMMU = 4;
/** Extension: error handling for powerpc. */
export const VFIO_EEH = 5;
/** The number that type 1 with nesting had; never implemented, reserved since. */
export const __VFIO_RESERVED_TYPE1_NESTING_IOMMU = 6;
/** IOMMU type of powerpc servers, second version: memory is registered before it is mapped. */
export const VFIO_SPAPR_TCE_v2_IOMMU = 7;
/** IOMMU type of a container without an IOMMU: unsafe, needs CAP_SYS_RAWIO. */
export const VFIO_NOIOMMU_IOMMU = 8;
/** Extension: UNMAP_DMA knows {@link VFIO_DMA_UNMAP_FLAG_ALL}. */
export const VFIO_UNMAP_ALL = 9;
/** Extension: mappings can be moved to another virtual address. Answers 0 before SET_IOMMU. */
export const VFIO_UPDATE_VADDR = 10;

// struct vfio_group_status.flags

/** Every device of the group is bound to a VFIO driver or to none that does DMA. */
export const VFIO_GROUP_FLAGS_VIABLE = 0x1;
/** The group is attached to a container. */
export const VFIO_GROUP_FLAGS_CONTAINER_SET = 0x2;

// struct vfio_iommu_type1_info.flags

/** `iova_pgsizes` is valid. */
export const VFIO_IOMMU_INFO_PGSIZES = 0x1;
/** There are capabilities; they are in the buffer only if `cap_offset` is not 0. */
export const VFIO_IOMMU_INFO_CAPS = 0x2;

// Capability ids of IOMMU_GET_INFO

/** Capability: the ranges of addresses that can be mapped. */
export const VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE = 1;
/** Capability: dirty tracking, with its page size and largest bitmap. */
export const VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION = 2;
/** Capability: how many more mappings the container takes. */
export const VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL = 3;

// struct vfio_iommu_type1_dma_map.flags

/** The device may read the memory. */
export const VFIO_DMA_MAP_FLAG_READ = 0x1;
/** The device may write the memory. */
export const VFIO_DMA_MAP_FLAG_WRITE = 0x2;
/** Gives a mapping, whose virtual address was taken away, a new one. */
export const VFIO_DMA_MAP_FLAG_VADDR = 0x4;

// struct vfio_iommu_type1_dma_unmap.flags

/** Reads the dirty bitmap of the range before it is unmapped. */
export const VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP = 0x1;
/** Unmaps everything; `iova` and `size` must be 0. */
export const VFIO_DMA_UNMAP_FLAG_ALL = 0x2;
/** Takes the virtual address away from the mappings and keeps them for the device. */
export const VFIO_DMA_UNMAP_FLAG_VADDR = 0x4;

// struct vfio_iommu_type1_dirty_bitmap.flags: exactly one of them

/** Starts tracking; once started, starting again changes nothing. */
export const VFIO_IOMMU_DIRTY_PAGES_FLAG_START = 0x1;
/** Stops tracking, however often it was started; unread bits are lost. */
export const VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP = 0x2;
/** Reads the dirty bits of a range and clears them. */
export const VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP = 0x4;

// struct vfio_iommu_spapr_tce_info.flags

/** Dynamic DMA windows are there, and `ddw` is valid. */
export const VFIO_IOMMU_SPAPR_INFO_DDW = 0x1;
