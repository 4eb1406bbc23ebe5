/**
 * Structs for a device opened by its own node (/dev/vfio/devices/vfio0) and bound to an iommufd.
 *
 * Since Linux v6.6. Three of them grew later: the kernel takes the short form as well, by `argsz`.
 *
 * @see include/uapi/linux/vfio.h
 *
 * @module
 */
import { type Layout, struct } from "./layout.ts";

/** Fields of {@link vfio_device_bind_iommufd}. @internal */
export const vfio_device_bind_iommufd_fields = {
  argsz: "u32",
  flags: "u32",
  iommufd: "s32",
  out_devid: "u32",
  token_uuid_ptr: "ptr",
} as const;
/**
 * Binds the device to an iommufd and returns its id in `out_devid`.
 *
 * The token is that of the physical function. Since Linux v6.17; before it: {@link vfio_device_bind_iommufd_v6_6}.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_device_bind_iommufd
 */
export const vfio_device_bind_iommufd: Layout<typeof vfio_device_bind_iommufd_fields> = struct(
  "vfio_device_bind_iommufd",
  vfio_device_bind_iommufd_fields,
);

/** Fields of {@link vfio_device_bind_iommufd_v6_6}. @internal */
export const vfio_device_bind_iommufd_v6_6_fields = {
  argsz: "u32",
  flags: "u32",
  iommufd: "s32",
  out_devid: "u32",
} as const;
/**
 * Binds the device to an iommufd: the form without a token.
 *
 * Since Linux v6.6.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_device_bind_iommufd
 */
export const vfio_device_bind_iommufd_v6_6: Layout<typeof vfio_device_bind_iommufd_v6_6_fields> =
  struct("vfio_device_bind_iommufd_v6_6", vfio_device_bind_iommufd_v6_6_fields);

/** Fields of {@link vfio_device_attach_iommufd_pt}. @internal */
export const vfio_device_attach_iommufd_pt_fields = {
  argsz: "u32",
  flags: "u32",
  pt_id: "u32",
  pasid: "u32",
} as const;
/**
 * Attaches the device to the address space or page table `pt_id`.
 *
 * The kernel writes the id of the page table it took back into `pt_id`. The process address space id is
 * there since Linux v6.15; before it: {@link vfio_device_attach_iommufd_pt_v6_6}.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_device_attach_iommufd_pt
 */
export const vfio_device_attach_iommufd_pt: Layout<typeof vfio_device_attach_iommufd_pt_fields> =
  struct("vfio_device_attach_iommufd_pt", vfio_device_attach_iommufd_pt_fields);

/** Fields of {@link vfio_device_attach_iommufd_pt_v6_6}. @internal */
export const vfio_device_attach_iommufd_pt_v6_6_fields = {
  argsz: "u32",
  flags: "u32",
  pt_id: "u32",
} as const;
/**
 * Attaches the device to an address space or page table: the form without a process address space.
 *
 * Since Linux v6.6.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_device_attach_iommufd_pt
 */
export const vfio_device_attach_iommufd_pt_v6_6: Layout<
  typeof vfio_device_attach_iommufd_pt_v6_6_fields
> = struct("vfio_device_attach_iommufd_pt_v6_6", vfio_device_attach_iommufd_pt_v6_6_fields);

/** Fields of {@link vfio_device_detach_iommufd_pt}. @internal */
export const vfio_device_detach_iommufd_pt_fields = {
  argsz: "u32",
  flags: "u32",
  pasid: "u32",
} as const;
/**
 * Detaches the device from its address space.
 *
 * The process address space id is there since Linux v6.15; before it:
 * {@link vfio_device_detach_iommufd_pt_v6_6}.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_device_detach_iommufd_pt
 */
export const vfio_device_detach_iommufd_pt: Layout<typeof vfio_device_detach_iommufd_pt_fields> =
  struct("vfio_device_detach_iommufd_pt", vfio_device_detach_iommufd_pt_fields);

/** Fields of {@link vfio_device_detach_iommufd_pt_v6_6}. @internal */
export const vfio_device_detach_iommufd_pt_v6_6_fields = {
  argsz: "u32",
  flags: "u32",
} as const;
/**
 * Detaches the device from its address space: the form without a process address space.
 *
 * Since Linux v6.6.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_device_detach_iommufd_pt
 */
export const vfio_device_detach_iommufd_pt_v6_6: Layout<
  typeof vfio_device_detach_iommufd_pt_v6_6_fields
> = struct("vfio_device_detach_iommufd_pt_v6_6", vfio_device_detach_iommufd_pt_v6_6_fields);
