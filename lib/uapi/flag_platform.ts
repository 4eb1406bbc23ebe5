/**
 * Constants of linux/vfio.h that only powerpc, s390, displays or kernels before v5.18 meet.
 *
 * @see include/uapi/linux/vfio.h
 * @module
 */

// struct vfio_eeh_pe_op.op (powerpc)

/** Turns error handling off. */
export const VFIO_EEH_PE_DISABLE = 0;
/** Turns error handling on. */
export const VFIO_EEH_PE_ENABLE = 1;
/** Lets a frozen endpoint do register access again. */
export const VFIO_EEH_PE_UNFREEZE_IO = 2;
/** Lets a frozen endpoint do DMA again. */
export const VFIO_EEH_PE_UNFREEZE_DMA = 3;
/** Reads the endpoint's state. */
export const VFIO_EEH_PE_GET_STATE = 4;
/** Ends a reset. */
export const VFIO_EEH_PE_RESET_DEACTIVATE = 5;
/** Begins a hot reset. */
export const VFIO_EEH_PE_RESET_HOT = 6;
/** Begins a fundamental reset. */
export const VFIO_EEH_PE_RESET_FUNDAMENTAL = 7;
/** Configures the endpoint. */
export const VFIO_EEH_PE_CONFIGURE = 8;
/** Injects an error. */
export const VFIO_EEH_PE_INJECT_ERR = 9;
/** State: works. */
export const VFIO_EEH_PE_STATE_NORMAL = 0;
/** State: in reset. */
export const VFIO_EEH_PE_STATE_RESET = 1;
/** State: register access and DMA are frozen. */
export const VFIO_EEH_PE_STATE_STOPPED = 2;
/** State: DMA is frozen. */
export const VFIO_EEH_PE_STATE_STOPPED_DMA = 4;
/** State: gone. */
export const VFIO_EEH_PE_STATE_UNAVAIL = 5;

// NVLink regions, which no kernel gives any more

/** `subtype` of GPU memory behind NVLink. */
export const VFIO_REGION_SUBTYPE_NVIDIA_NVLINK2_RAM = 1;
/** `subtype` of an NVLink bridge's register. */
export const VFIO_REGION_SUBTYPE_IBM_NVLINK2_ATSD = 1;

// s390 channel devices

/** `subtype` of the region for asynchronous commands. */
export const VFIO_REGION_SUBTYPE_CCW_ASYNC_CMD = 1;
/** `subtype` of the subchannel information block. */
export const VFIO_REGION_SUBTYPE_CCW_SCHIB = 2;
/** `subtype` of the channel report word. */
export const VFIO_REGION_SUBTYPE_CCW_CRW = 3;
/** Region index of the I/O region. */
export const VFIO_CCW_CONFIG_REGION_INDEX = 0;
/** The number of region indices. */
export const VFIO_CCW_NUM_REGIONS = 1;
/** Interrupt index of I/O completion. */
export const VFIO_CCW_IO_IRQ_INDEX = 0;
/** Interrupt index of channel reports. */
export const VFIO_CCW_CRW_IRQ_INDEX = 1;
/** Interrupt index by which the kernel asks for the device back. */
export const VFIO_CCW_REQ_IRQ_INDEX = 2;
/** The number of interrupt indices. */
export const VFIO_CCW_NUM_IRQS = 3;

// s390 crypto adapters

/** Interrupt index by which the kernel asks for the device back. */
export const VFIO_AP_REQ_IRQ_INDEX = 0;
/** Interrupt index of configuration changes. */
export const VFIO_AP_CFG_CHG_IRQ_INDEX = 1;
/** The number of interrupt indices; 1 in kernels that do not tell of configuration changes. */
export const VFIO_AP_NUM_IRQS = 2;

// struct vfio_region_gfx_edid.link_state

/** The display is connected. */
export const VFIO_DEVICE_GFX_LINK_STATE_UP = 1;
/** The display is disconnected. */
export const VFIO_DEVICE_GFX_LINK_STATE_DOWN = 2;

// struct vfio_device_migration_info.device_state, the migration protocol before v5.18

/** Stopped. */
export const VFIO_DEVICE_STATE_V1_STOP = 0x0;
/** Runs. */
export const VFIO_DEVICE_STATE_V1_RUNNING = 0x1;
/** Is being saved. */
export const VFIO_DEVICE_STATE_V1_SAVING = 0x2;
/** Is being restored. */
export const VFIO_DEVICE_STATE_V1_RESUMING = 0x4;
/** All bits of that protocol. */
export const VFIO_DEVICE_STATE_MASK = 0x7;
