import { ERRNO } from "../base/errno.ts";
import { check, type Reason, VfioError } from "../base/error.ts";
import type { Kernel } from "../sys/kernel.ts";
import {
  capabilities,
  decodeRegionType,
  decodeSparseMmap,
  type MappableArea,
  type RegionType,
} from "../uapi/capability.ts";
import { vfio_region_info } from "../uapi/device.ts";
import {
  VFIO_REGION_INFO_CAP_SPARSE_MMAP,
  VFIO_REGION_INFO_CAP_TYPE,
  VFIO_REGION_INFO_FLAG_CAPS,
} from "../uapi/flag.ts";
import { VFIO_DEVICE_GET_REGION_INFO } from "../uapi/request.ts";
import { type RegionInfo, regionRights } from "./region.ts";

const MAX_INFO_BYTES = 1 << 20;

/**
 * Reads a region's size, place, rights and capabilities.
 *
 * @throws {VfioError} EINVAL, if there is no such region.
 */
export function readRegionInfo(
  owner: { readonly kernel: Kernel; readonly fd: number; readonly name: string },
  index: number,
): RegionInfo {
  const action = `read region ${index} of ${owner.name}`;
  const operation = "VFIO_DEVICE_GET_REGION_INFO";
  let size = vfio_region_info.size;
  for (;;) {
    const request = vfio_region_info.create(size - vfio_region_info.size);
    const { fields, bytes } = request;
    fields.argsz = size;
    fields.index = index;
    const result = owner.kernel.ioctlBuffer(owner.fd, VFIO_DEVICE_GET_REGION_INFO, bytes);
    check(result, operation, action, (errno) => noRegion(errno, index));
    if (fields.argsz <= size) {
      const hasCaps = (fields.flags & VFIO_REGION_INFO_FLAG_CAPS) !== 0 && fields.cap_offset !== 0;
      const { size: length, offset, flags } = fields;
      const caps = hasCaps ? readCapabilities(bytes, fields.cap_offset) : {};
      return {
        index,
        size: length,
        offset,
        ...regionRights(flags),
        mappable: undefined,
        type: undefined,
        ...caps,
      };
    }
    size = fields.argsz;
    if (size > MAX_INFO_BYTES) {
      const hint = `the kernel asks for ${size} bytes of capabilities`;
      throw new VfioError({ operation, errno: ERRNO.E2BIG, action, hint });
    }
  }
}

const noRegion = (errno: number, index: number): Reason | undefined =>
  errno === ERRNO.EINVAL
    ? { hint: `the device has no region ${index}`, rule: "device.region-index" }
    : undefined;

function readCapabilities(
  bytes: Uint8Array,
  first: number,
): { mappable?: readonly MappableArea[]; type?: RegionType } {
  const found: { mappable?: readonly MappableArea[]; type?: RegionType } = {};
  for (const capability of capabilities(bytes, first)) {
    if (capability.id === VFIO_REGION_INFO_CAP_SPARSE_MMAP) {
      found.mappable = decodeSparseMmap(capability.bytes);
    } else if (capability.id === VFIO_REGION_INFO_CAP_TYPE) {
      found.type = decodeRegionType(capability.bytes);
    }
  }
  return found;
}
