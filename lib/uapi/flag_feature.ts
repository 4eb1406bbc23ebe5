/**
 * Flags and constants of linux/vfio.h for device features, migration and devices opened by their own
 * node.
 *
 * @see include/uapi/linux/vfio.h
 * @module
 */

// struct vfio_device_feature.flags

/** The bits that hold the feature's index. */
export const VFIO_DEVICE_FEATURE_MASK = 0xffff;
/** Reads the feature into the data. */
export const VFIO_DEVICE_FEATURE_GET = 0x10000;
/** Sets the feature from the data. */
export const VFIO_DEVICE_FEATURE_SET = 0x20000;
/** Only asks whether the feature, and GET or SET with it, is supported. */
export const VFIO_DEVICE_FEATURE_PROBE = 0x40000;

// Feature indices

/** Feature: the secret that a physical function shares with its virtual functions; 16 bytes; SET. */
export const VFIO_DEVICE_FEATURE_PCI_VF_TOKEN = 0;
/** Feature: which migration states the device has; `vfio_device_feature_migration`; GET. */
export const VFIO_DEVICE_FEATURE_MIGRATION = 1;
/** Feature: the migration state; `vfio_device_feature_mig_state`; GET and SET. */
export const VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE = 2;
/** Feature: allows low power; no data; SET. */
export const VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY = 3;
/** Feature: allows low power until woken; `vfio_device_low_power_entry_with_wakeup`; SET. */
export const VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP = 4;
/** Feature: ends low power; no data; SET. */
export const VFIO_DEVICE_FEATURE_LOW_POWER_EXIT = 5;
/** Feature: starts the device's own log of writes; `vfio_device_feature_dma_logging_control`; SET. */
export const VFIO_DEVICE_FEATURE_DMA_LOGGING_START = 6;
/** Feature: ends that log; no data; SET. */
export const VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP = 7;
/** Feature: reads and clears that log; `vfio_device_feature_dma_logging_report`; GET. */
export const VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT = 8;
/** Feature: estimates the migration data; `vfio_device_feature_mig_data_size`; GET. */
export const VFIO_DEVICE_FEATURE_MIG_DATA_SIZE = 9;
/** Feature: turns the device's bus mastering on or off; `vfio_device_feature_bus_master`; SET. */
export const VFIO_DEVICE_FEATURE_BUS_MASTER = 10;
/** Feature: exports ranges of a region as a dma-buf; `vfio_device_feature_dma_buf`; GET. */
export const VFIO_DEVICE_FEATURE_DMA_BUF = 11;
/** Feature: makes the flags of `vfio_precopy_info` valid; no data; SET. */
export const VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2 = 12;
/** Feature: reads the error state of an s390 PCI function; `vfio_device_feature_zpci_err`; GET. */
export const VFIO_DEVICE_FEATURE_ZPCI_ERROR = 13;

// struct vfio_device_feature_migration.flags (64 bits)

/** The device can be stopped, saved and restored: STOP, STOP_COPY and RESUMING. */
export const VFIO_MIGRATION_STOP_COPY = 0x1;
/** The device can be kept from peer-to-peer DMA: RUNNING_P2P. */
export const VFIO_MIGRATION_P2P = 0x2;
/** The device can be saved while it runs: PRE_COPY. */
export const VFIO_MIGRATION_PRE_COPY = 0x4;

// enum vfio_device_mig_state

/** Migration state: failed, only a reset leads out. */
export const VFIO_DEVICE_STATE_ERROR = 0;
/** Migration state: stopped. */
export const VFIO_DEVICE_STATE_STOP = 1;
/** Migration state: running. */
export const VFIO_DEVICE_STATE_RUNNING = 2;
/** Migration state: stopped, and its state can be read. */
export const VFIO_DEVICE_STATE_STOP_COPY = 3;
/** Migration state: stopped, and a new state is being written. */
export const VFIO_DEVICE_STATE_RESUMING = 4;
/** Migration state: running without peer-to-peer DMA. */
export const VFIO_DEVICE_STATE_RUNNING_P2P = 5;
/** Migration state: running, and a first part of its state can be read. */
export const VFIO_DEVICE_STATE_PRE_COPY = 6;
/** Migration state: as PRE_COPY, without peer-to-peer DMA. */
export const VFIO_DEVICE_STATE_PRE_COPY_P2P = 7;
/** The number of migration states. */
export const VFIO_DEVICE_STATE_NR = 8;

// struct vfio_precopy_info.flags

/** New initial data is there; valid once {@link VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2} was set. */
export const VFIO_PRECOPY_INFO_REINIT = 0x1;

// struct vfio_device_feature_bus_master.op

/** Turns bus mastering off. */
export const VFIO_DEVICE_FEATURE_CLEAR_MASTER = 0;
/** Turns bus mastering on. */
export const VFIO_DEVICE_FEATURE_SET_MASTER = 1;

// Devices opened by their own node

/** Flag of BIND: `token_uuid_ptr` points at the token of the physical function. */
export const VFIO_DEVICE_BIND_FLAG_TOKEN = 0x1;
/** Flag of ATTACH: `pasid` is valid. */
export const VFIO_DEVICE_ATTACH_PASID = 0x1;
/** Flag of DETACH: `pasid` is valid. */
export const VFIO_DEVICE_DETACH_PASID = 0x1;
