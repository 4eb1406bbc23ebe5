/**
 * Structs of linux/iommufd.h for page faults and virtual IOMMUs, as data.
 *
 * @see include/uapi/linux/iommufd.h
 *
 * @module
 */
import { type Layout, struct } from "./layout.ts";

/** Fields of {@link iommu_fault_alloc}. @internal */
export const iommu_fault_alloc_fields = {
  size: "u32",
  flags: "u32",
  out_fault_id: "u32",
  out_fault_fd: "u32",
} as const;
/**
 * Returns a queue of page faults: an id and a descriptor to read.
 *
 * @see include/uapi/linux/iommufd.h, struct iommu_fault_alloc
 */
export const iommu_fault_alloc: Layout<typeof iommu_fault_alloc_fields> = struct(
  "iommu_fault_alloc",
  iommu_fault_alloc_fields,
);

/** Fields of {@link iommu_hwpt_pgfault}. @internal */
export const iommu_hwpt_pgfault_fields = {
  flags: "u32",
  dev_id: "u32",
  pasid: "u32",
  grpid: "u32",
  perm: "u32",
  __reserved: "u32",
  addr: "u64",
  length: "u32",
  cookie: "u32",
} as const;
/**
 * Holds one page fault, as read from the queue.
 *
 * @see include/uapi/linux/iommufd.h, struct iommu_hwpt_pgfault
 */
export const iommu_hwpt_pgfault: Layout<typeof iommu_hwpt_pgfault_fields> = struct(
  "iommu_hwpt_pgfault",
  iommu_hwpt_pgfault_fields,
);

/** Fields of {@link iommu_hwpt_page_response}. @internal */
export const iommu_hwpt_page_response_fields = {
  cookie: "u32",
  code: "u32",
} as const;
/**
 * Holds the answer to a page fault, as written to the queue.
 *
 * @see include/uapi/linux/iommufd.h, struct iommu_hwpt_page_response
 */
export const iommu_hwpt_page_response: Layout<typeof iommu_hwpt_page_response_fields> = struct(
  "iommu_hwpt_page_response",
  iommu_hwpt_page_response_fields,
);

/** Fields of {@link iommu_viommu_alloc}. @internal */
export const iommu_viommu_alloc_fields = {
  size: "u32",
  flags: "u32",
  type: "u32",
  dev_id: "u32",
  hwpt_id: "u32",
  out_viommu_id: "u32",
  data_len: "u32",
  __reserved: "u32",
  data_uptr: "ptr",
} as const;
/**
 * Returns the id of a new virtual IOMMU in `out_viommu_id`.
 *
 * @see include/uapi/linux/iommufd.h, struct iommu_viommu_alloc
 */
export const iommu_viommu_alloc: Layout<typeof iommu_viommu_alloc_fields> = struct(
  "iommu_viommu_alloc",
  iommu_viommu_alloc_fields,
);

/** Fields of {@link iommu_viommu_tegra241_cmdqv}. @internal */
export const iommu_viommu_tegra241_cmdqv_fields = {
  out_vintf_mmap_offset: "u64",
  out_vintf_mmap_length: "u64",
} as const;
/**
 * Holds where to map the page of an NVIDIA Tegra241 virtual interface.
 *
 * @see include/uapi/linux/iommufd.h, struct iommu_viommu_tegra241_cmdqv
 */
export const iommu_viommu_tegra241_cmdqv: Layout<typeof iommu_viommu_tegra241_cmdqv_fields> =
  struct("iommu_viommu_tegra241_cmdqv", iommu_viommu_tegra241_cmdqv_fields);

/** Fields of {@link iommu_vdevice_alloc}. @internal */
export const iommu_vdevice_alloc_fields = {
  size: "u32",
  viommu_id: "u32",
  dev_id: "u32",
  out_vdevice_id: "u32",
  virt_id: "u64",
} as const;
/**
 * Returns the id of a new virtual device in `out_vdevice_id`.
 *
 * @see include/uapi/linux/iommufd.h, struct iommu_vdevice_alloc
 */
export const iommu_vdevice_alloc: Layout<typeof iommu_vdevice_alloc_fields> = struct(
  "iommu_vdevice_alloc",
  iommu_vdevice_alloc_fields,
);

/** Fields of {@link iommu_veventq_alloc}. @internal */
export const iommu_veventq_alloc_fields = {
  size: "u32",
  flags: "u32",
  viommu_id: "u32",
  type: "u32",
  veventq_depth: "u32",
  out_veventq_id: "u32",
  out_veventq_fd: "u32",
  __reserved: "u32",
} as const;
/**
 * Returns a queue of events of a virtual IOMMU: an id and a descriptor to read.
 *
 * @see include/uapi/linux/iommufd.h, struct iommu_veventq_alloc
 */
export const iommu_veventq_alloc: Layout<typeof iommu_veventq_alloc_fields> = struct(
  "iommu_veventq_alloc",
  iommu_veventq_alloc_fields,
);

/** Fields of {@link iommufd_vevent_header}. @internal */
export const iommufd_vevent_header_fields = {
  flags: "u32",
  sequence: "u32",
} as const;
/**
 * Heads every event read from such a queue.
 *
 * @see include/uapi/linux/iommufd.h, struct iommufd_vevent_header
 */
export const iommufd_vevent_header: Layout<typeof iommufd_vevent_header_fields> = struct(
  "iommufd_vevent_header",
  iommufd_vevent_header_fields,
);

/** Fields of {@link iommu_vevent_arm_smmuv3}. @internal */
export const iommu_vevent_arm_smmuv3_fields = {
  evt: { array: "u64", length: 4 },
} as const;
/**
 * Holds an event record of SMMUv3.
 *
 * @see include/uapi/linux/iommufd.h, struct iommu_vevent_arm_smmuv3
 */
export const iommu_vevent_arm_smmuv3: Layout<typeof iommu_vevent_arm_smmuv3_fields> = struct(
  "iommu_vevent_arm_smmuv3",
  iommu_vevent_arm_smmuv3_fields,
);

/** Fields of {@link iommu_vevent_tegra241_cmdqv}. @internal */
export const iommu_vevent_tegra241_cmdqv_fields = {
  lvcmdq_err_map: { array: "u64", length: 2 },
} as const;
/**
 * Holds the error map of NVIDIA Tegra241's logical command queues.
 *
 * @see include/uapi/linux/iommufd.h, struct iommu_vevent_tegra241_cmdqv
 */
export const iommu_vevent_tegra241_cmdqv: Layout<typeof iommu_vevent_tegra241_cmdqv_fields> =
  struct("iommu_vevent_tegra241_cmdqv", iommu_vevent_tegra241_cmdqv_fields);

/** Fields of {@link iommu_hw_queue_alloc}. @internal */
export const iommu_hw_queue_alloc_fields = {
  size: "u32",
  flags: "u32",
  viommu_id: "u32",
  type: "u32",
  index: "u32",
  out_hw_queue_id: "u32",
  nesting_parent_iova: "u64",
  length: "u64",
} as const;
/**
 * Returns the id of a new hardware queue in `out_hw_queue_id`.
 *
 * @see include/uapi/linux/iommufd.h, struct iommu_hw_queue_alloc
 */
export const iommu_hw_queue_alloc: Layout<typeof iommu_hw_queue_alloc_fields> = struct(
  "iommu_hw_queue_alloc",
  iommu_hw_queue_alloc_fields,
);
