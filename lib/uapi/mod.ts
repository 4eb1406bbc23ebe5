/**
 * The kernel's VFIO and iommufd headers as data.
 *
 * @module
 */
export * from "./capability.ts";
export * from "./capability_struct.ts";
export * from "./device.ts";
export * from "./device_cdev.ts";
export * from "./feature.ts";
export * from "./flag.ts";
export * from "./group.ts";
export * from "./iommufd.ts";
export * from "./iommufd_event.ts";
export * from "./iommufd_hw.ts";
export * from "./iommufd_hwpt.ts";
export * from "./layout.ts";
export * from "./request.ts";
export * from "./spapr.ts";
export * from "./type1.ts";
