/**
 * Structs for VFIO_DEVICE_FEATURE: a head, and behind it the struct of the feature.
 *
 * @see include/uapi/linux/vfio.h
 *
 * @module
 */
import { type Layout, struct } from "./layout.ts";

/** Fields of {@link vfio_device_feature}. @internal */
export const vfio_device_feature_fields = {
  argsz: "u32",
  flags: "u32",
  data: { flex: "u8" },
} as const;
/**
 * Heads every feature request: index and operation in `flags`, the feature's struct as `data`.
 *
 * `argsz` counts both.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_device_feature
 */
export const vfio_device_feature: Layout<typeof vfio_device_feature_fields> = struct(
  "vfio_device_feature",
  vfio_device_feature_fields,
);

/** Fields of {@link vfio_device_feature_migration}. @internal */
export const vfio_device_feature_migration_fields = {
  flags: "u64",
} as const;
/**
 * Holds which migration states the device has, as 64 flag bits.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_device_feature_migration
 */
export const vfio_device_feature_migration: Layout<typeof vfio_device_feature_migration_fields> =
  struct("vfio_device_feature_migration", vfio_device_feature_migration_fields);

/** Fields of {@link vfio_device_feature_mig_state}. @internal */
export const vfio_device_feature_mig_state_fields = {
  device_state: "u32",
  data_fd: "s32",
} as const;
/**
 * Holds the migration state, and the descriptor of a data transfer that a change began, or -1.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_device_feature_mig_state
 */
export const vfio_device_feature_mig_state: Layout<typeof vfio_device_feature_mig_state_fields> =
  struct("vfio_device_feature_mig_state", vfio_device_feature_mig_state_fields);

/** Fields of {@link vfio_precopy_info}. @internal */
export const vfio_precopy_info_fields = {
  argsz: "u32",
  flags: "u32",
  initial_bytes: "u64",
  dirty_bytes: "u64",
} as const;
/**
 * Holds how much precopy data is left; asked on the migration data descriptor.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_precopy_info
 */
export const vfio_precopy_info: Layout<typeof vfio_precopy_info_fields> = struct(
  "vfio_precopy_info",
  vfio_precopy_info_fields,
);

/** Fields of {@link vfio_device_low_power_entry_with_wakeup}. @internal */
export const vfio_device_low_power_entry_with_wakeup_fields = {
  wakeup_eventfd: "s32",
  reserved: "u32",
} as const;
/**
 * Names the eventfd that tells when the device woke.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_device_low_power_entry_with_wakeup
 */
export const vfio_device_low_power_entry_with_wakeup: Layout<
  typeof vfio_device_low_power_entry_with_wakeup_fields
> = struct(
  "vfio_device_low_power_entry_with_wakeup",
  vfio_device_low_power_entry_with_wakeup_fields,
);

/** Fields of {@link vfio_device_feature_dma_logging_control}. @internal */
export const vfio_device_feature_dma_logging_control_fields = {
  page_size: "u64",
  num_ranges: "u32",
  __reserved: "u32",
  ranges: "ptr",
} as const;
/**
 * Starts the device's log of its writes in `num_ranges` ranges.
 *
 * `page_size` is a wish; the driver writes back what it chose. `ranges` points at an array of
 * {@link vfio_device_feature_dma_logging_range} that only the call needs.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_device_feature_dma_logging_control
 */
export const vfio_device_feature_dma_logging_control: Layout<
  typeof vfio_device_feature_dma_logging_control_fields
> = struct(
  "vfio_device_feature_dma_logging_control",
  vfio_device_feature_dma_logging_control_fields,
);

/** Fields of {@link vfio_device_feature_dma_logging_range}. @internal */
export const vfio_device_feature_dma_logging_range_fields = {
  iova: "u64",
  length: "u64",
} as const;
/**
 * Names one range of device addresses to log.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_device_feature_dma_logging_range
 */
export const vfio_device_feature_dma_logging_range: Layout<
  typeof vfio_device_feature_dma_logging_range_fields
> = struct("vfio_device_feature_dma_logging_range", vfio_device_feature_dma_logging_range_fields);

/** Fields of {@link vfio_device_feature_dma_logging_report}. @internal */
export const vfio_device_feature_dma_logging_report_fields = {
  iova: "u64",
  length: "u64",
  page_size: "u64",
  bitmap: "ptr",
} as const;
/**
 * Reads and clears the device's log for a range.
 *
 * Bit 0 of `bitmap` is the unit at `iova`. The kernel sets bits only, so the caller clears them before.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_device_feature_dma_logging_report
 */
export const vfio_device_feature_dma_logging_report: Layout<
  typeof vfio_device_feature_dma_logging_report_fields
> = struct("vfio_device_feature_dma_logging_report", vfio_device_feature_dma_logging_report_fields);

/** Fields of {@link vfio_device_feature_mig_data_size}. @internal */
export const vfio_device_feature_mig_data_size_fields = {
  stop_copy_length: "u64",
} as const;
/**
 * Holds an estimate of the bytes that a transfer of the stopped device takes.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_device_feature_mig_data_size
 */
export const vfio_device_feature_mig_data_size: Layout<
  typeof vfio_device_feature_mig_data_size_fields
> = struct("vfio_device_feature_mig_data_size", vfio_device_feature_mig_data_size_fields);

/** Fields of {@link vfio_device_feature_bus_master}. @internal */
export const vfio_device_feature_bus_master_fields = {
  op: "u32",
} as const;
/**
 * Says whether to turn bus mastering on or off.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_device_feature_bus_master
 */
export const vfio_device_feature_bus_master: Layout<typeof vfio_device_feature_bus_master_fields> =
  struct("vfio_device_feature_bus_master", vfio_device_feature_bus_master_fields);

/** Fields of {@link vfio_region_dma_range}. @internal */
export const vfio_region_dma_range_fields = {
  offset: "u64",
  length: "u64",
} as const;
/**
 * Names a part of a region to export.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_region_dma_range
 */
export const vfio_region_dma_range: Layout<typeof vfio_region_dma_range_fields> = struct(
  "vfio_region_dma_range",
  vfio_region_dma_range_fields,
);

/** Fields of {@link vfio_device_feature_dma_buf}. @internal */
export const vfio_device_feature_dma_buf_fields = {
  region_index: "u32",
  open_flags: "u32",
  flags: "u32",
  nr_ranges: "u32",
  dma_ranges: { flex: vfio_region_dma_range },
} as const;
/**
 * Asks for a dma-buf descriptor of parts of a region.
 *
 * Since Linux v6.19.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_device_feature_dma_buf
 */
export const vfio_device_feature_dma_buf: Layout<typeof vfio_device_feature_dma_buf_fields> =
  struct("vfio_device_feature_dma_buf", vfio_device_feature_dma_buf_fields);

/** Fields of {@link vfio_device_feature_zpci_err}. @internal */
export const vfio_device_feature_zpci_err_fields = {
  data: "ptr",
} as const;
/**
 * Says where the error state of an s390 PCI function goes, which only the call needs.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_device_feature_zpci_err
 */
export const vfio_device_feature_zpci_err: Layout<typeof vfio_device_feature_zpci_err_fields> =
  struct("vfio_device_feature_zpci_err", vfio_device_feature_zpci_err_fields);
