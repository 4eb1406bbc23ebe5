/**
 * Request numbers of linux/iommufd.h: `_IO(';', 0x80 + n)`, on a descriptor of /dev/iommu.
 *
 * @see include/uapi/linux/iommufd.h
 * @module
 */

/** Destroys an object; takes an `iommu_destroy`. */
export const IOMMU_DESTROY = 0x3b80;
/** Allocates an address space (IOAS); takes an `iommu_ioas_alloc`. */
export const IOMMU_IOAS_ALLOC = 0x3b81;
/** Restricts an address space to some ranges; takes an `iommu_ioas_allow_iovas`. */
export const IOMMU_IOAS_ALLOW_IOVAS = 0x3b82;
/** Maps what another address space maps, without pinning again; takes an `iommu_ioas_copy`. */
export const IOMMU_IOAS_COPY = 0x3b83;
/** Lists the usable ranges of an address space; takes an `iommu_ioas_iova_ranges`. */
export const IOMMU_IOAS_IOVA_RANGES = 0x3b84;
/** Maps process memory into an address space; takes an `iommu_ioas_map`. */
export const IOMMU_IOAS_MAP = 0x3b85;
/** Unmaps a range, and writes the bytes removed into `length`; takes an `iommu_ioas_unmap`. */
export const IOMMU_IOAS_UNMAP = 0x3b86;
/** Reads or sets an option; takes an `iommu_option`. */
export const IOMMU_OPTION = 0x3b87;
/** Reads or sets the address space that VFIO container requests use; takes an `iommu_vfio_ioas`. */
export const IOMMU_VFIO_IOAS = 0x3b88;
/** Allocates a hardware page table (HWPT); takes an `iommu_hwpt_alloc`. */
export const IOMMU_HWPT_ALLOC = 0x3b89;
/** Reads what a device's IOMMU can do; takes an `iommu_hw_info`. Since Linux v6.6. */
export const IOMMU_GET_HW_INFO = 0x3b8a;
/** Turns dirty tracking on or off; takes an `iommu_hwpt_set_dirty_tracking`. Since Linux v6.7. */
export const IOMMU_HWPT_SET_DIRTY_TRACKING = 0x3b8b;
/** Reads and clears dirty bits; takes an `iommu_hwpt_get_dirty_bitmap`. Since Linux v6.7. */
export const IOMMU_HWPT_GET_DIRTY_BITMAP = 0x3b8c;
/** Invalidates caches of a nested page table; takes an `iommu_hwpt_invalidate`. Since Linux v6.8. */
export const IOMMU_HWPT_INVALIDATE = 0x3b8d;
/** Allocates a queue of page faults; takes an `iommu_fault_alloc`. Since Linux v6.11. */
export const IOMMU_FAULT_QUEUE_ALLOC = 0x3b8e;
/** Maps memory of a file; takes an `iommu_ioas_map_file`. Since Linux v6.13. */
export const IOMMU_IOAS_MAP_FILE = 0x3b8f;
/** Allocates a virtual IOMMU; takes an `iommu_viommu_alloc`. Since Linux v6.13. */
export const IOMMU_VIOMMU_ALLOC = 0x3b90;
/** Allocates a virtual device; takes an `iommu_vdevice_alloc`. Since Linux v6.13. */
export const IOMMU_VDEVICE_ALLOC = 0x3b91;
/** Moves the accounting of an iommufd to the calling process; takes an `iommu_ioas_change_process`. */
export const IOMMU_IOAS_CHANGE_PROCESS = 0x3b92;
/** Allocates a queue of events of a virtual IOMMU; takes an `iommu_veventq_alloc`. */
export const IOMMU_VEVENTQ_ALLOC = 0x3b93;
/** Allocates a hardware queue of a virtual IOMMU; takes an `iommu_hw_queue_alloc`. */
export const IOMMU_HW_QUEUE_ALLOC = 0x3b94;
/** Reads the physical address behind a mapping without an IOMMU; takes an `iommu_ioas_noiommu_get_pa`. */
export const IOMMU_IOAS_NOIOMMU_GET_PA = 0x3b95;
