/**
 * Structs of linux/iommufd.h that tell what a device's IOMMU can do.
 *
 * @see include/uapi/linux/iommufd.h
 *
 * @module
 */
import { type Layout, struct } from "./layout.ts";

/** Fields of {@link iommu_hw_info}. @internal */
export const iommu_hw_info_fields = {
  size: "u32",
  flags: "u32",
  dev_id: "u32",
  data_len: "u32",
  data_uptr: "ptr",
  in_data_type: "u32",
  out_data_type: { over: "in_data_type", type: "u32" },
  out_max_pasid_log2: "u8",
  __reserved: { array: "u8", length: 3 },
  out_capabilities: "u64",
} as const;
/**
 * Returns what a device's IOMMU can do; `data_uptr` points at room for `data_len` bytes.
 *
 * `out_data_type` lies over `in_data_type`. Before these two shared a place:
 * {@link iommu_hw_info_v6_7}.
 *
 * @see include/uapi/linux/iommufd.h, struct iommu_hw_info
 */
export const iommu_hw_info: Layout<typeof iommu_hw_info_fields> = struct(
  "iommu_hw_info",
  iommu_hw_info_fields,
);

/** Fields of {@link iommu_hw_info_v6_7}. @internal */
export const iommu_hw_info_v6_7_fields = {
  size: "u32",
  flags: "u32",
  dev_id: "u32",
  data_len: "u32",
  data_uptr: "ptr",
  out_data_type: "u32",
  __reserved: "u32",
  out_capabilities: "u64",
} as const;
/**
 * Returns what a device's IOMMU can do: the form without a wished type and without process address spaces.
 *
 * Since Linux v6.7.
 *
 * @see include/uapi/linux/iommufd.h, struct iommu_hw_info
 */
export const iommu_hw_info_v6_7: Layout<typeof iommu_hw_info_v6_7_fields> = struct(
  "iommu_hw_info_v6_7",
  iommu_hw_info_v6_7_fields,
);

/** Fields of {@link iommu_hw_info_vtd}. @internal */
export const iommu_hw_info_vtd_fields = {
  flags: "u32",
  __reserved: "u32",
  cap_reg: "u64",
  ecap_reg: "u64",
} as const;
/**
 * Holds the registers of an Intel VT-d IOMMU.
 *
 * @see include/uapi/linux/iommufd.h, struct iommu_hw_info_vtd
 */
export const iommu_hw_info_vtd: Layout<typeof iommu_hw_info_vtd_fields> = struct(
  "iommu_hw_info_vtd",
  iommu_hw_info_vtd_fields,
);

/** Fields of {@link iommu_hw_info_arm_smmuv3}. @internal */
export const iommu_hw_info_arm_smmuv3_fields = {
  flags: "u32",
  __reserved: "u32",
  idr: { array: "u32", length: 6 },
  iidr: "u32",
  aidr: "u32",
} as const;
/**
 * Holds the registers of an Arm SMMUv3.
 *
 * @see include/uapi/linux/iommufd.h, struct iommu_hw_info_arm_smmuv3
 */
export const iommu_hw_info_arm_smmuv3: Layout<typeof iommu_hw_info_arm_smmuv3_fields> = struct(
  "iommu_hw_info_arm_smmuv3",
  iommu_hw_info_arm_smmuv3_fields,
);

/** Fields of {@link iommu_hw_info_tegra241_cmdqv}. @internal */
export const iommu_hw_info_tegra241_cmdqv_fields = {
  flags: "u32",
  version: "u8",
  log2vcmdqs: "u8",
  log2vsids: "u8",
  __reserved: "u8",
} as const;
/**
 * Holds what NVIDIA Tegra241's command queue virtualisation has.
 *
 * @see include/uapi/linux/iommufd.h, struct iommu_hw_info_tegra241_cmdqv
 */
export const iommu_hw_info_tegra241_cmdqv: Layout<typeof iommu_hw_info_tegra241_cmdqv_fields> =
  struct("iommu_hw_info_tegra241_cmdqv", iommu_hw_info_tegra241_cmdqv_fields);

/** Fields of {@link iommu_hw_info_amd}. @internal */
export const iommu_hw_info_amd_fields = {
  efr: "u64",
  efr2: "u64",
} as const;
/**
 * Holds the registers of an AMD IOMMU.
 *
 * @see include/uapi/linux/iommufd.h, struct iommu_hw_info_amd
 */
export const iommu_hw_info_amd: Layout<typeof iommu_hw_info_amd_fields> = struct(
  "iommu_hw_info_amd",
  iommu_hw_info_amd_fields,
);
