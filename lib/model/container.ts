import { ERRNO } from "../base/errno.ts";
import {
  VFIO_DMA_CC_IOMMU,
  VFIO_DMA_MAP_FLAG_READ,
  VFIO_DMA_MAP_FLAG_VADDR,
  VFIO_DMA_MAP_FLAG_WRITE,
  VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP,
  VFIO_TYPE1_IOMMU,
  VFIO_TYPE1v2_IOMMU,
  VFIO_UNMAP_ALL,
  VFIO_UPDATE_VADDR,
} from "../uapi/flag.ts";
import {
  VFIO_CHECK_EXTENSION,
  VFIO_GET_API_VERSION,
  VFIO_IOMMU_DIRTY_PAGES,
  VFIO_IOMMU_GET_INFO,
  VFIO_IOMMU_MAP_DMA,
  VFIO_IOMMU_UNMAP_DMA,
  VFIO_SET_IOMMU,
} from "../uapi/request.ts";
import {
  dma_unmap_with_bitmap_request,
  vfio_iommu_type1_dma_map,
  vfio_iommu_type1_dma_unmap,
} from "../uapi/type1.ts";
import { copyBits, dirtyPages, isUserRange } from "./dirty.ts";
import { type IoctlArgument, ModelFile } from "./file.ts";
import { getInfo } from "./iommu_info.ts";
import { dirtyBitmapV9 } from "./proposal.ts";
import { type AttachedGroup, Type1, type Type1Host } from "./type1.ts";

/** What a container asks of the host. */
export interface ContainerHost extends Type1Host {
  /** Whether a group behind an IOMMU may be attached: interrupts are remapped, or the risk taken. */
  readonly interruptsSafe: boolean;
}

/** Extension 6 was a type that no driver ever served; kernels before v7.0 still list it. */
const NESTING = 6;
const TYPES: readonly number[] = [VFIO_TYPE1_IOMMU, VFIO_TYPE1v2_IOMMU];
/** Ids that type1 knows as extensions, and so claims at SET_IOMMU only to refuse them. */
const EXTENSIONS: readonly number[] = [VFIO_UNMAP_ALL, NESTING];

/**
 * An open /dev/vfio/vfio. When it is closed its groups stay in it, with all that is mapped, until they
 * leave or are closed.
 *
 * @see drivers/vfio/container.c
 */
export class ContainerFile extends ModelFile {
  /** The IOMMU, once SET_IOMMU has chosen one. */
  iommu: Type1 | undefined;
  /** Groups that are attached. */
  readonly groups: Set<AttachedGroup> = new Set();
  readonly #host: ContainerHost;

  /** A container without groups. */
  constructor(host: ContainerHost) {
    super();
    this.#host = host;
  }

