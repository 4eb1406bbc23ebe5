import { check } from "../base/error.ts";
import {
  IOMMU_HW_CAP_DIRTY_TRACKING,
  IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED,
  IOMMU_HW_CAP_PCI_PASID_EXEC,
  IOMMU_HW_CAP_PCI_PASID_PRIV,
  IOMMU_HW_INFO_TYPE_AMD,
  IOMMU_HW_INFO_TYPE_ARM_SMMUV3,
  IOMMU_HW_INFO_TYPE_INTEL_VTD,
  IOMMU_HW_INFO_TYPE_NONE,
  IOMMU_HW_INFO_TYPE_TEGRA241_CMDQV,
} from "../uapi/flag.ts";
import { iommu_hw_info } from "../uapi/iommufd_hw.ts";
import { IOMMU_GET_HW_INFO } from "../uapi/request.ts";
import { explainHardware } from "./explain.ts";
import type { IommufdFile, IommufdObject } from "./object.ts";

/** What the IOMMU of a device says about itself. */
export interface HardwareInfo {
  /** The kind of IOMMU; its number where it is none of the known. */
  readonly type: "none" | "intel-vtd" | "arm-smmuv3" | "tegra241-cmdqv" | "amd" | number;
  /** Whether a page table for it can track dirty pages. */
  readonly dirtyTracking: boolean;
  /** Whether process address spaces may execute. */
  readonly pasidExec: boolean;
  /** Whether process address spaces may be privileged. */
  readonly pasidPrivileged: boolean;
  /** False where the kernel says that there are no address translation services. */
  readonly ats: boolean;
  /** Process address space ids have this many bits; 0 without them, and on kernels that do not tell. */
  readonly pasidBits: number;
  /** All capability bits. */
  readonly capabilities: bigint;
  /** The type's own struct, as `iommu_hw_info_vtd` of `@pinscope/vfio/uapi`. */
  readonly data: Uint8Array<ArrayBuffer>;
}

const TYPES: ReadonlyMap<number, HardwareInfo["type"]> = new Map<number, HardwareInfo["type"]>([
  [IOMMU_HW_INFO_TYPE_NONE, "none"],
  [IOMMU_HW_INFO_TYPE_INTEL_VTD, "intel-vtd"],
  [IOMMU_HW_INFO_TYPE_ARM_SMMUV3, "arm-smmuv3"],
  [IOMMU_HW_INFO_TYPE_TEGRA241_CMDQV, "tegra241-cmdqv"],
  [IOMMU_HW_INFO_TYPE_AMD, "amd"],
]);

/** Larger than any type's struct; what is larger still is asked for again. */
const ROOM = 64;

/** See `Iommufd.hardwareInfo`. */
export function readHardwareInfo(
  file: IommufdFile,
  device: IommufdObject,
  room: number = ROOM,
): HardwareInfo {
  const { kernel, fd } = file;
  const data = kernel.allocate(room);
  const struct = iommu_hw_info.create();
  const { fields } = struct;
  fields.size = iommu_hw_info.size;
  fields.dev_id = device.id;
  fields.data_len = room;
  struct.point("data_uptr", kernel.addressOf(data));
  const result = kernel.ioctlBuffer(fd, IOMMU_GET_HW_INFO, struct.bytes);
  const action = `read what the IOMMU of device ${device.id} can do`;
  check(result, "IOMMU_GET_HW_INFO", action, explainHardware);
  if (fields.data_len > room) return readHardwareInfo(file, device, fields.data_len);
  const capabilities = fields.out_capabilities;
  const has = (bit: number): boolean => (capabilities & BigInt(bit)) !== 0n;
  return {
    type: TYPES.get(fields.out_data_type) ?? fields.out_data_type,
    dirtyTracking: has(IOMMU_HW_CAP_DIRTY_TRACKING),
    pasidExec: has(IOMMU_HW_CAP_PCI_PASID_EXEC),
    pasidPrivileged: has(IOMMU_HW_CAP_PCI_PASID_PRIV),
    ats: !has(IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED),
    pasidBits: fields.out_max_pasid_log2,
    capabilities,
    data: data.slice(0, fields.data_len),
  };
}
