import { ERRNO } from "../base/errno.ts";
import { BEFORE_V6_18, type Behaviour, SINCE_V7 } from "../rules/behaviour.ts";
import { ADDRESS_END } from "../rules/range.ts";
import type { Kernel } from "../sys/kernel.ts";
import { VFIO_CHECK_EXTENSION, VFIO_IOMMU_UNMAP_DMA } from "../uapi/request.ts";
import { vfio_iommu_type1_dma_unmap } from "../uapi/type1.ts";

/** Once VFIO_TYPE1_NESTING_IOMMU. */
const NESTING = 6n;

/**
 * Finds which kernel a container behaves like, by two harmless questions: an extension that no
 * driver serves, and an unmap of a range that wraps around 2^64, which every kernel refuses.
 *
 * That a range may end at 2^64 came with the same change as the error of one that wraps, and is
 * concluded from it.
 *
 * @param fd A container that has its IOMMU.
 * @param pageSize The smallest page of that IOMMU, in bytes.
 */
export function probeBehaviour(kernel: Kernel, fd: number, pageSize: bigint): Behaviour {
  const nesting = kernel.ioctlValue(fd, VFIO_CHECK_EXTENSION, NESTING) > 0;
  const { fields, bytes } = vfio_iommu_type1_dma_unmap.create();
  fields.argsz = vfio_iommu_type1_dma_unmap.size;
  fields.iova = ADDRESS_END - pageSize;
  fields.size = 2n * pageSize;
  const top = kernel.ioctlBuffer(fd, VFIO_IOMMU_UNMAP_DMA, bytes) === -ERRNO.EOVERFLOW;
  const known = [BEFORE_V6_18, SINCE_V7].find((one) => one.top === top && one.nesting === nesting);
  return known ?? { name: "between", wrap: top ? "EOVERFLOW" : "EINVAL", top, nesting };
}
