import { ERRNO } from "../base/errno.ts";
import { firstRefusal } from "../rules/refusal.ts";
import { hasExtension, SET_IOMMU_RULES } from "../rules/setup.ts";
import { VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP, VFIO_TYPE1v2_IOMMU } from "../uapi/flag.ts";
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
import { dirtyPages, isUserRange } from "./dirty.ts";
import { type IoctlArgument, ModelFile } from "./file.ts";
import { getInfo } from "./iommu_info.ts";
import type { Process } from "./process.ts";
import { dirtyBitmapV9 } from "./proposal.ts";
import { type AttachedGroup, Type1, type Type1Host } from "./type1.ts";
import type { Unmapped } from "./type1_unmap.ts";
import { updateUserBitmap } from "./user_bitmap.ts";

/** What a container asks of the host. */
export interface ContainerHost extends Type1Host {
  /** Whether the IOMMU keeps the caches of the processor coherent. */
  readonly coherent: boolean;
}

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

  override ioctl(request: number, argument: IoctlArgument, current: Process): number {
    switch (request) {
      case VFIO_GET_API_VERSION:
        return 0;
      case VFIO_CHECK_EXTENSION:
        return this.#supports(Number(argument ?? 0)) ? 1 : 0;
      case VFIO_SET_IOMMU:
        return this.#setIommu(Number(argument ?? 0), current);
    }
    const { iommu } = this;
    if (iommu === undefined) return -ERRNO.EINVAL;
    const { memory } = current;
    switch (request) {
      case VFIO_IOMMU_GET_INFO:
        return getInfo(iommu, argument);
      case VFIO_IOMMU_MAP_DMA:
        return this.#map(iommu, argument, current);
      case VFIO_IOMMU_UNMAP_DMA:
        return this.#unmap(iommu, argument, current);
      case VFIO_IOMMU_DIRTY_PAGES:
        return iommu.proposal === undefined
          ? dirtyPages(iommu, memory, argument)
          : dirtyBitmapV9(iommu, memory, iommu.proposal, argument);
      default:
        return -ERRNO.ENOTTY;
    }
  }

  #supports(extension: number): boolean {
    return hasExtension(extension, {
      behaviour: this.#host.behaviour,
      hasIommu: this.iommu !== undefined,
      emulated: this.iommu?.emulated === true,
      coherent: this.iommu?.hasIommu !== true || this.#host.coherent,
    });
  }

  #setIommu(type: number, current: Process): number {
    const refusal = firstRefusal(SET_IOMMU_RULES, { type }, {
      behaviour: this.#host.behaviour,
      groups: this.groups.size,
      hasIommu: this.iommu !== undefined,
    });
    if (refusal !== undefined) return -refusal.errno;
    const iommu = new Type1(this.#host, type === VFIO_TYPE1v2_IOMMU);
    for (const group of this.groups) {
      const result = iommu.attach(group, current);
      if (result < 0) return result;
    }
    this.iommu = iommu;
    return 0;
  }

  /** SET_CONTAINER of a group. */
  attach(group: AttachedGroup, current: Process): number {
    const result = this.iommu?.attach(group, current) ?? 0;
    if (result === 0) this.groups.add(group);
    return result;
  }

  /** UNSET_CONTAINER of a group; the IOMMU goes with the last one. */
  detach(group: AttachedGroup): void {
    this.groups.delete(group);
    this.iommu?.detach(group);
    if (this.groups.size === 0) this.iommu = undefined;
  }

  #map(iommu: Type1, argument: IoctlArgument, current: Process): number {
    const { size: need } = vfio_iommu_type1_dma_map;
    if (!(argument instanceof Uint8Array) || argument.length < need) return -ERRNO.EFAULT;
    const { argsz, flags, vaddr, iova, size } = vfio_iommu_type1_dma_map.over(argument).fields;
    return iommu.map({ argsz, flags, vaddr, iova, size }, current);
  }

  #unmap(iommu: Type1, argument: IoctlArgument, current: Process): number {
    const { size: need } = vfio_iommu_type1_dma_unmap;
    if (!(argument instanceof Uint8Array) || argument.length < need) return -ERRNO.EFAULT;
    const request = vfio_iommu_type1_dma_unmap.over(argument).fields;
    const { argsz, flags, iova, size } = request;
    const withBitmap = (flags & VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP) !== 0 &&
      argsz >= dma_unmap_with_bitmap_request.size;
    const { result, removed } = withBitmap
      ? unmapWithBitmap(iommu, argument, current)
      : iommu.unmap({ argsz, flags, iova, size });
    // The size is written back on success only, also where mappings are gone.
    if (result === 0) request.size = removed;
    return result;
  }
}

function unmapWithBitmap(iommu: Type1, argument: Uint8Array, { memory }: Process): Unmapped {
  const failed = (errno: number): Unmapped => ({ result: -errno, removed: 0n });
  if (argument.length < dma_unmap_with_bitmap_request.size) return failed(ERRNO.EFAULT);
  const { argsz, flags, iova, size, pgsize, bitmap_size, data } = dma_unmap_with_bitmap_request
    .over(argument).fields;
  if (!isUserRange(data, bitmap_size)) return failed(ERRNO.EINVAL);
  const request = { argsz, flags, iova, size, bitmap: { pageSize: pgsize, size: bitmap_size } };
  const bitmap = { memory, address: data, base: iova };
  return iommu.unmap(request, (dma) => updateUserBitmap(iommu, dma, bitmap));
}
