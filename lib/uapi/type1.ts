/**
 * Structs for a container with the type 1 IOMMU.
 *
 * @see include/uapi/linux/vfio.h
 *
 * @module
 */
import { type Layout, struct } from "./layout.ts";

/** Fields of {@link vfio_iommu_type1_info}. @internal */
export const vfio_iommu_type1_info_fields = {
  argsz: "u32",
  flags: "u32",
  iova_pgsizes: "u64",
  cap_offset: "u32",
  pad: "u32",
} as const;
/**
 * Holds what IOMMU_GET_INFO tells; a chain of capabilities may follow it in the buffer.
 *
 * The kernel takes an `argsz` of 16 and up. With too little room for the chain it still succeeds, with the
 * CAPS flag set, `cap_offset` 0 and `argsz` raised to what is needed.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_iommu_type1_info
 */
export const vfio_iommu_type1_info: Layout<typeof vfio_iommu_type1_info_fields> = struct(
  "vfio_iommu_type1_info",
  vfio_iommu_type1_info_fields,
);

/** Fields of {@link vfio_iommu_type1_dma_map}. @internal */
export const vfio_iommu_type1_dma_map_fields = {
  argsz: "u32",
  flags: "u32",
  vaddr: "u64",
  iova: "u64",
  size: "u64",
} as const;
/**
 * Asks MAP_DMA to map `size` bytes of process memory at `vaddr` to the device address `iova`.
 *
 * `vaddr` is a plain number here: the memory must live as long as the mapping, not only for the call.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_iommu_type1_dma_map
 */
export const vfio_iommu_type1_dma_map: Layout<typeof vfio_iommu_type1_dma_map_fields> = struct(
  "vfio_iommu_type1_dma_map",
  vfio_iommu_type1_dma_map_fields,
);

/** Fields of {@link vfio_bitmap}. @internal */
export const vfio_bitmap_fields = {
  pgsize: "u64",
  size: "u64",
  data: "ptr",
} as const;
/**
 * Says where a dirty bitmap goes: `size` bytes at `data`, one bit for each page of `pgsize` bytes.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_bitmap
 */
export const vfio_bitmap: Layout<typeof vfio_bitmap_fields> = struct(
  "vfio_bitmap",
  vfio_bitmap_fields,
);

/** Fields of {@link vfio_iommu_type1_dma_unmap}. @internal */
export const vfio_iommu_type1_dma_unmap_fields = {
  argsz: "u32",
  flags: "u32",
  iova: "u64",
  size: "u64",
  data: { flex: "u8" },
} as const;
/**
 * Asks UNMAP_DMA to remove a range; the kernel writes the bytes removed into `size`.
 *
 * With GET_DIRTY_BITMAP a {@link vfio_bitmap} follows as `data`; see {@link dma_unmap_with_bitmap_request}.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_iommu_type1_dma_unmap
 */
export const vfio_iommu_type1_dma_unmap: Layout<typeof vfio_iommu_type1_dma_unmap_fields> = struct(
  "vfio_iommu_type1_dma_unmap",
  vfio_iommu_type1_dma_unmap_fields,
);

/** Fields of {@link vfio_iommu_type1_dirty_bitmap}. @internal */
export const vfio_iommu_type1_dirty_bitmap_fields = {
  argsz: "u32",
  flags: "u32",
  data: { flex: "u8" },
} as const;
/**
 * Asks DIRTY_PAGES to start, stop or read.
 *
 * To read, a {@link vfio_iommu_type1_dirty_bitmap_get} follows as `data`; see {@link dirty_bitmap_get_request}.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_iommu_type1_dirty_bitmap
 */
export const vfio_iommu_type1_dirty_bitmap: Layout<typeof vfio_iommu_type1_dirty_bitmap_fields> =
  struct("vfio_iommu_type1_dirty_bitmap", vfio_iommu_type1_dirty_bitmap_fields);

/** Fields of {@link vfio_iommu_type1_dirty_bitmap_get}. @internal */
export const vfio_iommu_type1_dirty_bitmap_get_fields = {
  iova: "u64",
  size: "u64",
  bitmap: vfio_bitmap,
} as const;
/**
 * Says which range of device addresses to read, and where its bits go.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_iommu_type1_dirty_bitmap_get
 */
export const vfio_iommu_type1_dirty_bitmap_get: Layout<
  typeof vfio_iommu_type1_dirty_bitmap_get_fields
> = struct("vfio_iommu_type1_dirty_bitmap_get", vfio_iommu_type1_dirty_bitmap_get_fields);

/** Fields of {@link dirty_bitmap_get_request}. @internal */
export const dirty_bitmap_get_request_fields = {
  argsz: "u32",
  flags: "u32",
  iova: "u64",
  size: "u64",
  pgsize: "u64",
  bitmap_size: "u64",
  data: "ptr",
} as const;
/**
 * Joins the two structs that a read of dirty bits sends, as one image of 48 bytes.
 *
 * Bit 0 of the bitmap is the page at `iova`. `argsz` is 48: it leaves out the bitmap itself.
 * The memory at `data` must be zero before the call, and need not live longer than the call.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_iommu_type1_dirty_bitmap followed by struct vfio_iommu_type1_dirty_bitmap_get
 */
export const dirty_bitmap_get_request: Layout<typeof dirty_bitmap_get_request_fields> = struct(
  "dirty_bitmap_get_request",
  dirty_bitmap_get_request_fields,
);

/** Fields of {@link dma_unmap_with_bitmap_request}. @internal */
export const dma_unmap_with_bitmap_request_fields = {
  argsz: "u32",
  flags: "u32",
  iova: "u64",
  size: "u64",
  pgsize: "u64",
  bitmap_size: "u64",
  data: "ptr",
} as const;
/**
 * Joins the two structs that an unmap with GET_DIRTY_BITMAP sends, as one image of 48 bytes.
 *
 * It is the only way to read the dirty bits of a mapping that goes. The fields lie where those of
 * {@link dirty_bitmap_get_request} lie, though the C structs are others.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_iommu_type1_dma_unmap followed by struct vfio_bitmap
 */
export const dma_unmap_with_bitmap_request: Layout<typeof dma_unmap_with_bitmap_request_fields> =
  struct("dma_unmap_with_bitmap_request", dma_unmap_with_bitmap_request_fields);
