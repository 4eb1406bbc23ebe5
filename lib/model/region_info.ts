import { ERRNO } from "../base/errno.ts";
import type { IndexRequest } from "../rules/device.ts";
import type { Refusal } from "../rules/refusal.ts";
import { vfio_region_info_cap_type } from "../uapi/capability_struct.ts";
import { vfio_region_info } from "../uapi/device.ts";
import {
  VFIO_REGION_INFO_CAP_TYPE,
  VFIO_REGION_INFO_FLAG_CAPS,
  VFIO_REGION_INFO_FLAG_MMAP,
  VFIO_REGION_INFO_FLAG_READ,
  VFIO_REGION_INFO_FLAG_WRITE,
} from "../uapi/flag.ts";
import type { RegionPart } from "./region_part.ts";

/** Where a region begins in the device's file. @see VFIO_PCI_INDEX_TO_OFFSET */
export const OFFSET_SHIFT = 40n;

/**
 * Answers GET_REGION_INFO: 0 or -errno.
 *
 * @see drivers/vfio/pci/vfio_pci_core.c, vfio_pci_ioctl_get_region_info
 */
export function fillRegionInfo(
  argument: Uint8Array,
  regions: ReadonlyMap<number, RegionPart>,
  check: (request: IndexRequest) => Refusal | undefined,
): number {
  const { size: head } = vfio_region_info;
  if (argument.length < head) return -ERRNO.EFAULT;
  const { fields } = vfio_region_info.over(argument);
  const { argsz, index } = fields;
  const refusal = check({ argsz, index });
  if (refusal !== undefined) return -refusal.errno;
  const region = regions.get(index);
  fields.cap_offset = 0;
  fields.size = BigInt(region?.size ?? 0);
  fields.offset = BigInt(index) << OFFSET_SHIFT;
  fields.flags = 0;
  if (region === undefined) return 0;
  fields.flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE |
    (region.canMap ? VFIO_REGION_INFO_FLAG_MMAP : 0);
  if (region.type === undefined) return 0;
  fields.flags |= VFIO_REGION_INFO_FLAG_CAPS;
  const cap = vfio_region_info_cap_type.create();
  if (argsz < head + cap.bytes.length) fields.argsz = head + cap.bytes.length;
  else if (argument.length < head + cap.bytes.length) return -ERRNO.EFAULT;
  else {
    cap.fields.header.id = VFIO_REGION_INFO_CAP_TYPE;
    cap.fields.header.version = 1;
    [cap.fields.type, cap.fields.subtype] = region.type;
    argument.set(cap.bytes, head);
    fields.cap_offset = head;
  }
  return 0;
}
