/**
 * Structs for an iommufd (/dev/iommu): objects, address spaces and options.
 *
 * The first field of every request is its own size. The kernel takes a larger one whose tail is zero.
 *
 * @see include/uapi/linux/iommufd.h
 *
 * @module
 */
import { type Layout, struct } from "./layout.ts";

/** Fields of {@link iommu_destroy}. @internal */
export const iommu_destroy_fields = {
  size: "u32",
  id: "u32",
} as const;
/**
 * Names an object to destroy.
 *
 * @see include/uapi/linux/iommufd.h, struct iommu_destroy
 */
export const iommu_destroy: Layout<typeof iommu_destroy_fields> = struct(
  "iommu_destroy",
  iommu_destroy_fields,
);

/** Fields of {@link iommu_ioas_alloc}. @internal */
export const iommu_ioas_alloc_fields = {
  size: "u32",
  flags: "u32",
  out_ioas_id: "u32",
} as const;
/**
 * Returns the id of a new address space in `out_ioas_id`.
 *
 * @see include/uapi/linux/iommufd.h, struct iommu_ioas_alloc
 */
export const iommu_ioas_alloc: Layout<typeof iommu_ioas_alloc_fields> = struct(
  "iommu_ioas_alloc",
  iommu_ioas_alloc_fields,
);

/** Fields of {@link iommu_iova_range}. @internal */
export const iommu_iova_range_fields = {
  start: "u64",
  last: "u64",
} as const;
/**
 * Holds a range of device addresses; `last` is its last byte.
 *
 * @see include/uapi/linux/iommufd.h, struct iommu_iova_range
 */
export const iommu_iova_range: Layout<typeof iommu_iova_range_fields> = struct(
  "iommu_iova_range",
  iommu_iova_range_fields,
);

/** Fields of {@link iommu_ioas_iova_ranges}. @internal */
export const iommu_ioas_iova_ranges_fields = {
  size: "u32",
  ioas_id: "u32",
  num_iovas: "u32",
  __reserved: "u32",
  allowed_iovas: "ptr",
  out_iova_alignment: "u64",
} as const;
/**
 * Returns the usable ranges of an address space.
 *
 * `allowed_iovas` points at room for `num_iovas` {@link iommu_iova_range}, which only the call needs;
 * the kernel writes back how many there are.
 *
 * @see include/uapi/linux/iommufd.h, struct iommu_ioas_iova_ranges
 */
export const iommu_ioas_iova_ranges: Layout<typeof iommu_ioas_iova_ranges_fields> = struct(
  "iommu_ioas_iova_ranges",
  iommu_ioas_iova_ranges_fields,
);

/** Fields of {@link iommu_ioas_allow_iovas}. @internal */
export const iommu_ioas_allow_iovas_fields = {
  size: "u32",
  ioas_id: "u32",
  num_iovas: "u32",
  __reserved: "u32",
  allowed_iovas: "ptr",
} as const;
/**
 * Restricts an address space to `num_iovas` ranges.
 *
 * @see include/uapi/linux/iommufd.h, struct iommu_ioas_allow_iovas
 */
export const iommu_ioas_allow_iovas: Layout<typeof iommu_ioas_allow_iovas_fields> = struct(
  "iommu_ioas_allow_iovas",
  iommu_ioas_allow_iovas_fields,
);

/** Fields of {@link iommu_ioas_map}. @internal */
export const iommu_ioas_map_fields = {
  size: "u32",
  flags: "u32",
  ioas_id: "u32",
  __reserved: "u32",
  user_va: "u64",
  length: "u64",
  iova: "u64",
} as const;
/**
 * Maps `length` bytes of process memory at `user_va`.
 *
 * `user_va` is a plain number here: the memory must live as long as the mapping, not only for the call.
 * Without FIXED_IOVA the kernel chooses `iova` and writes it back.
 *
 * @see include/uapi/linux/iommufd.h, struct iommu_ioas_map
 */
export const iommu_ioas_map: Layout<typeof iommu_ioas_map_fields> = struct(
  "iommu_ioas_map",
  iommu_ioas_map_fields,
);

