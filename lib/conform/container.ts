/** A container made step by step through the seam. */

import { O_RDWR } from "../sys/constant.ts";
import type { Kernel } from "../sys/kernel.ts";
import { VFIO_TYPE1_IOMMU, VFIO_TYPE1v2_IOMMU } from "../uapi/flag.ts";
import {
  VFIO_GROUP_GET_DEVICE_FD,
  VFIO_GROUP_SET_CONTAINER,
  VFIO_GROUP_UNSET_CONTAINER,
  VFIO_IOMMU_DIRTY_PAGES,
  VFIO_IOMMU_GET_INFO,
  VFIO_IOMMU_MAP_DMA,
  VFIO_IOMMU_UNMAP_DMA,
  VFIO_SET_IOMMU,
} from "../uapi/request.ts";
import {
  dirty_bitmap_get_request,
  dma_unmap_with_bitmap_request,
  vfio_iommu_type1_dma_map,
} from "../uapi/type1.ts";
import { must, RawFile, words32 } from "./raw.ts";

/** A device by its name, and the number of its group. */
export interface Member {
  readonly name: string;
  readonly group: number;
}

/** The fields of a MAP request. */
export interface MapFields {
  argsz: number;
  flags: number;
  vaddr: bigint;
  iova: bigint;
  size: bigint;
}

/** The fields of an UNMAP, or of a DIRTY_PAGES request, whose structs happen to agree. */
export interface RangeFields {
  argsz: number;
  flags: number;
  iova: bigint;
  size: bigint;
  pgsize: bigint;
  bitmap_size: bigint;
  /** User address of the bitmap. */
  data: bigint;
}

/** What an UNMAP gave. */
export interface Unmapped {
  readonly result: number;
  /** The size that stands in the struct afterwards. */
  readonly size: bigint;
}

/** An open group. */
export class RawGroup extends RawFile {
  /** Asks to join a container, by the container's file number. */
  join(container: number): number {
    return this.ask(VFIO_GROUP_SET_CONTAINER, words32(container));
  }

  /** Leaves its container. */
  leave(): number {
    return this.call(VFIO_GROUP_UNSET_CONTAINER);
  }

  /** Opens a device by name. */
  deviceFd(name: string): number {
    return this.ask(VFIO_GROUP_GET_DEVICE_FD, new TextEncoder().encode(`${name}\0`));
  }

  /** Opens a device that must be there. */
  device(name: string): RawFile {
    return new RawFile(this.kernel, must(this.deviceFd(name), "GET_DEVICE_FD"));
  }

  /** Leaves its container, if it has one, and closes. */
  override [Symbol.dispose](): void {
    this.leave();
    super[Symbol.dispose]();
  }
}

/** Opens the node of a group. */
export function openGroup(kernel: Kernel, member: Member): RawGroup {
  const path = `/dev/vfio/${member.group}`;
  return new RawGroup(kernel, must(kernel.open(path, O_RDWR), "open of a group"));
}

/** Opens /dev/vfio/vfio. */
export function openContainer(kernel: Kernel): RawFile {
  return new RawFile(kernel, must(kernel.open("/dev/vfio/vfio", O_RDWR), "open of a container"));
}

/** A container with a group and an IOMMU type. */
export class RawContainer implements Disposable {
  /** The container's file. */
  readonly file: RawFile;
  /** Its first group. */
  readonly group: RawGroup;
  readonly #stack: DisposableStack;

  /** Makes one. */
  constructor(kernel: Kernel, member: Member, type: "v1" | "v2") {
    using stack = new DisposableStack();
    this.file = stack.use(openContainer(kernel));
    this.group = stack.use(openGroup(kernel, member));
    must(this.group.join(this.file.fd), "SET_CONTAINER");
    must(this.setIommu(type), "SET_IOMMU");
    this.#stack = stack.move();
  }

  /** SET_IOMMU. */
  setIommu(type: "v1" | "v2"): number {
    return this.file.askValue(
      VFIO_SET_IOMMU,
      type === "v1" ? VFIO_TYPE1_IOMMU : VFIO_TYPE1v2_IOMMU,
    );
  }

  /** Lets a further group join, which must work; it leaves at scope end. */
  join(member: Member): RawGroup {
    using stack = new DisposableStack();
    const group = stack.use(openGroup(this.file.kernel, member));
    must(group.join(this.file.fd), "SET_CONTAINER of a further group");
    stack.move();
    return group;
  }

  /** MAP_DMA. */
  map(fields: MapFields): number {
    const request = vfio_iommu_type1_dma_map.create();
    Object.assign(request.fields, fields);
    return this.file.ask(VFIO_IOMMU_MAP_DMA, request.bytes);
  }

  /** UNMAP_DMA. */
  unmap(fields: RangeFields): Unmapped {
    const request = dma_unmap_with_bitmap_request.create();
    const { data, ...rest } = fields;
    Object.assign(request.fields, rest);
    request.point("data", { address: data });
    const result = this.file.ask(VFIO_IOMMU_UNMAP_DMA, request.bytes);
    return { result, size: request.fields.size };
  }

  /** DIRTY_PAGES. */
  dirty(fields: RangeFields): number {
    const request = dirty_bitmap_get_request.create();
    const { data, ...rest } = fields;
    Object.assign(request.fields, rest);
    request.point("data", { address: data });
    return this.file.ask(VFIO_IOMMU_DIRTY_PAGES, request.bytes);
  }

  /** DIRTY_PAGES with 8 bytes: START and STOP. */
  dirtySwitch(flags: number): number {
    return this.file.ask(VFIO_IOMMU_DIRTY_PAGES, words32(8, flags));
  }

  /** GET_INFO; what it writes lies in `bytes`. */
  info(bytes: Uint8Array): number {
    return this.file.ask(VFIO_IOMMU_GET_INFO, bytes);
  }

  /** Closes everything. */
  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}
