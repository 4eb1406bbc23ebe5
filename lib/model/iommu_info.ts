import { ERRNO } from "../base/errno.ts";
import { DIRTY_BITMAP_SIZE_MAX } from "../rules/dirty.ts";
import {
  vfio_info_cap_header,
  vfio_iommu_type1_info_cap_iova_range,
  vfio_iommu_type1_info_cap_migration,
  vfio_iommu_type1_info_dma_avail,
  vfio_iova_range,
} from "../uapi/capability_struct.ts";
import {
  VFIO_IOMMU_INFO_CAPS,
  VFIO_IOMMU_INFO_PGSIZES,
  VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE,
  VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION,
  VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL,
} from "../uapi/flag.ts";
import { vfio_iommu_type1_info } from "../uapi/type1.ts";
import type { IoctlArgument } from "./file.ts";
import type { Type1 } from "./type1.ts";

/** `iova_pgsizes` ends in front of cap_offset: the smallest argsz that is taken. */
const MIN_ARGSZ = 16;
/** Where cap_offset ends. */
const CAPS_ARGSZ = 20;
/** 4 KiB, 2 MiB and 1 GiB, as an IOMMU with huge pages says. */
const HUGE_PAGES = 0x4020_0000n;

/**
 * Answers GET_INFO with its capabilities, in the kernel's order.
 *
 * @see drivers/vfio/vfio_iommu_type1.c, vfio_iommu_type1_get_info
 */
export function getInfo(iommu: Type1, argument: IoctlArgument): number {
  if (!(argument instanceof Uint8Array) || argument.length < MIN_ARGSZ) return -ERRNO.EFAULT;
  const view = new DataView(argument.buffer, argument.byteOffset, argument.byteLength);
  const argsz = view.getUint32(0, true);
  if (argsz < MIN_ARGSZ) return -ERRNO.EINVAL;
  const chain = capabilityChain(iommu);
  const need = vfio_iommu_type1_info.size + chain.length;
  const fits = argsz >= need && argument.length >= need;
  const answer = vfio_iommu_type1_info.create();
  answer.fields.argsz = need;
  answer.fields.flags = VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS;
  answer.fields.iova_pgsizes = iommu.hasIommu
    ? iommu.pageSize | HUGE_PAGES
    : ~(iommu.pageSize - 1n) & 0xffff_ffff_ffff_ffffn;
  answer.fields.cap_offset = fits ? vfio_iommu_type1_info.size : 0;
  const end = writtenBytes(argsz, iommu.behaviour.packsInfo === true);
  argument.set(answer.bytes.subarray(0, Math.min(end, argument.length)));
  // With enough room argsz stays what the caller gave.
  if (fits) {
    view.setUint32(0, argsz, true);
    argument.set(chain, vfio_iommu_type1_info.size);
  }
  return 0;
}

/** How much of the struct is written to a caller who has so much room. */
function writtenBytes(argsz: number, packed: boolean): number {
  if (!packed) return Math.min(argsz, vfio_iommu_type1_info.size);
  return argsz >= CAPS_ARGSZ ? CAPS_ARGSZ : MIN_ARGSZ;
}

function capabilityChain(iommu: Type1): Uint8Array {
  // The capability came with the ABI that shipped.
  const parts = iommu.proposal === undefined ? [migration(iommu)] : [];
  parts.push(dmaAvail(iommu));
  if (iommu.ranges !== undefined) parts.push(iovaRange(iommu));
  let at = vfio_iommu_type1_info.size;
  parts.forEach((part, i) => {
    at += part.length;
    vfio_info_cap_header.over(part).fields.next = i < parts.length - 1 ? at : 0;
  });
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function migration(iommu: Type1): Uint8Array {
  const { fields, bytes } = vfio_iommu_type1_info_cap_migration.create();
  fields.header.id = VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION;
  fields.header.version = 1;
  fields.pgsize_bitmap = iommu.pageSize;
  fields.max_dirty_bitmap_size = BigInt(DIRTY_BITMAP_SIZE_MAX);
  return bytes;
}

function dmaAvail(iommu: Type1): Uint8Array {
  const padding = iommu.behaviour.packsInfo === true ? 0 : 4;
  const { fields, bytes } = vfio_iommu_type1_info_dma_avail.create(padding);
  fields.header.id = VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL;
  fields.header.version = 1;
  fields.avail = iommu.entriesLeft;
  return bytes;
}

function iovaRange(iommu: Type1): Uint8Array {
  const ranges = iommu.ranges ?? [];
  const head = vfio_iommu_type1_info_cap_iova_range;
  const { fields, bytes } = head.create(ranges.length * vfio_iova_range.size);
  fields.header.id = VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE;
  fields.header.version = 1;
  fields.nr_iovas = ranges.length;
  ranges.forEach(({ start, end }, i) => {
    const range = vfio_iova_range.over(bytes.subarray(head.size + i * vfio_iova_range.size));
    range.fields.start = start;
    range.fields.end = end;
  });
  return bytes;
}
