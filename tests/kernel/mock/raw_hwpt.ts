/** Requests of page tables made by hand, where nothing checks them before the kernel. */

import type { Iommufd } from "../../../mod.ts";
import {
  IOMMU_DESTROY,
  IOMMU_HWPT_ALLOC,
  iommu_hwpt_alloc,
  IOMMU_HWPT_GET_DIRTY_BITMAP,
  iommu_hwpt_get_dirty_bitmap,
  IOMMU_HWPT_SET_DIRTY_TRACKING,
  iommu_hwpt_set_dirty_tracking,
} from "../../../lib/uapi/mod.ts";
import { answer } from "../support/raw.ts";

/** The fields of a GET_DIRTY_BITMAP. */
export interface GetFields {
  hwpt_id: number;
  flags: number;
  __reserved: number;
  iova: bigint;
  length: bigint;
  page_size: bigint;
  /** User address of the bitmap. */
  data: bigint;
}

/** GET_DIRTY_BITMAP; gives "OK" or the errno's name. */
export function getDirty(iommufd: Iommufd, { data, ...fields }: GetFields): string {
  const request = iommu_hwpt_get_dirty_bitmap.create();
  Object.assign(request.fields, fields, { size: iommu_hwpt_get_dirty_bitmap.size });
  request.point("data", { address: data });
  return answer(iommufd.rawIoctl(IOMMU_HWPT_GET_DIRTY_BITMAP, request.bytes));
}

/** SET_DIRTY_TRACKING. */
export function setTracking(
  iommufd: Iommufd,
  hwpt: number,
  flags: number,
  reserved: number = 0,
): string {
  const request = iommu_hwpt_set_dirty_tracking.create();
  const size = iommu_hwpt_set_dirty_tracking.size;
  Object.assign(request.fields, { size, hwpt_id: hwpt, flags, __reserved: reserved });
  return answer(iommufd.rawIoctl(IOMMU_HWPT_SET_DIRTY_TRACKING, request.bytes));
}

/** The fields of an HWPT_ALLOC. */
interface AllocFields {
  dev_id: number;
  pt_id: number;
  flags: number;
}

/** HWPT_ALLOC; a page table that comes out of it goes with the iommufd. */
export function allocTable(iommufd: Iommufd, fields: AllocFields): string {
  return makeTable(iommufd, fields).answer;
}

/** HWPT_ALLOC, with the number of the page table. */
export function makeTable(
  iommufd: Iommufd,
  fields: AllocFields,
): { readonly answer: string; readonly id: number } {
  const request = iommu_hwpt_alloc.create();
  Object.assign(request.fields, fields, { size: iommu_hwpt_alloc.size });
  const result = iommufd.rawIoctl(IOMMU_HWPT_ALLOC, request.bytes);
  return { answer: answer(result), id: request.fields.out_hwpt_id };
}

/** DESTROY. */
export function destroyObject(iommufd: Iommufd, id: number): string {
  return answer(iommufd.rawIoctl(IOMMU_DESTROY, new Uint8Array(Uint32Array.of(8, id).buffer)));
}

/** Any request of `size` bytes that claims to have so many; the rest is zero but for `last`. */
export function ofSize(
  iommufd: Iommufd,
  number: number,
  size: number,
  last: number = 0,
): string {
  const bytes = new Uint8Array(Math.max(size, 4));
  new DataView(bytes.buffer).setUint32(0, size, true);
  if (last !== 0) bytes[size - 1] = last;
  return answer(iommufd.rawIoctl(number, bytes));
}
