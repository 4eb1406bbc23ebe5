/** A container made by hand through the seam, where nothing checks a request before the kernel. */

import { errnoName, rawLinux as linux } from "../../../mod.ts";
import { O_RDWR } from "../../../lib/sys/constant.ts";
import { OwnedFd } from "../../../lib/sys/owned_fd.ts";
import {
  dirty_bitmap_get_request,
  dma_unmap_with_bitmap_request,
  VFIO_GROUP_SET_CONTAINER,
  VFIO_GROUP_UNSET_CONTAINER,
  VFIO_IOMMU_DIRTY_PAGES,
  VFIO_IOMMU_GET_INFO,
  VFIO_IOMMU_MAP_DMA,
  vfio_iommu_type1_dma_map,
  vfio_iommu_type1_info,
  VFIO_IOMMU_UNMAP_DMA,
  VFIO_SET_IOMMU,
  VFIO_TYPE1_IOMMU,
  VFIO_TYPE1v2_IOMMU,
} from "../../../lib/uapi/mod.ts";
import { EDU, groupOf } from "./machine.ts";

/** What the kernel answered: "OK", or the name of the error. */
export const answer = (result: number): string => result < 0 ? errnoName(-result) : "OK";

/** Stops a test whose preparation fails. */
export function must(result: number, what: string): number {
  if (result < 0) throw new Error(`${what}: ${answer(result)}`);
  return result;
}

/** Opens a file for reading and writing. */
export function openFile(path: string): OwnedFd {
  return new OwnedFd(linux, must(linux.open(path, O_RDWR), path), path);
}

/** Opens the node of a device's group. */
export const openGroup = (device: string = EDU): OwnedFd =>
  openFile(`/dev/vfio/${groupOf(device)}`);

/** Asks a group to join a container, by the container's file number. */
export function setContainer(group: number, container: number): number {
  const argument = new Uint8Array(Int32Array.of(container).buffer);
  return linux.ioctlBuffer(group, VFIO_GROUP_SET_CONTAINER, argument);
}

/** The fields of a MAP request. */
export interface MapFields {
  argsz: number;
  flags: number;
  vaddr: bigint;
  iova: bigint;
  size: bigint;
}

/** The fields of an UNMAP request; the last three only count with GET_DIRTY_BITMAP. */
export interface UnmapFields {
  argsz: number;
  flags: number;
  iova: bigint;
  size: bigint;
  pgsize: bigint;
  bitmap_size: bigint;
  /** User address of the bitmap. */
  data: bigint;
}

/** The fields of a DIRTY_PAGES request, which happen to be those of UNMAP. */
export type DirtyFields = UnmapFields;

/** A container with one group and an IOMMU type, made step by step. */
export class RawContainer implements Disposable {
  /** The container's file. */
  readonly fd: number;
  /** The file of its first group. */
  readonly group: number;
  readonly #stack: DisposableStack;

  constructor(type: "v1" | "v2" = "v2", device: string = EDU) {
    using stack = new DisposableStack();
    const file = stack.use(openFile("/dev/vfio/vfio"));
    const group = stack.use(openGroup(device));
    must(setContainer(group.fd, file.fd), "SET_CONTAINER");
    stack.defer(() => void linux.ioctl(group.fd, VFIO_GROUP_UNSET_CONTAINER));
    const id = type === "v1" ? VFIO_TYPE1_IOMMU : VFIO_TYPE1v2_IOMMU;
    must(linux.ioctlValue(file.fd, VFIO_SET_IOMMU, BigInt(id)), "SET_IOMMU");
    this.fd = file.fd;
    this.group = group.fd;
    this.#stack = stack.move();
  }

  /** MAP_DMA. */
  map(fields: MapFields): number {
    const request = vfio_iommu_type1_dma_map.create();
    Object.assign(request.fields, fields);
    return linux.ioctlBuffer(this.fd, VFIO_IOMMU_MAP_DMA, request.bytes);
  }

  /** UNMAP_DMA; also gives the size that the kernel wrote back. */
  unmap(fields: UnmapFields): { result: number; size: bigint } {
    const request = dma_unmap_with_bitmap_request.create();
    const { data, ...rest } = fields;
    Object.assign(request.fields, rest);
    request.point("data", { address: data });
    const result = linux.ioctlBuffer(this.fd, VFIO_IOMMU_UNMAP_DMA, request.bytes);
    return { result, size: request.fields.size };
  }

  /** DIRTY_PAGES. */
  dirty(fields: DirtyFields): number {
    const request = dirty_bitmap_get_request.create();
    const { data, ...rest } = fields;
    Object.assign(request.fields, rest);
    request.point("data", { address: data });
    return linux.ioctlBuffer(this.fd, VFIO_IOMMU_DIRTY_PAGES, request.bytes);
  }

  /** DIRTY_PAGES with 8 bytes: START and STOP. */
  dirtySwitch(flags: number): number {
    const bytes = new Uint8Array(Uint32Array.of(8, flags).buffer);
    return linux.ioctlBuffer(this.fd, VFIO_IOMMU_DIRTY_PAGES, bytes);
  }

  /** GET_INFO into `room` bytes of which the kernel is told `argsz`. */
  info(argsz: number, room: number = Math.max(argsz, 24)): {
    result: number;
    bytes: Uint8Array<ArrayBuffer>;
  } {
    const request = vfio_iommu_type1_info.create(room - 24);
    request.fields.argsz = argsz;
    const result = linux.ioctlBuffer(this.fd, VFIO_IOMMU_GET_INFO, request.bytes);
    return { result, bytes: request.bytes };
  }

  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}
