/**
 * Structs for a VFIO group.
 *
 * @see include/uapi/linux/vfio.h
 *
 * @module
 */
import { type Layout, struct } from "./layout.ts";

/** Fields of {@link vfio_group_status}. @internal */
export const vfio_group_status_fields = {
  argsz: "u32",
  flags: "u32",
} as const;
/**
 * Holds what GROUP_GET_STATUS tells: whether the group is viable and has a container.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_group_status
 */
export const vfio_group_status: Layout<typeof vfio_group_status_fields> = struct(
  "vfio_group_status",
  vfio_group_status_fields,
);
