/**
 * Flags and constants of linux/vfio.h for devices, their regions and interrupts.
 *
 * @see include/uapi/linux/vfio.h
 * @module
 */

// struct vfio_device_info.flags

/** The device can be reset. */
export const VFIO_DEVICE_FLAGS_RESET = 0x1;
/** A PCI device, or a mediated device that looks like one. */
export const VFIO_DEVICE_FLAGS_PCI = 0x2;
/** A platform device. */
export const VFIO_DEVICE_FLAGS_PLATFORM = 0x4;
/** An AMBA device. */
export const VFIO_DEVICE_FLAGS_AMBA = 0x8;
/** An s390 channel device. */
export const VFIO_DEVICE_FLAGS_CCW = 0x10;
/** An s390 crypto adapter. */
export const VFIO_DEVICE_FLAGS_AP = 0x20;
/** A device of Freescale's management complex. */
export const VFIO_DEVICE_FLAGS_FSL_MC = 0x40;
/** There are capabilities; they are in the buffer only if `cap_offset` is not 0. */
export const VFIO_DEVICE_FLAGS_CAPS = 0x80;
/** A device on AMD's CDX bus. */
export const VFIO_DEVICE_FLAGS_CDX = 0x100;

// Capability ids of DEVICE_GET_INFO

/** Capability: base information of an s390 PCI function. */
export const VFIO_DEVICE_INFO_CAP_ZPCI_BASE = 1;
/** Capability: group information of an s390 PCI function. */
export const VFIO_DEVICE_INFO_CAP_ZPCI_GROUP = 2;
/** Capability: utility string of an s390 PCI function. */
export const VFIO_DEVICE_INFO_CAP_ZPCI_UTIL = 3;
/** Capability: internal path of an s390 PCI function. */
export const VFIO_DEVICE_INFO_CAP_ZPCI_PFIP = 4;
/** Capability: the PCIe atomic operations the host completes. */
export const VFIO_DEVICE_INFO_CAP_PCI_ATOMIC_COMP = 5;

// struct vfio_device_info_cap_pci_atomic_comp.flags

/** 32-bit atomics are completed. */
export const VFIO_PCI_ATOMIC_COMP32 = 0x1;
/** 64-bit atomics are completed. */
export const VFIO_PCI_ATOMIC_COMP64 = 0x2;
/** 128-bit compare-and-swap is completed. */
export const VFIO_PCI_ATOMIC_COMP128 = 0x4;

// struct vfio_region_info.flags

/** The region can be read. */
export const VFIO_REGION_INFO_FLAG_READ = 0x1;
/** The region can be written. */
export const VFIO_REGION_INFO_FLAG_WRITE = 0x2;
/** The region can be mapped, all of it or what a sparse mmap capability lists. */
export const VFIO_REGION_INFO_FLAG_MMAP = 0x4;
/** There are capabilities; they are in the buffer only if `cap_offset` is not 0. */
export const VFIO_REGION_INFO_FLAG_CAPS = 0x8;

// Capability ids of DEVICE_GET_REGION_INFO

/** Capability: the parts of the region that can be mapped. */
export const VFIO_REGION_INFO_CAP_SPARSE_MMAP = 1;
/** Capability: what a device-specific region is. */
export const VFIO_REGION_INFO_CAP_TYPE = 2;
/** Capability: the MSI-X table may be mapped with its BAR. */
export const VFIO_REGION_INFO_CAP_MSIX_MAPPABLE = 3;
/** Capability: an NVLink address; no kernel gives it any more. */
export const VFIO_REGION_INFO_CAP_NVLINK2_SSATGT = 4;
/** Capability: an NVLink speed; no kernel gives it any more. */
export const VFIO_REGION_INFO_CAP_NVLINK2_LNKSPD = 5;

// struct vfio_region_info_cap_type

/** Set in `type` when its low bits are a PCI vendor id. */
export const VFIO_REGION_TYPE_PCI_VENDOR_TYPE = 0x80000000;
/** The bits of `type` that hold the PCI vendor id. */
export const VFIO_REGION_TYPE_PCI_VENDOR_MASK = 0xffff;
/** `type` of a graphics region. */
export const VFIO_REGION_TYPE_GFX = 1;
/** `type` of an s390 channel region. */
export const VFIO_REGION_TYPE_CCW = 2;
/** `type` of the migration region of kernels before v5.18. */
export const VFIO_REGION_TYPE_MIGRATION_DEPRECATED = 3;
/** `subtype` of an Intel graphics OpRegion. */
export const VFIO_REGION_SUBTYPE_INTEL_IGD_OPREGION = 1;
/** `subtype` of the host bridge's config space for Intel graphics. */
export const VFIO_REGION_SUBTYPE_INTEL_IGD_HOST_CFG = 2;
/** `subtype` of the LPC bridge's config space for Intel graphics. */
export const VFIO_REGION_SUBTYPE_INTEL_IGD_LPC_CFG = 3;
/** `subtype` of a display's EDID. */
export const VFIO_REGION_SUBTYPE_GFX_EDID = 1;
/** `subtype` of the migration region of kernels before v5.18. */
export const VFIO_REGION_SUBTYPE_MIGRATION_DEPRECATED = 1;

