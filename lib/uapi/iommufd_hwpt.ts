/**
 * Structs of linux/iommufd.h for hardware page tables (HWPT): dirty tracking, nesting, invalidation.
 *
 * @see include/uapi/linux/iommufd.h
 *
 * @module
 */
import { type Layout, struct } from "./layout.ts";

/** Fields of {@link iommu_hwpt_alloc}. @internal */
export const iommu_hwpt_alloc_fields = {
  size: "u32",
  flags: "u32",
  dev_id: "u32",
  pt_id: "u32",
  out_hwpt_id: "u32",
  __reserved: "u32",
  data_type: "u32",
  data_len: "u32",
  data_uptr: "ptr",
  fault_id: "u32",
  __reserved2: "u32",
} as const;
/**
 * Returns the id of a new page table in `out_hwpt_id`.
 *
 * `data_uptr` points at `data_len` bytes that only the call needs.
 *
 * @see include/uapi/linux/iommufd.h, struct iommu_hwpt_alloc
 */
export const iommu_hwpt_alloc: Layout<typeof iommu_hwpt_alloc_fields> = struct(
  "iommu_hwpt_alloc",
  iommu_hwpt_alloc_fields,
);

/** Fields of {@link iommu_hwpt_set_dirty_tracking}. @internal */
export const iommu_hwpt_set_dirty_tracking_fields = {
  size: "u32",
  flags: "u32",
  hwpt_id: "u32",
  __reserved: "u32",
} as const;
/**
 * Turns dirty tracking of a page table on or off.
 *
 * Here `flags` comes before `hwpt_id`; in {@link iommu_hwpt_get_dirty_bitmap} it is the other way round.
 *
 * @see include/uapi/linux/iommufd.h, struct iommu_hwpt_set_dirty_tracking
 */
export const iommu_hwpt_set_dirty_tracking: Layout<typeof iommu_hwpt_set_dirty_tracking_fields> =
  struct("iommu_hwpt_set_dirty_tracking", iommu_hwpt_set_dirty_tracking_fields);

/** Fields of {@link iommu_hwpt_get_dirty_bitmap}. @internal */
export const iommu_hwpt_get_dirty_bitmap_fields = {
  size: "u32",
  hwpt_id: "u32",
  flags: "u32",
  __reserved: "u32",
  iova: "u64",
  length: "u64",
  page_size: "u64",
  data: "ptr",
} as const;
/**
 * Reads the dirty bits of a range, and clears them unless asked not to.
 *
 * The kernel sets bits at `data` only, so the caller clears them before.
 *
 * @see include/uapi/linux/iommufd.h, struct iommu_hwpt_get_dirty_bitmap
 */
export const iommu_hwpt_get_dirty_bitmap: Layout<typeof iommu_hwpt_get_dirty_bitmap_fields> =
  struct("iommu_hwpt_get_dirty_bitmap", iommu_hwpt_get_dirty_bitmap_fields);
/** Fields of {@link iommu_hwpt_vtd_s1}. @internal */
export const iommu_hwpt_vtd_s1_fields = {
  flags: "u64",
  pgtbl_addr: "u64",
  addr_width: "u32",
  __reserved: "u32",
} as const;
/**
 * Holds a first-stage page table of VT-d.
 *
 * @see include/uapi/linux/iommufd.h, struct iommu_hwpt_vtd_s1
 */
export const iommu_hwpt_vtd_s1: Layout<typeof iommu_hwpt_vtd_s1_fields> = struct(
  "iommu_hwpt_vtd_s1",
  iommu_hwpt_vtd_s1_fields,
);

/** Fields of {@link iommu_hwpt_arm_smmuv3}. @internal */
export const iommu_hwpt_arm_smmuv3_fields = {
  ste: { array: "u64", length: 2 },
} as const;
/**
 * Holds a stream table entry of SMMUv3.
 *
 * @see include/uapi/linux/iommufd.h, struct iommu_hwpt_arm_smmuv3
 */
export const iommu_hwpt_arm_smmuv3: Layout<typeof iommu_hwpt_arm_smmuv3_fields> = struct(
  "iommu_hwpt_arm_smmuv3",
  iommu_hwpt_arm_smmuv3_fields,
);

/** Fields of {@link iommu_hwpt_amd_guest}. @internal */
export const iommu_hwpt_amd_guest_fields = {
  dte: { array: "u64", length: 4 },
} as const;
/**
 * Holds a device table entry of an AMD IOMMU.
 *
 * @see include/uapi/linux/iommufd.h, struct iommu_hwpt_amd_guest
 */
export const iommu_hwpt_amd_guest: Layout<typeof iommu_hwpt_amd_guest_fields> = struct(
  "iommu_hwpt_amd_guest",
  iommu_hwpt_amd_guest_fields,
);

/** Fields of {@link iommu_hwpt_invalidate}. @internal */
export const iommu_hwpt_invalidate_fields = {
  size: "u32",
  hwpt_id: "u32",
  data_uptr: "ptr",
  data_type: "u32",
  entry_len: "u32",
  entry_num: "u32",
  __reserved: "u32",
} as const;
/**
 * Invalidates caches of a nested page table; `data_uptr` points at `entry_num` entries.
 *
 * @see include/uapi/linux/iommufd.h, struct iommu_hwpt_invalidate
 */
export const iommu_hwpt_invalidate: Layout<typeof iommu_hwpt_invalidate_fields> = struct(
  "iommu_hwpt_invalidate",
  iommu_hwpt_invalidate_fields,
);

/** Fields of {@link iommu_hwpt_vtd_s1_invalidate}. @internal */
export const iommu_hwpt_vtd_s1_invalidate_fields = {
  addr: "u64",
  npages: "u64",
  flags: "u32",
  __reserved: "u32",
} as const;
/**
 * Holds one invalidation of VT-d.
 *
 * @see include/uapi/linux/iommufd.h, struct iommu_hwpt_vtd_s1_invalidate
 */
export const iommu_hwpt_vtd_s1_invalidate: Layout<typeof iommu_hwpt_vtd_s1_invalidate_fields> =
  struct("iommu_hwpt_vtd_s1_invalidate", iommu_hwpt_vtd_s1_invalidate_fields);

/** Fields of {@link iommu_viommu_arm_smmuv3_invalidate}. @internal */
export const iommu_viommu_arm_smmuv3_invalidate_fields = {
  cmd: { array: "u64", length: 2 },
} as const;
/**
 * Holds one invalidation command of SMMUv3.
 *
 * @see include/uapi/linux/iommufd.h, struct iommu_viommu_arm_smmuv3_invalidate
 */
export const iommu_viommu_arm_smmuv3_invalidate: Layout<
  typeof iommu_viommu_arm_smmuv3_invalidate_fields
> = struct("iommu_viommu_arm_smmuv3_invalidate", iommu_viommu_arm_smmuv3_invalidate_fields);
