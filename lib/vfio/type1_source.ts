import { check, VfioError } from "../base/error.ts";
import type { Extent } from "../base/extent.ts";
import { ERRNO } from "../base/errno.ts";
import type { DirtyLabel } from "../dirty/label.ts";
import type { BitmapTarget, DirtySource, ReadRequest } from "../dirty/source.ts";
import { ADDRESS_END, describe } from "../rules/range.ts";
import type { Kernel } from "../sys/kernel.ts";
import type { ScopeKeeper } from "./scope.ts";
import {
  VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP,
  VFIO_IOMMU_DIRTY_PAGES_FLAG_START,
  VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP,
} from "../uapi/flag.ts";
import { VFIO_IOMMU_DIRTY_PAGES, VFIO_IOMMU_GET_INFO } from "../uapi/request.ts";
import {
  dirty_bitmap_get_request,
  vfio_iommu_type1_dirty_bitmap,
  vfio_iommu_type1_info,
} from "../uapi/type1.ts";

const NAME = "VFIO_IOMMU_DIRTY_PAGES";
const GONE = "the last device of the container was removed, or unbound from its driver, and all " +
  "mappings went with it; pinscope info lists the devices there are";

/** What {@link Type1Source} is made from. */
export interface Type1SourceInit {
  readonly kernel: Kernel;
  /** The container's file. */
  readonly fd: number;
  readonly pageSize: bigint;
  readonly maxBitmapBytes: number;
  /** What type1 reports, by the groups that are attached now. */
  readonly scope: ScopeKeeper;
}

/**
 * The dirty bitmap of a type1 container.
 *
 * @see drivers/vfio/vfio_iommu_type1.c, vfio_iommu_type1_dirty_pages
 */
export class Type1Source implements DirtySource {
  /** "type1". */
  readonly name = "type1";
  /** The only page size that the kernel takes for the bitmap. */
  readonly pageSize: bigint;
  /** max_dirty_bitmap_size of the MIGRATION capability. */
  readonly maxBitmapBytes: number;
  /** Gaps are left alone. */
  readonly spansGaps = true;
  readonly #init: Type1SourceInit;
  readonly #switch = vfio_iommu_type1_dirty_bitmap.create();
  readonly #get = dirty_bitmap_get_request.create();

  /** Made by `container.trackDirty`. */
  constructor(init: Type1SourceInit) {
    this.#init = init;
    this.pageSize = init.pageSize;
    this.maxBitmapBytes = init.maxBitmapBytes;
  }

  /** START. The kernel also answers 0 when tracking is on already. */
  start(): void {
    this.#set(VFIO_IOMMU_DIRTY_PAGES_FLAG_START, "start dirty tracking");
  }

  /** STOP. */
  stop(): void {
    this.#set(VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP, "stop dirty tracking");
  }

  #set(flag: number, action: string): void {
    const { kernel, fd } = this.#init;
    this.#switch.fields.argsz = vfio_iommu_type1_dirty_bitmap.size;
    this.#switch.fields.flags = flag;
    check(
      kernel.ioctlBuffer(fd, VFIO_IOMMU_DIRTY_PAGES, this.#switch.bytes),
      NAME,
      action,
      (errno) =>
        errno === ERRNO.ENOMEM
          ? "the kernel has no memory for a bitmap of each mapping"
          : undefined,
    );
  }

  /** GET_BITMAP. */
  reading(range: Extent, target: BitmapTarget): ReadRequest {
    const { fields, bytes } = this.#get;
    fields.argsz = dirty_bitmap_get_request.size;
    fields.flags = VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP;
    fields.iova = range.iova;
    fields.size = range.size;
    fields.pgsize = this.pageSize;
    fields.bitmap_size = BigInt(target.size);
    this.#get.point("data", target);
    return { fd: this.#init.fd, request: VFIO_IOMMU_DIRTY_PAGES, argument: bytes };
  }

  /** What GET_BITMAP answered. */
  checkRead(result: number, range: Extent): void {
    if (result >= 0) return;
    const action = `read the dirty pages of ${describe(range)}`;
    if (result === -ERRNO.EINVAL && this.#isGone()) {
      const details = { gone: true };
      throw new VfioError({ operation: NAME, errno: ERRNO.EINVAL, action, hint: GONE, details });
    }
    check(
      result,
      NAME,
      action,
      (errno) =>
        errno === ERRNO.EINVAL && range.iova + range.size === ADDRESS_END
          ? "before v6.18 the kernel cannot read the last page below 2^64: end the mapping a page " +
            "before it; take every mapped page of it as dirty"
          : errno === ERRNO.EINVAL
          ? "another user of the container stopped its tracking, or changed its mappings; take " +
            "every mapped page of it as dirty"
          : "some of its bits may be cleared and lost: take every mapped page of it as dirty",
    );
  }

  /** Whether the container has lost its groups: no request but those of the container works then. */
  #isGone(): boolean {
    const { kernel, fd } = this.#init;
    const { fields, bytes } = vfio_iommu_type1_info.create();
    fields.argsz = vfio_iommu_type1_info.size;
    return kernel.ioctlBuffer(fd, VFIO_IOMMU_GET_INFO, bytes) === -ERRNO.EINVAL;
  }

  /** By the groups that are attached; type1 does not tell mappings apart. */
  label(): DirtyLabel {
    return this.#init.scope.label;
  }

  /** A clean page proves that no group makes everything dirty. */
  sawClean(): DirtyLabel {
    this.#init.scope.sawClean();
    return this.label();
  }
}
