/**
 * Structs for a container with the sPAPR TCE IOMMU of powerpc, as data for the decoder.
 *
 * @see include/uapi/linux/vfio.h
 *
 * @module
 */
import { type Layout, struct } from "./layout.ts";

/** Fields of {@link vfio_iommu_spapr_tce_ddw_info}. @internal */
export const vfio_iommu_spapr_tce_ddw_info_fields = {
  pgsizes: "u64",
  max_dynamic_windows_supported: "u32",
  levels: "u32",
} as const;
/**
 * Holds what dynamic DMA windows there can be.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_iommu_spapr_tce_ddw_info
 */
export const vfio_iommu_spapr_tce_ddw_info: Layout<typeof vfio_iommu_spapr_tce_ddw_info_fields> =
  struct("vfio_iommu_spapr_tce_ddw_info", vfio_iommu_spapr_tce_ddw_info_fields);

/** Fields of {@link vfio_iommu_spapr_tce_info}. @internal */
export const vfio_iommu_spapr_tce_info_fields = {
  argsz: "u32",
  flags: "u32",
  dma32_window_start: "u32",
  dma32_window_size: "u32",
  ddw: vfio_iommu_spapr_tce_ddw_info,
} as const;
/**
 * Holds what SPAPR_TCE_GET_INFO tells: the 32-bit DMA window and the dynamic ones.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_iommu_spapr_tce_info
 */
export const vfio_iommu_spapr_tce_info: Layout<typeof vfio_iommu_spapr_tce_info_fields> = struct(
  "vfio_iommu_spapr_tce_info",
  vfio_iommu_spapr_tce_info_fields,
);

/** Fields of {@link vfio_iommu_spapr_register_memory}. @internal */
export const vfio_iommu_spapr_register_memory_fields = {
  argsz: "u32",
  flags: "u32",
  vaddr: "u64",
  size: "u64",
} as const;
/**
 * Names memory to register, or to take back.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_iommu_spapr_register_memory
 */
export const vfio_iommu_spapr_register_memory: Layout<
  typeof vfio_iommu_spapr_register_memory_fields
> = struct("vfio_iommu_spapr_register_memory", vfio_iommu_spapr_register_memory_fields);

/** Fields of {@link vfio_iommu_spapr_tce_create}. @internal */
export const vfio_iommu_spapr_tce_create_fields = {
  argsz: "u32",
  flags: "u32",
  page_shift: "u32",
  __resv1: "u32",
  window_size: "u64",
  levels: "u32",
  __resv2: "u32",
  start_addr: "u64",
} as const;
/**
 * Asks for a DMA window; the kernel writes where it begins into `start_addr`.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_iommu_spapr_tce_create
 */
export const vfio_iommu_spapr_tce_create: Layout<typeof vfio_iommu_spapr_tce_create_fields> =
  struct("vfio_iommu_spapr_tce_create", vfio_iommu_spapr_tce_create_fields);

/** Fields of {@link vfio_iommu_spapr_tce_remove}. @internal */
export const vfio_iommu_spapr_tce_remove_fields = {
  argsz: "u32",
  flags: "u32",
  start_addr: "u64",
} as const;
/**
 * Names a DMA window to remove, by where it begins.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_iommu_spapr_tce_remove
 */
export const vfio_iommu_spapr_tce_remove: Layout<typeof vfio_iommu_spapr_tce_remove_fields> =
  struct("vfio_iommu_spapr_tce_remove", vfio_iommu_spapr_tce_remove_fields);

/** Fields of {@link vfio_eeh_pe_err}. @internal */
export const vfio_eeh_pe_err_fields = {
  type: "u32",
  func: "u32",
  addr: "u64",
  mask: "u64",
} as const;
/**
 * Describes an error to inject.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_eeh_pe_err
 */
export const vfio_eeh_pe_err: Layout<typeof vfio_eeh_pe_err_fields> = struct(
  "vfio_eeh_pe_err",
  vfio_eeh_pe_err_fields,
);

/** Fields of {@link vfio_eeh_pe_op}. @internal */
export const vfio_eeh_pe_op_fields = {
  argsz: "u32",
  flags: "u32",
  op: "u32",
  err: vfio_eeh_pe_err,
} as const;
/**
 * Asks for one step of error handling.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_eeh_pe_op
 */
export const vfio_eeh_pe_op: Layout<typeof vfio_eeh_pe_op_fields> = struct(
  "vfio_eeh_pe_op",
  vfio_eeh_pe_op_fields,
);