// struct vfio_irq_info.flags

/** Interrupts can be signalled by eventfd. */
export const VFIO_IRQ_INFO_EVENTFD = 0x1;
/** Interrupts can be masked and unmasked. */
export const VFIO_IRQ_INFO_MASKABLE = 0x2;
/** The kernel masks an interrupt when it signals it; the user unmasks it. */
export const VFIO_IRQ_INFO_AUTOMASKED = 0x4;
/** Interrupts of the index are set up together; adding one needs the whole index disabled first. */
export const VFIO_IRQ_INFO_NORESIZE = 0x8;

// struct vfio_irq_set.flags: one DATA and one ACTION

/** No data: the action applies to the whole range. */
export const VFIO_IRQ_SET_DATA_NONE = 0x1;
/** The data is one byte for each interrupt: 0 leaves it alone. */
export const VFIO_IRQ_SET_DATA_BOOL = 0x2;
/** The data is one eventfd (`__s32`) for each interrupt: -1 takes it away. */
export const VFIO_IRQ_SET_DATA_EVENTFD = 0x4;
/** Masks, or lets the eventfd mask. */
export const VFIO_IRQ_SET_ACTION_MASK = 0x8;
/** Unmasks, or lets the eventfd unmask. */
export const VFIO_IRQ_SET_ACTION_UNMASK = 0x10;
/** Triggers, or signals the eventfd when the device interrupts. */
export const VFIO_IRQ_SET_ACTION_TRIGGER = 0x20;
/** All DATA bits. */
export const VFIO_IRQ_SET_DATA_TYPE_MASK = 0x7;
/** All ACTION bits. */
export const VFIO_IRQ_SET_ACTION_TYPE_MASK = 0x38;

// Region indices of a PCI device

/** Region index of BAR 0. */
export const VFIO_PCI_BAR0_REGION_INDEX = 0;
/** Region index of BAR 1. */
export const VFIO_PCI_BAR1_REGION_INDEX = 1;
/** Region index of BAR 2. */
export const VFIO_PCI_BAR2_REGION_INDEX = 2;
/** Region index of BAR 3. */
export const VFIO_PCI_BAR3_REGION_INDEX = 3;
/** Region index of BAR 4. */
export const VFIO_PCI_BAR4_REGION_INDEX = 4;
/** Region index of BAR 5. */
export const VFIO_PCI_BAR5_REGION_INDEX = 5;
/** Region index of the expansion ROM. */
export const VFIO_PCI_ROM_REGION_INDEX = 6;
/** Region index of config space. */
export const VFIO_PCI_CONFIG_REGION_INDEX = 7;
/** Region index of the legacy VGA ranges. */
export const VFIO_PCI_VGA_REGION_INDEX = 8;
/** The first region index that is device-specific. */
export const VFIO_PCI_NUM_REGIONS = 9;

// Interrupt indices of a PCI device

/** Interrupt index of the legacy pin. */
export const VFIO_PCI_INTX_IRQ_INDEX = 0;
/** Interrupt index of MSI. */
export const VFIO_PCI_MSI_IRQ_INDEX = 1;
/** Interrupt index of MSI-X. */
export const VFIO_PCI_MSIX_IRQ_INDEX = 2;
/** Interrupt index for PCIe errors. */
export const VFIO_PCI_ERR_IRQ_INDEX = 3;
/** Interrupt index by which the kernel asks for the device back. */
export const VFIO_PCI_REQ_IRQ_INDEX = 4;
/** The number of interrupt indices. */
export const VFIO_PCI_NUM_IRQS = 5;

// struct vfio_pci_hot_reset_info

/** `devid` of a device that has no id, because nobody opened it, and that is the caller's to reset. */
export const VFIO_PCI_DEVID_OWNED = 0;
/** `devid` of a device that the caller does not own: it prevents the reset. */
export const VFIO_PCI_DEVID_NOT_OWNED = 0xffffffff;
/** The list holds device ids, because the device was opened by its own node. */
export const VFIO_PCI_HOT_RESET_FLAG_DEV_ID = 0x1;
/** The caller owns all listed devices. */
export const VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED = 0x2;

// struct vfio_device_gfx_plane_info.flags

/** Only asks whether the other flag is supported. */
export const VFIO_GFX_PLANE_TYPE_PROBE = 0x1;
/** The plane is a dma-buf. */
export const VFIO_GFX_PLANE_TYPE_DMABUF = 0x2;
/** The plane is a region. */
export const VFIO_GFX_PLANE_TYPE_REGION = 0x4;

// struct vfio_device_ioeventfd.flags

/** Writes one byte. */
export const VFIO_DEVICE_IOEVENTFD_8 = 0x1;
/** Writes two bytes. */
export const VFIO_DEVICE_IOEVENTFD_16 = 0x2;
/** Writes four bytes. */
export const VFIO_DEVICE_IOEVENTFD_32 = 0x4;
/** Writes eight bytes. */
export const VFIO_DEVICE_IOEVENTFD_64 = 0x8;
/** All size bits. */
export const VFIO_DEVICE_IOEVENTFD_SIZE_MASK = 0xf;
