/**
 * Structs for a VFIO device: its regions, interrupts and resets.
 *
 * @see include/uapi/linux/vfio.h
 *
 * @module
 */
import { type Layout, struct } from "./layout.ts";

/** Fields of {@link vfio_device_info}. @internal */
export const vfio_device_info_fields = {
  argsz: "u32",
  flags: "u32",
  num_regions: "u32",
  num_irqs: "u32",
  cap_offset: "u32",
  pad: "u32",
} as const;
/**
 * Holds what DEVICE_GET_INFO tells; a chain of capabilities may follow it in the buffer.
 *
 * Headers before v6.6 end it at `cap_offset`; the kernel takes an `argsz` of 16 and up.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_device_info
 */
export const vfio_device_info: Layout<typeof vfio_device_info_fields> = struct(
  "vfio_device_info",
  vfio_device_info_fields,
);

/** Fields of {@link vfio_region_info}. @internal */
export const vfio_region_info_fields = {
  argsz: "u32",
  flags: "u32",
  index: "u32",
  cap_offset: "u32",
  size: "u64",
  offset: "u64",
} as const;
/**
 * Holds what DEVICE_GET_REGION_INFO tells of the region `index`.
 *
 * `offset` is where the region begins in the device's descriptor, for pread, pwrite and mmap.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_region_info
 */
export const vfio_region_info: Layout<typeof vfio_region_info_fields> = struct(
  "vfio_region_info",
  vfio_region_info_fields,
);

/** Fields of {@link vfio_irq_info}. @internal */
export const vfio_irq_info_fields = {
  argsz: "u32",
  flags: "u32",
  index: "u32",
  count: "u32",
} as const;
/**
 * Holds what DEVICE_GET_IRQ_INFO tells of the interrupts `index`.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_irq_info
 */
export const vfio_irq_info: Layout<typeof vfio_irq_info_fields> = struct(
  "vfio_irq_info",
  vfio_irq_info_fields,
);

/** Fields of {@link vfio_irq_set}. @internal */
export const vfio_irq_set_fields = {
  argsz: "u32",
  flags: "u32",
  index: "u32",
  start: "u32",
  count: "u32",
  data: { flex: "u8" },
} as const;
/**
 * Asks DEVICE_SET_IRQS to act on `count` interrupts from `start`.
 *
 * `data` is nothing, a byte for each, or an eventfd (`__s32`) for each, as `flags` say.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_irq_set
 */
export const vfio_irq_set: Layout<typeof vfio_irq_set_fields> = struct(
  "vfio_irq_set",
  vfio_irq_set_fields,
);

/** Fields of {@link vfio_pci_dependent_device}. @internal */
export const vfio_pci_dependent_device_fields = {
  group_id: "u32",
  devid: { over: "group_id", type: "u32" },
  segment: "u16",
  bus: "u8",
  devfn: "u8",
} as const;
/**
 * Names one device that a hot reset affects.
 *
 * `devid` lies over `group_id`, for devices opened by their own node. Since Linux v6.6.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_pci_dependent_device
 */
export const vfio_pci_dependent_device: Layout<typeof vfio_pci_dependent_device_fields> = struct(
  "vfio_pci_dependent_device",
  vfio_pci_dependent_device_fields,
);

/** Fields of {@link vfio_pci_hot_reset_info}. @internal */
export const vfio_pci_hot_reset_info_fields = {
  argsz: "u32",
  flags: "u32",
  count: "u32",
  devices: { flex: vfio_pci_dependent_device },
} as const;
/**
 * Holds the devices that a hot reset affects.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_pci_hot_reset_info
 */
export const vfio_pci_hot_reset_info: Layout<typeof vfio_pci_hot_reset_info_fields> = struct(
  "vfio_pci_hot_reset_info",
  vfio_pci_hot_reset_info_fields,
);

/** Fields of {@link vfio_pci_hot_reset}. @internal */
export const vfio_pci_hot_reset_fields = {
  argsz: "u32",
  flags: "u32",
  count: "u32",
  group_fds: { flex: "s32" },
} as const;
/**
 * Asks for a hot reset and proves ownership by the descriptors of the groups.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_pci_hot_reset
 */
export const vfio_pci_hot_reset: Layout<typeof vfio_pci_hot_reset_fields> = struct(
  "vfio_pci_hot_reset",
  vfio_pci_hot_reset_fields,
);

/** Fields of {@link vfio_device_gfx_plane_info}. @internal */
export const vfio_device_gfx_plane_info_fields = {
  argsz: "u32",
  flags: "u32",
  drm_plane_type: "u32",
  drm_format: "u32",
  drm_format_mod: "u64",
  width: "u32",
  height: "u32",
  stride: "u32",
  size: "u32",
  x_pos: "u32",
  y_pos: "u32",
  x_hot: "u32",
  y_hot: "u32",
  region_index: "u32",
  dmabuf_id: { over: "region_index", type: "u32" },
  reserved: "u32",
} as const;
/**
 * Holds what QUERY_GFX_PLANE tells of a mediated display.
 *
 * `dmabuf_id` lies over `region_index`.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_device_gfx_plane_info
 */
export const vfio_device_gfx_plane_info: Layout<typeof vfio_device_gfx_plane_info_fields> = struct(
  "vfio_device_gfx_plane_info",
  vfio_device_gfx_plane_info_fields,
);

/** Fields of {@link vfio_region_gfx_edid}. @internal */
export const vfio_region_gfx_edid_fields = {
  edid_offset: "u32",
  edid_max_size: "u32",
  edid_size: "u32",
  max_xres: "u32",
  max_yres: "u32",
  link_state: "u32",
} as const;
/**
 * Holds the control words of a display's EDID region.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_region_gfx_edid
 */
export const vfio_region_gfx_edid: Layout<typeof vfio_region_gfx_edid_fields> = struct(
  "vfio_region_gfx_edid",
  vfio_region_gfx_edid_fields,
);

/** Fields of {@link vfio_device_ioeventfd}. @internal */
export const vfio_device_ioeventfd_fields = {
  argsz: "u32",
  flags: "u32",
  offset: "u64",
  data: "u64",
  fd: "s32",
  reserved: "u32",
} as const;
/**
 * Ties a write of `data` at `offset` to the eventfd `fd`; -1 unties it.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_device_ioeventfd
 */
export const vfio_device_ioeventfd: Layout<typeof vfio_device_ioeventfd_fields> = struct(
  "vfio_device_ioeventfd",
  vfio_device_ioeventfd_fields,
);

/** Fields of {@link vfio_device_migration_info}. @internal */
export const vfio_device_migration_info_fields = {
  device_state: "u32",
  reserved: "u32",
  pending_bytes: "u64",
  data_offset: "u64",
  data_size: "u64",
} as const;
/**
 * Holds the control words of the migration region that kernels before v5.18 had.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_device_migration_info
 */
export const vfio_device_migration_info: Layout<typeof vfio_device_migration_info_fields> = struct(
  "vfio_device_migration_info",
  vfio_device_migration_info_fields,
);
