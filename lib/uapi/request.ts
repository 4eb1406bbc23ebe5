/**
 * Request numbers of linux/vfio.h, as x86-64 and arm64 have them.
 *
 * All of them are made by `_IO(';', 100 + n)`, without size or direction, so one number serves every
 * length of its struct. The number alone names no operation: 0x3b75 is
 * {@link VFIO_IOMMU_DIRTY_PAGES} on a container, {@link VFIO_DEVICE_FEATURE} on a device and
 * {@link VFIO_IOMMU_SPAPR_REGISTER_MEMORY} on a container of the sPAPR TCE kind; see
 * {@link requestName}.
 *
 * @see include/uapi/linux/vfio.h
 * @module
 */
export * from "./request_iommufd.ts";

// Container: /dev/vfio/vfio

/** Returns the version of the VFIO interface, always {@link VFIO_API_VERSION}; no argument. */
export const VFIO_GET_API_VERSION = 0x3b64;
/** Asks whether an extension, given by value, is there: 0 or a positive number. */
export const VFIO_CHECK_EXTENSION = 0x3b65;
/** Sets the IOMMU type, given by value, once a group is attached. */
export const VFIO_SET_IOMMU = 0x3b66;

// Group: /dev/vfio/<number>

/** Reads whether the group is viable and has a container; takes a `vfio_group_status`. */
export const VFIO_GROUP_GET_STATUS = 0x3b67;
/** Attaches the group to a container; takes a pointer to the container's descriptor (`__s32`). */
export const VFIO_GROUP_SET_CONTAINER = 0x3b68;
/** Detaches the group from its container; all its device descriptors must be closed before. */
export const VFIO_GROUP_UNSET_CONTAINER = 0x3b69;
/** Opens a device of the group by name (a NUL-terminated string) and returns its descriptor. */
export const VFIO_GROUP_GET_DEVICE_FD = 0x3b6a;

// Device

/** Reads the device's flags, and how many regions and interrupts it has; takes a `vfio_device_info`. */
export const VFIO_DEVICE_GET_INFO = 0x3b6b;
/** Reads size, place and flags of one region; takes a `vfio_region_info`. */
export const VFIO_DEVICE_GET_REGION_INFO = 0x3b6c;
/** Reads count and flags of one interrupt index; takes a `vfio_irq_info`. */
export const VFIO_DEVICE_GET_IRQ_INFO = 0x3b6d;
/** Sets how interrupts are signalled, masked, unmasked or triggered; takes a `vfio_irq_set`. */
export const VFIO_DEVICE_SET_IRQS = 0x3b6e;
/** Resets the device; no argument. */
export const VFIO_DEVICE_RESET = 0x3b6f;
/** Lists the devices that a bus or slot reset affects; takes a `vfio_pci_hot_reset_info`. */
export const VFIO_DEVICE_GET_PCI_HOT_RESET_INFO = 0x3b70;
/** Resets the device's bus or slot; takes a `vfio_pci_hot_reset`. */
export const VFIO_DEVICE_PCI_HOT_RESET = 0x3b71;
/** Reads a mediated display's plane; takes a `vfio_device_gfx_plane_info`. */
export const VFIO_DEVICE_QUERY_GFX_PLANE = 0x3b72;
/** Opens a display buffer, given by a pointer to its dma-buf id, and returns a descriptor. */
export const VFIO_DEVICE_GET_GFX_DMABUF = 0x3b73;
/** Ties a device write to an eventfd; takes a `vfio_device_ioeventfd`. */
export const VFIO_DEVICE_IOEVENTFD = 0x3b74;
/** Gets, sets or probes a device feature; takes a `vfio_device_feature` and the feature's struct. */
export const VFIO_DEVICE_FEATURE = 0x3b75;
/** Binds a device opened by its own node to an iommufd; takes a `vfio_device_bind_iommufd`. */
export const VFIO_DEVICE_BIND_IOMMUFD = 0x3b76;
/** Attaches the device to an address space or page table; takes a `vfio_device_attach_iommufd_pt`. */
export const VFIO_DEVICE_ATTACH_IOMMUFD_PT = 0x3b77;
/** Detaches the device from its address space; takes a `vfio_device_detach_iommufd_pt`. */
export const VFIO_DEVICE_DETACH_IOMMUFD_PT = 0x3b78;

// Migration data descriptor, as VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE returns it

/** Reads how much precopy data is left; takes a `vfio_precopy_info`. */
export const VFIO_MIG_GET_PRECOPY_INFO = 0x3b79;

// Container with a type1 IOMMU

/** Reads page sizes and a chain of capabilities; takes a `vfio_iommu_type1_info`. */
export const VFIO_IOMMU_GET_INFO = 0x3b70;
/** Maps process memory for the devices of the container; takes a `vfio_iommu_type1_dma_map`. */
export const VFIO_IOMMU_MAP_DMA = 0x3b71;
/** Unmaps a range, and writes the bytes removed into `size`; takes a `vfio_iommu_type1_dma_unmap`. */
export const VFIO_IOMMU_UNMAP_DMA = 0x3b72;
/** Turns the container on (sPAPR TCE only; no argument). */
export const VFIO_IOMMU_ENABLE = 0x3b73;
/** Turns the container off (sPAPR TCE only; no argument). */
export const VFIO_IOMMU_DISABLE = 0x3b74;
/** Starts, stops or reads dirty page tracking; takes a `vfio_iommu_type1_dirty_bitmap`. */
export const VFIO_IOMMU_DIRTY_PAGES = 0x3b75;

// Container with an sPAPR TCE IOMMU (powerpc, where bit 29 of each number is set as well)

/** Reads the DMA windows; takes a `vfio_iommu_spapr_tce_info`. */
export const VFIO_IOMMU_SPAPR_TCE_GET_INFO = 0x3b70;
/** Registers memory for later mapping; takes a `vfio_iommu_spapr_register_memory`. */
export const VFIO_IOMMU_SPAPR_REGISTER_MEMORY = 0x3b75;
/** Takes back a registration of memory; takes a `vfio_iommu_spapr_register_memory`. */
export const VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY = 0x3b76;
/** Creates a DMA window; takes a `vfio_iommu_spapr_tce_create`. */
export const VFIO_IOMMU_SPAPR_TCE_CREATE = 0x3b77;
/** Removes a DMA window; takes a `vfio_iommu_spapr_tce_remove`. */
export const VFIO_IOMMU_SPAPR_TCE_REMOVE = 0x3b78;
/** Controls error handling of a partitionable endpoint; takes a `vfio_eeh_pe_op`. */
export const VFIO_EEH_PE_OP = 0x3b79;
