/** An iommufd and what is in it, asked step by step through the seam. */

import { O_RDWR } from "../sys/constant.ts";
import type { Kernel } from "../sys/kernel.ts";
import {
  iommu_destroy,
  iommu_ioas_alloc,
  iommu_ioas_allow_iovas,
  iommu_ioas_copy,
  iommu_ioas_iova_ranges,
  iommu_ioas_map,
  iommu_ioas_unmap,
  iommu_iova_range,
  iommu_option,
} from "../uapi/iommufd.ts";
import {
  iommu_hwpt_alloc,
  iommu_hwpt_get_dirty_bitmap,
  iommu_hwpt_set_dirty_tracking,
} from "../uapi/iommufd_hwpt.ts";
import {
  IOMMU_DESTROY,
  IOMMU_HWPT_ALLOC,
  IOMMU_HWPT_GET_DIRTY_BITMAP,
  IOMMU_HWPT_SET_DIRTY_TRACKING,
  IOMMU_IOAS_ALLOC,
  IOMMU_IOAS_ALLOW_IOVAS,
  IOMMU_IOAS_COPY,
  IOMMU_IOAS_IOVA_RANGES,
  IOMMU_IOAS_MAP,
  IOMMU_IOAS_UNMAP,
  IOMMU_OPTION,
} from "../uapi/request.ts";
import { must, RawFile } from "./raw.ts";

/** Numbers for the fields of a struct. */
export type Numbers = Readonly<Record<string, number | bigint>>;

/** What came of a request that gives something back. */
export interface Given<T> {
  readonly result: number;
  readonly value: T;
}

interface Request {
  readonly bytes: Uint8Array;
  readonly fields: object;
}

/** An open /dev/iommu. */
export class RawIommufd extends RawFile {
  /** Opens one, which must work. */
  static open(kernel: Kernel): RawIommufd {
    return new RawIommufd(kernel, must(kernel.open("/dev/iommu", O_RDWR), "open of /dev/iommu"));
  }

  /** Sends a request whose struct is filled: its size first, unless the fields say another one. */
  send(number: number, request: Request, fields: Numbers): number {
    Object.assign(request.fields, { size: request.bytes.length, ...fields });
    return this.ask(number, request.bytes);
  }

  /** Makes an address space, which must work. */
  ioas(): number {
    const request = iommu_ioas_alloc.create();
    must(this.send(IOMMU_IOAS_ALLOC, request, {}), "IOAS_ALLOC");
    return request.fields.out_ioas_id;
  }

  /** IOAS_MAP. */
  map(fields: Numbers): Given<bigint> {
    const request = iommu_ioas_map.create();
    const result = this.send(IOMMU_IOAS_MAP, request, fields);
    return { result, value: request.fields.iova };
  }

  /** IOAS_COPY. */
  copy(fields: Numbers): Given<bigint> {
    const request = iommu_ioas_copy.create();
    const result = this.send(IOMMU_IOAS_COPY, request, fields);
    return { result, value: request.fields.dst_iova };
  }

  /** IOAS_UNMAP; gives what stands in `length` afterwards. */
  unmap(ioas: number, iova: bigint, length: bigint): Given<bigint> {
    const request = iommu_ioas_unmap.create();
    const result = this.send(IOMMU_IOAS_UNMAP, request, { ioas_id: ioas, iova, length });
    return { result, value: request.fields.length };
  }

  /** IOAS_UNMAP of everything: the bytes that went. */
  unmapAll(ioas: number): bigint {
    return this.unmap(ioas, 0n, (1n << 64n) - 1n).value;
  }

  /** ALLOW_IOVAS; `list` is the address of a list elsewhere. */
  allow(
    ioas: number,
    ranges: readonly (readonly [bigint, bigint])[],
    more: { list?: bigint; reserved?: number } = {},
  ): number {
    const { size } = iommu_iova_range;
    const bytes = this.kernel.allocate(Math.max(1, ranges.length) * size);
    ranges.forEach(([start, last], i) => {
      Object.assign(iommu_iova_range.over(bytes.subarray(i * size)).fields, { start, last });
    });
    const request = iommu_ioas_allow_iovas.create();
    const list = this.kernel.addressOf(bytes);
    request.point("allowed_iovas", more.list === undefined ? list : { address: more.list });
    const fields = { ioas_id: ioas, num_iovas: ranges.length, __reserved: more.reserved ?? 0 };
    return this.send(IOMMU_IOAS_ALLOW_IOVAS, request, fields);
  }

  /** IOVA_RANGES with room for some: those that were written, how many there are, and the unit. */
  ranges(
    ioas: number,
    room: number,
    more: { list?: bigint; reserved?: number } = {},
  ): Given<{ ranges: string[]; count: number; alignment: bigint }> {
    const { size } = iommu_iova_range;
    const bytes = this.kernel.allocate(Math.max(1, room) * size);
    const request = iommu_ioas_iova_ranges.create();
    const list = this.kernel.addressOf(bytes);
    request.point("allowed_iovas", more.list === undefined ? list : { address: more.list });
    const fields = { ioas_id: ioas, num_iovas: room, __reserved: more.reserved ?? 0 };
    const result = this.send(IOMMU_IOAS_IOVA_RANGES, request, fields);
    const count = request.fields.num_iovas;
    const ranges = Array.from({ length: Math.min(count, room) }, (_, i) => {
      const { start, last } = iommu_iova_range.over(bytes.subarray(i * size)).fields;
      return `0x${start.toString(16)}..0x${last.toString(16)}`;
    });
    return { result, value: { ranges, count, alignment: request.fields.out_iova_alignment } };
  }

  /** OPTION; gives the value afterwards. */
  option(fields: Numbers): Given<bigint> {
    const request = iommu_option.create();
    const result = this.send(IOMMU_OPTION, request, fields);
    return { result, value: request.fields.val64 };
  }

  /** DESTROY. */
  destroy(id: number): number {
    return this.send(IOMMU_DESTROY, iommu_destroy.create(), { id });
  }

  /** HWPT_ALLOC. */
  hwpt(fields: Numbers): Given<number> {
    const request = iommu_hwpt_alloc.create();
    const result = this.send(IOMMU_HWPT_ALLOC, request, fields);
    return { result, value: request.fields.out_hwpt_id };
  }

  /** HWPT_SET_DIRTY_TRACKING. */
  track(fields: Numbers): number {
    return this.send(
      IOMMU_HWPT_SET_DIRTY_TRACKING,
      iommu_hwpt_set_dirty_tracking.create(),
      fields,
    );
  }

  /** HWPT_GET_DIRTY_BITMAP into memory at an address. */
  dirty(fields: Numbers, data: bigint): number {
    const request = iommu_hwpt_get_dirty_bitmap.create();
    request.point("data", { address: data });
    return this.send(IOMMU_HWPT_GET_DIRTY_BITMAP, request, fields);
  }
}
