/**
 * The kernel's VFIO and iommufd headers as data: request numbers, flags and structs under their C
 * names, a decoder of requests, and a walker of capability chains.
 *
 * Nothing here calls the kernel or needs a permission: a struct is a buffer with typed fields, which
 * any ioctl can take.
 *
 * @example The request that maps memory for a device
 * ```ts
 * import {
 *   describeRequest,
 *   VFIO_DMA_MAP_FLAG_READ,
 *   VFIO_DMA_MAP_FLAG_WRITE,
 *   VFIO_IOMMU_MAP_DMA,
 *   vfio_iommu_type1_dma_map,
 * } from "@pinscope/vfio/uapi";
 *
 * const request = vfio_iommu_type1_dma_map.create();
 * request.fields.argsz = vfio_iommu_type1_dma_map.size;
 * request.fields.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE;
 * request.fields.iova = 0x1_0000_0000n;
 * request.fields.size = 0x20_0000n;
 *
 * const { name, fields } = describeRequest("container", VFIO_IOMMU_MAP_DMA, request.bytes);
 * const text = `${name} ${fields.flags} at ${fields.iova}`;
 * if (text !== "VFIO_IOMMU_MAP_DMA READ|WRITE at 0x100000000") throw new Error(text);
 * ```
 *
 * @module
 */
export * from "./capability.ts";
export * from "./capability_struct.ts";
export * from "./decode.ts";
export * from "./device.ts";
export * from "./device_cdev.ts";
export * from "./encode.ts";
export * from "./feature.ts";
export * from "./flag.ts";
export * from "./flag_name.ts";
export * from "./group.ts";
export * from "./iommufd.ts";
export * from "./iommufd_event.ts";
export * from "./iommufd_hw.ts";
export * from "./iommufd_hwpt.ts";
export * from "./layout.ts";
/** The ABI of the v9 patch series, which never shipped. */
export * as proposal_v9 from "./proposal_v9.ts";
export * from "./request.ts";
export * from "./spapr.ts";
export * from "./type1.ts";
