/**
 * IOAS_MAP, IOAS_COPY and IOAS_UNMAP.
 *
 * @see drivers/iommu/iommufd/ioas.c
 * @module
 */

import { ExtentSet } from "../base/extent.ts";
import { ioasCopyRefusal, ioasMapRefusal, type IoasState } from "../rules/ioas.ts";
import { ioasUnmapRefusal, isAll } from "../rules/ioas_range.ts";
import { IOMMU_IOAS_MAP_FIXED_IOVA } from "../uapi/flag.ts";
import { iommu_ioas_copy, iommu_ioas_map, iommu_ioas_unmap } from "../uapi/iommufd.ts";
import type { IommufdCall } from "./iommufd.ts";
import { IoasObject } from "./iommufd_object.ts";
import { Pages } from "./iommufd_pages.ts";
import type { IoPagetable } from "./iopt.ts";
import type { Slice } from "./iopt_area.ts";

const WRITEABLE = 2;
/** What the rules see of an address space that is not there. */
const GONE: IoasState = { found: false, alignment: 1n, mappings: new ExtentSet(), ranges: [] };

const stateOf = (iopt: IoPagetable | undefined): IoasState => iopt?.state ?? GONE;

/** Maps slices at a given address or a free one: the address, or -errno. */
function place(iopt: IoPagetable, slices: readonly Slice[], flags: number, iova: bigint): bigint {
  const [first] = slices;
  const size = slices.reduce((sum, slice) => sum + slice.size, 0n);
  const fixed = (flags & IOMMU_IOAS_MAP_FIXED_IOVA) !== 0;
  const at = fixed ? iova : iopt.find({ ...first!, size });
  if (at < 0n) return at;
  const result = iopt.insert(at, slices, flags);
  return result < 0 ? BigInt(result) : at;
}

/** Answers IOAS_MAP: 0 or -errno. */
export function mapIoas({ bytes, objects, current }: IommufdCall): number {
  const { fields } = iommu_ioas_map.over(bytes);
  const { flags, ioas_id, user_va: vaddr, length: size, iova, __reserved: reserved } = fields;
  const iopt = objects.find(ioas_id, IoasObject)?.iopt;
  const refusal = ioasMapRefusal({ flags, reserved, iova, size, vaddr }, stateOf(iopt));
  if (refusal !== undefined) return -refusal.errno;
  const pages = new Pages(current, vaddr, (flags & WRITEABLE) !== 0, objects.account);
  const at = place(iopt!, [{ pages, start: vaddr - pages.address, size }], flags, iova);
  if (at < 0n) return Number(at);
  fields.iova = at;
  return 0;
}

/** What a range of an address space leads to; where something is missing, less. */
function slicesOf(iopt: IoPagetable | undefined, iova: bigint, size: bigint): Slice[] {
  const areas = size > 0n ? iopt?.areas.inRange(iova, size) ?? [] : [];
  return areas.map((area) => {
    const from = iova > area.iova ? iova : area.iova;
    const areaEnd = area.iova + area.size;
    const end = iova + size < areaEnd ? iova + size : areaEnd;
    return { pages: area.pages, start: area.start + from - area.iova, size: end - from };
  });
}

/** Answers IOAS_COPY: 0 or -errno. */
export function copyIoas({ bytes, objects }: IommufdCall): number {
  const { fields } = iommu_ioas_copy.over(bytes);
  const { flags, dst_ioas_id, src_ioas_id, length: size, dst_iova: iova, src_iova } = fields;
  const from = objects.find(src_ioas_id, IoasObject)?.iopt;
  const iopt = objects.find(dst_ioas_id, IoasObject)?.iopt;
  const slices = slicesOf(from, src_iova, size);
  const writable = slices.every(({ pages }) => pages.writable);
  const [first] = slices;
  const vaddr = first && first.pages.address + first.start;
  const request = { flags, iova, size, source: src_iova, vaddr };
  const refusal = ioasCopyRefusal(request, {
    ...stateOf(iopt),
    from: { found: from !== undefined, mappings: stateOf(from).mappings, writable },
  });
  if (refusal !== undefined) return -refusal.errno;
  const at = place(iopt!, slices, flags, iova);
  if (at < 0n) return Number(at);
  fields.dst_iova = at;
  return 0;
}

/** Answers IOAS_UNMAP: 0 or -errno. What lies before a mapping that is cut is gone all the same. */
export function unmapIoas({ bytes, objects }: IommufdCall): number {
  const { fields } = iommu_ioas_unmap.over(bytes);
  const { ioas_id, iova, length: size } = fields;
  const iopt = objects.find(ioas_id, IoasObject)?.iopt;
  const refusal = ioasUnmapRefusal({ iova, size }, stateOf(iopt));
  if (refusal !== undefined && refusal.rule !== "ioas.unmap-cut") return -refusal.errno;
  const last = isAll({ iova, size }) ? size : iova + size - 1n;
  const { result, removed } = iopt!.unmap(iova, last);
  if (result === 0) fields.length = removed;
  return result;
}