/** Fields of {@link iommu_ioas_map_file}. @internal */
export const iommu_ioas_map_file_fields = {
  size: "u32",
  flags: "u32",
  ioas_id: "u32",
  fd: "s32",
  start: "u64",
  length: "u64",
  iova: "u64",
} as const;
/**
 * Maps `length` bytes of a memfd from `start`.
 *
 * Since Linux v6.13.
 *
 * @see include/uapi/linux/iommufd.h, struct iommu_ioas_map_file
 */
export const iommu_ioas_map_file: Layout<typeof iommu_ioas_map_file_fields> = struct(
  "iommu_ioas_map_file",
  iommu_ioas_map_file_fields,
);

/** Fields of {@link iommu_ioas_noiommu_get_pa}. @internal */
export const iommu_ioas_noiommu_get_pa_fields = {
  size: "u32",
  flags: "u32",
  ioas_id: "u32",
  __reserved: "u32",
  iova: "u64",
  length: "u64",
  out_phys: "u64",
} as const;
/**
 * Returns the physical address behind `iova` in `out_phys`, where there is no IOMMU.
 *
 * The kernel shortens `length` to the bytes that lie together from there.
 *
 * @see include/uapi/linux/iommufd.h, struct iommu_ioas_noiommu_get_pa
 */
export const iommu_ioas_noiommu_get_pa: Layout<typeof iommu_ioas_noiommu_get_pa_fields> = struct(
  "iommu_ioas_noiommu_get_pa",
  iommu_ioas_noiommu_get_pa_fields,
);

/** Fields of {@link iommu_ioas_copy}. @internal */
export const iommu_ioas_copy_fields = {
  size: "u32",
  flags: "u32",
  dst_ioas_id: "u32",
  src_ioas_id: "u32",
  length: "u64",
  dst_iova: "u64",
  src_iova: "u64",
} as const;
/**
 * Maps in one address space what another maps, without pinning it again.
 *
 * @see include/uapi/linux/iommufd.h, struct iommu_ioas_copy
 */
export const iommu_ioas_copy: Layout<typeof iommu_ioas_copy_fields> = struct(
  "iommu_ioas_copy",
  iommu_ioas_copy_fields,
);

/** Fields of {@link iommu_ioas_unmap}. @internal */
export const iommu_ioas_unmap_fields = {
  size: "u32",
  ioas_id: "u32",
  iova: "u64",
  length: "u64",
} as const;
/**
 * Unmaps a range; the kernel writes the bytes removed into `length`.
 *
 * @see include/uapi/linux/iommufd.h, struct iommu_ioas_unmap
 */
export const iommu_ioas_unmap: Layout<typeof iommu_ioas_unmap_fields> = struct(
  "iommu_ioas_unmap",
  iommu_ioas_unmap_fields,
);

/** Fields of {@link iommu_ioas_change_process}. @internal */
export const iommu_ioas_change_process_fields = {
  size: "u32",
  __reserved: "u32",
} as const;
/**
 * Moves the accounting of pinned memory to the calling process.
 *
 * @see include/uapi/linux/iommufd.h, struct iommu_ioas_change_process
 */
export const iommu_ioas_change_process: Layout<typeof iommu_ioas_change_process_fields> = struct(
  "iommu_ioas_change_process",
  iommu_ioas_change_process_fields,
);

/** Fields of {@link iommu_option}. @internal */
export const iommu_option_fields = {
  size: "u32",
  option_id: "u32",
  op: "u16",
  __reserved: "u16",
  object_id: "u32",
  val64: "u64",
} as const;
/**
 * Reads or sets the option `option_id` of the object `object_id`, 0 for the iommufd itself.
 *
 * @see include/uapi/linux/iommufd.h, struct iommu_option
 */
export const iommu_option: Layout<typeof iommu_option_fields> = struct(
  "iommu_option",
  iommu_option_fields,
);

/** Fields of {@link iommu_vfio_ioas}. @internal */
export const iommu_vfio_ioas_fields = {
  size: "u32",
  ioas_id: "u32",
  op: "u16",
  __reserved: "u16",
} as const;
/**
 * Reads or sets the address space that VFIO container requests use.
 *
 * @see include/uapi/linux/iommufd.h, struct iommu_vfio_ioas
 */
export const iommu_vfio_ioas: Layout<typeof iommu_vfio_ioas_fields> = struct(
  "iommu_vfio_ioas",
  iommu_vfio_ioas_fields,
);
