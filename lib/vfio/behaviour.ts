import { ERRNO } from "../base/errno.ts";
import { type Behaviour, BEHAVIOURS } from "../rules/behaviour.ts";
import { ADDRESS_END } from "../rules/range.ts";
import type { Kernel } from "../sys/kernel.ts";
import {
  VFIO_CHECK_EXTENSION,
  VFIO_IOMMU_GET_INFO,
  VFIO_IOMMU_UNMAP_DMA,
} from "../uapi/request.ts";
import { vfio_iommu_type1_dma_unmap, vfio_iommu_type1_info } from "../uapi/type1.ts";

/** Once VFIO_TYPE1_NESTING_IOMMU. */
const NESTING = 6n;

/**
 * Finds which kernel a container behaves like, by harmless questions: an extension that no driver
 * serves, an unmap of a range that wraps around 2^64, which every kernel refuses, and GET_INFO.
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
  const packsInfo = hasPackedInfo(kernel, fd);
  const known = BEHAVIOURS.find((one) =>
    one.top === top && one.nesting === nesting && (one.packsInfo ?? false) === packsInfo
  );
  return known ?? { name: "between", wrap: top ? "EOVERFLOW" : "EINVAL", top, nesting, packsInfo };
}

/** What the capabilities need is a multiple of 8 where each begins at one. */
function hasPackedInfo(kernel: Kernel, fd: number): boolean {
  const { fields, bytes } = vfio_iommu_type1_info.create();
  fields.argsz = vfio_iommu_type1_info.size;
  return kernel.ioctlBuffer(fd, VFIO_IOMMU_GET_INFO, bytes) === 0 && fields.argsz % 8 !== 0;
}
