/** What GET_INFO says about a container, in the form that checks need. */

import { capabilities } from "../uapi/capability.ts";
import { decodeDmaAvail, decodeIovaRanges, type UsableRange } from "../uapi/capability_decode.ts";
import {
  VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE,
  VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL,
} from "../uapi/flag.ts";
import { vfio_iommu_type1_info } from "../uapi/type1.ts";
import type { RawContainer } from "./container.ts";
import { must, Unprepared } from "./raw.ts";

/** See the file. */
export interface Facts {
  /** Bytes that a whole answer needs. */
  readonly need: number;
  /** Smallest page, in bytes. */
  readonly page: bigint;
  /** Usable addresses; undefined where the kernel says none. */
  readonly ranges: readonly UsableRange[] | undefined;
  /** Mappings that may still be made. */
  readonly available: number;
  /** The whole answer. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Asks twice, as one does: for the room that is needed, and then with it. */
export function factsOf(container: RawContainer): Facts {
  const head = vfio_iommu_type1_info.create();
  head.fields.argsz = vfio_iommu_type1_info.size;
  must(container.info(head.bytes), "GET_INFO");
  const need = head.fields.argsz;
  const whole = vfio_iommu_type1_info.create(need - vfio_iommu_type1_info.size);
  whole.fields.argsz = need;
  must(container.info(whole.bytes), "GET_INFO");
  const { iova_pgsizes, cap_offset } = whole.fields;
  const chain = [...capabilities(whole.bytes, cap_offset, vfio_iommu_type1_info.size)];
  const bytesOf = (id: number): Uint8Array | undefined =>
    chain.find((capability) => capability.id === id)?.bytes;
  const avail = bytesOf(VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL);
  if (avail === undefined) throw new Unprepared("GET_INFO", "no DMA_AVAIL");
  const ranges = bytesOf(VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE);
  return {
    need,
    page: iova_pgsizes & -iova_pgsizes,
    ranges: ranges === undefined ? undefined : decodeIovaRanges(ranges),
    available: decodeDmaAvail(avail),
    bytes: whole.bytes,
  };
}