  override ioctl(request: number, argument: IoctlArgument): number {
    switch (request) {
      case VFIO_GET_API_VERSION:
        return 0;
      case VFIO_CHECK_EXTENSION:
        return this.#supports(Number(argument)) ? 1 : 0;
      case VFIO_SET_IOMMU:
        return this.#setIommu(Number(argument));
    }
    const { iommu } = this;
    if (iommu === undefined) return -ERRNO.EINVAL;
    switch (request) {
      case VFIO_IOMMU_GET_INFO:
        return getInfo(iommu, argument);
      case VFIO_IOMMU_MAP_DMA:
        return this.#map(iommu, argument);
      case VFIO_IOMMU_UNMAP_DMA:
        return this.#unmap(iommu, argument);
      case VFIO_IOMMU_DIRTY_PAGES:
        return iommu.proposal === undefined
          ? dirtyPages(iommu, this.#host.memory, argument)
          : dirtyBitmapV9(iommu, this.#host.memory, iommu.proposal, argument);
      default:
        return -ERRNO.ENOTTY;
    }
  }

  #supports(extension: number): boolean {
    if (TYPES.includes(extension) || EXTENSIONS.includes(extension)) return true;
    const mdev = [...this.groups].some((group) => group.emulated);
    if (extension === VFIO_UPDATE_VADDR) return this.iommu !== undefined && !mdev;
    return extension === VFIO_DMA_CC_IOMMU && this.iommu?.hasIommu === true;
  }

  #setIommu(type: number): number {
    if (this.groups.size === 0 || this.iommu !== undefined) return -ERRNO.EINVAL;
    if (!TYPES.includes(type)) {
      return EXTENSIONS.includes(type) ? -ERRNO.EINVAL : -ERRNO.ENODEV;
    }
    const iommu = new Type1(this.#host, type === VFIO_TYPE1v2_IOMMU);
    for (const group of this.groups) {
      const result = this.#join(iommu, group);
      if (result < 0) return result;
    }
    this.iommu = iommu;
    return 0;
  }

  #join(iommu: Type1, group: AttachedGroup): number {
    if (!group.emulated && !this.#host.interruptsSafe) return -ERRNO.EPERM;
    return iommu.attach(group);
  }

  /** SET_CONTAINER of a group. */
  attach(group: AttachedGroup): number {
    const result = this.iommu === undefined ? 0 : this.#join(this.iommu, group);
    if (result === 0) this.groups.add(group);
    return result;
  }

  /** UNSET_CONTAINER of a group; the IOMMU goes with the last one. */
  detach(group: AttachedGroup): void {
    this.groups.delete(group);
    if (this.groups.size === 0) this.iommu?.release();
    this.iommu?.detach(group);
    if (this.groups.size === 0) this.iommu = undefined;
  }

  #map(iommu: Type1, argument: IoctlArgument): number {
    const { size: need } = vfio_iommu_type1_dma_map;
    if (!(argument instanceof Uint8Array) || argument.length < need) return -ERRNO.EFAULT;
    const { argsz, flags, vaddr, iova, size } = vfio_iommu_type1_dma_map.over(argument).fields;
    const known = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE | VFIO_DMA_MAP_FLAG_VADDR;
    if (argsz < need || (flags & ~known) !== 0) return -ERRNO.EINVAL;
    if ((flags & VFIO_DMA_MAP_FLAG_VADDR) !== 0) {
      return iommu.mappings.overlapping(iova, size) === undefined ? -ERRNO.ENOENT : -ERRNO.EINVAL;
    }
    return iommu.map(flags, vaddr, iova, size);
  }

  #unmap(iommu: Type1, argument: IoctlArgument): number {
    const { size: need } = vfio_iommu_type1_dma_unmap;
    if (!(argument instanceof Uint8Array) || argument.length < need) return -ERRNO.EFAULT;
    const request = vfio_iommu_type1_dma_unmap.over(argument).fields;
    const { argsz, flags, iova, size } = request;
    if (argsz < need) return -ERRNO.EINVAL;
    const removed = (flags & VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP) === 0
      ? iommu.unmap({ flags, iova, size })
      : this.#unmapWithBitmap(iommu, argument);
    if (removed < 0n) return Number(removed);
    request.size = removed;
    return 0;
  }

  #unmapWithBitmap(iommu: Type1, argument: Uint8Array): bigint {
    const { size: need } = dma_unmap_with_bitmap_request;
    if (argument.length < need) return BigInt(-ERRNO.EFAULT);
    const { argsz, flags, iova, size, pgsize, bitmap_size, data } = dma_unmap_with_bitmap_request
      .over(argument).fields;
    if (argsz < need || !isUserRange(data, bitmap_size)) return BigInt(-ERRNO.EINVAL);
    const request = { flags, iova, size, bitmap: { pageSize: pgsize, size: bitmap_size } };
    const bitmap = { base: iova, address: data, all: iommu.allDirty };
    return iommu.unmap(
      request,
      (dma) => copyBits(dma, iommu, this.#host.memory, bitmap) ? 0 : -ERRNO.EFAULT,
    );
  }
}
