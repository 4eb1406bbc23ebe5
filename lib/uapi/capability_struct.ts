/**
 * Structs of capabilities: what follows an info struct in its buffer, linked by offsets.
 *
 * @see include/uapi/linux/vfio.h
 *
 * @module
 */
import { type Layout, struct } from "./layout.ts";

/** Fields of {@link vfio_info_cap_header}. @internal */
export const vfio_info_cap_header_fields = {
  id: "u16",
  version: "u16",
  next: "u32",
} as const;
/**
 * Heads every capability.
 *
 * `next` is an offset from the start of the info struct; 0 ends the chain.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_info_cap_header
 */
export const vfio_info_cap_header: Layout<typeof vfio_info_cap_header_fields> = struct(
  "vfio_info_cap_header",
  vfio_info_cap_header_fields,
);

/** Fields of {@link vfio_iova_range}. @internal */
export const vfio_iova_range_fields = {
  start: "u64",
  end: "u64",
} as const;
/**
 * Holds a range of device addresses; `end` is its last byte.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_iova_range
 */
export const vfio_iova_range: Layout<typeof vfio_iova_range_fields> = struct(
  "vfio_iova_range",
  vfio_iova_range_fields,
);

/** Fields of {@link vfio_iommu_type1_info_cap_iova_range}. @internal */
export const vfio_iommu_type1_info_cap_iova_range_fields = {
  header: vfio_info_cap_header,
  nr_iovas: "u32",
  reserved: "u32",
  iova_ranges: { flex: vfio_iova_range },
} as const;
/**
 * Holds the ranges that can be mapped.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_iommu_type1_info_cap_iova_range
 */
export const vfio_iommu_type1_info_cap_iova_range: Layout<
  typeof vfio_iommu_type1_info_cap_iova_range_fields
> = struct("vfio_iommu_type1_info_cap_iova_range", vfio_iommu_type1_info_cap_iova_range_fields);

/** Fields of {@link vfio_iommu_type1_info_cap_migration}. @internal */
export const vfio_iommu_type1_info_cap_migration_fields = {
  header: vfio_info_cap_header,
  flags: "u32",
  pgsize_bitmap: "u64",
  max_dirty_bitmap_size: "u64",
} as const;
/**
 * Holds the page size of dirty bitmaps and the most bytes one may have.
 *
 * There is a hole of four bytes behind `flags`.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_iommu_type1_info_cap_migration
 */
export const vfio_iommu_type1_info_cap_migration: Layout<
  typeof vfio_iommu_type1_info_cap_migration_fields
> = struct("vfio_iommu_type1_info_cap_migration", vfio_iommu_type1_info_cap_migration_fields);

/** Fields of {@link vfio_iommu_type1_info_dma_avail}. @internal */
export const vfio_iommu_type1_info_dma_avail_fields = {
  header: vfio_info_cap_header,
  avail: "u32",
} as const;
/**
 * Holds how many more mappings the container takes.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_iommu_type1_info_dma_avail
 */
export const vfio_iommu_type1_info_dma_avail: Layout<
  typeof vfio_iommu_type1_info_dma_avail_fields
> = struct("vfio_iommu_type1_info_dma_avail", vfio_iommu_type1_info_dma_avail_fields);

/** Fields of {@link vfio_device_info_cap_pci_atomic_comp}. @internal */
export const vfio_device_info_cap_pci_atomic_comp_fields = {
  header: vfio_info_cap_header,
  flags: "u32",
  reserved: "u32",
} as const;
/**
 * Holds which PCIe atomic operations the host completes.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_device_info_cap_pci_atomic_comp
 */
export const vfio_device_info_cap_pci_atomic_comp: Layout<
  typeof vfio_device_info_cap_pci_atomic_comp_fields
> = struct("vfio_device_info_cap_pci_atomic_comp", vfio_device_info_cap_pci_atomic_comp_fields);

/** Fields of {@link vfio_region_sparse_mmap_area}. @internal */
export const vfio_region_sparse_mmap_area_fields = {
  offset: "u64",
  size: "u64",
} as const;
/**
 * Holds a part of a region that can be mapped.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_region_sparse_mmap_area
 */
export const vfio_region_sparse_mmap_area: Layout<typeof vfio_region_sparse_mmap_area_fields> =
  struct("vfio_region_sparse_mmap_area", vfio_region_sparse_mmap_area_fields);

/** Fields of {@link vfio_region_info_cap_sparse_mmap}. @internal */
export const vfio_region_info_cap_sparse_mmap_fields = {
  header: vfio_info_cap_header,
  nr_areas: "u32",
  reserved: "u32",
  areas: { flex: vfio_region_sparse_mmap_area },
} as const;
/**
 * Holds the parts of a region that can be mapped.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_region_info_cap_sparse_mmap
 */
export const vfio_region_info_cap_sparse_mmap: Layout<
  typeof vfio_region_info_cap_sparse_mmap_fields
> = struct("vfio_region_info_cap_sparse_mmap", vfio_region_info_cap_sparse_mmap_fields);

/** Fields of {@link vfio_region_info_cap_type}. @internal */
export const vfio_region_info_cap_type_fields = {
  header: vfio_info_cap_header,
  type: "u32",
  subtype: "u32",
} as const;
/**
 * Holds what a device-specific region is.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_region_info_cap_type
 */
export const vfio_region_info_cap_type: Layout<typeof vfio_region_info_cap_type_fields> = struct(
  "vfio_region_info_cap_type",
  vfio_region_info_cap_type_fields,
);

/** Fields of {@link vfio_region_info_cap_nvlink2_ssatgt}. @internal */
export const vfio_region_info_cap_nvlink2_ssatgt_fields = {
  header: vfio_info_cap_header,
  tgt: "u64",
} as const;
/**
 * Holds an NVLink address; no kernel gives it any more.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_region_info_cap_nvlink2_ssatgt
 */
export const vfio_region_info_cap_nvlink2_ssatgt: Layout<
  typeof vfio_region_info_cap_nvlink2_ssatgt_fields
> = struct("vfio_region_info_cap_nvlink2_ssatgt", vfio_region_info_cap_nvlink2_ssatgt_fields);

/** Fields of {@link vfio_region_info_cap_nvlink2_lnkspd}. @internal */
export const vfio_region_info_cap_nvlink2_lnkspd_fields = {
  header: vfio_info_cap_header,
  link_speed: "u32",
  __pad: "u32",
} as const;
/**
 * Holds an NVLink speed; no kernel gives it any more.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_region_info_cap_nvlink2_lnkspd
 */
export const vfio_region_info_cap_nvlink2_lnkspd: Layout<
  typeof vfio_region_info_cap_nvlink2_lnkspd_fields
> = struct("vfio_region_info_cap_nvlink2_lnkspd", vfio_region_info_cap_nvlink2_lnkspd_fields);
