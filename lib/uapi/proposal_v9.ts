/**
 * The ABI that **never shipped**: dirty pages as version 9 of the patch series proposed them in
 * November 2019. No kernel of kernel.org has it, and its number 0x3b75 means VFIO_IOMMU_DIRTY_PAGES
 * since Linux v5.8 (2020). It is here for experiments on a model that speaks it, and apart from the
 * rest, because the struct has the tag of another one that did ship.
 *
 * @see https://lore.kernel.org/kvm/1573578220-7530-3-git-send-email-kwankhede@nvidia.com/
 *
 * @module
 */
import { type Layout, struct } from "./layout.ts";

/** Reads dirty pages, as proposed: the number, BASE + 17, is VFIO_IOMMU_DIRTY_PAGES today. */
export const VFIO_IOMMU_GET_DIRTY_BITMAP = 0x3b75;
/**
 * Unmaps and reads dirty pages, as proposed: BASE + 18, which no type1 container has today. The
 * flag GET_DIRTY_BITMAP of VFIO_IOMMU_UNMAP_DMA came instead.
 */
export const VFIO_IOMMU_UNMAP_DMA_GET_BITMAP = 0x3b76;

/** Fields of {@link vfio_iommu_type1_dirty_bitmap}. @internal */
export const vfio_iommu_type1_dirty_bitmap_fields = {
  argsz: "u32",
  flags: "u32",
  iova: "u64",
  size: "u64",
  bitmap_size: "u64",
  bitmap: "ptr",
} as const;
/**
 * Says which range to read, and where its bits go: `bitmap_size` bytes at `bitmap`. 40 bytes.
 *
 * The struct of the same tag that shipped has 8 bytes and another meaning.
 */
export const vfio_iommu_type1_dirty_bitmap: Layout<typeof vfio_iommu_type1_dirty_bitmap_fields> =
  struct("vfio_iommu_type1_dirty_bitmap", vfio_iommu_type1_dirty_bitmap_fields);
