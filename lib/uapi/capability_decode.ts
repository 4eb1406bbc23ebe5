/**
 * Decodes single capabilities, as {@link capabilities} gives them, into plain objects.
 *
 * @module
 */
import {
  vfio_device_info_cap_pci_atomic_comp,
  vfio_info_cap_header,
  vfio_iommu_type1_info_cap_iova_range,
  vfio_iommu_type1_info_cap_migration,
  vfio_iommu_type1_info_dma_avail,
  vfio_iova_range,
  vfio_region_info_cap_sparse_mmap,
  vfio_region_info_cap_type,
  vfio_region_sparse_mmap_area,
} from "./capability_struct.ts";
import {
  VFIO_PCI_ATOMIC_COMP128,
  VFIO_PCI_ATOMIC_COMP32,
  VFIO_PCI_ATOMIC_COMP64,
  VFIO_REGION_INFO_CAP_MSIX_MAPPABLE,
} from "./flag_device.ts";
import type { AnyLayout } from "./layout.ts";

/** A range of device addresses that can be mapped; both ends are part of it. */
export interface UsableRange {
  /** The first byte. */
  readonly start: bigint;
  /** The last byte. */
  readonly end: bigint;
}

/** What dirty tracking offers. */
export interface MigrationInfo {
  /** The page sizes a dirty bitmap can have, one bit each. */
  readonly pageSizes: bigint;
  /** The most bytes a dirty bitmap may have. */
  readonly maxBitmapBytes: bigint;
}

/** A part of a region that can be mapped. */
export interface MappableArea {
  /** Where it begins, in bytes from the start of the region. */
  readonly offset: bigint;
  /** Its bytes. */
  readonly size: bigint;
}

/** What a device-specific region is. */
export interface RegionType {
  /** A `VFIO_REGION_TYPE_...`, or a PCI vendor id with the top bit set. */
  readonly type: number;
  /** A `VFIO_REGION_SUBTYPE_...`, whose meaning depends on `type`. */
  readonly subtype: number;
}

/** Which PCIe atomic operations the host completes. */
export interface AtomicCompletion {
  /** 32-bit operations. */
  readonly comp32: boolean;
  /** 64-bit operations. */
  readonly comp64: boolean;
  /** 128-bit compare-and-swap. */
  readonly comp128: boolean;
}

/** The kernel's count is believed only as far as the capability's own bytes reach. */
function room(bytes: Uint8Array, layout: AnyLayout, count = 0, item = 0): void {
  const needed = layout.size + count * item;
  if (needed > bytes.byteLength) {
    const what = count === 0 ? "" : ` with ${count} entries`;
    throw new RangeError(
      `Cannot read struct ${layout.tag}${what}: it needs ${needed} bytes, there are ${bytes.byteLength}`,
    );
  }
}

/** The entries of a flexible array. */
function entries<T>(
  bytes: Uint8Array,
  layout: AnyLayout,
  item: AnyLayout,
  count: number,
  read: (bytes: Uint8Array) => T,
): T[] {
  room(bytes, layout, count, item.size);
  return Array.from({ length: count }, (_, i) => read(bytes.subarray(layout.size + i * item.size)));
}

/**
 * Decodes the ranges of device addresses that can be mapped.
 *
 * @param bytes The capability VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE.
 * @throws {RangeError} If its bytes end before its last range.
 * @see include/uapi/linux/vfio.h, struct vfio_iommu_type1_info_cap_iova_range
 */
export function decodeIovaRanges(bytes: Uint8Array): UsableRange[] {
  const layout = vfio_iommu_type1_info_cap_iova_range;
  room(bytes, layout);
  return entries(bytes, layout, vfio_iova_range, layout.over(bytes).fields.nr_iovas, (at) => {
    const { start, end } = vfio_iova_range.over(at).fields;
    return { start, end };
  });
}

/**
 * Decodes what dirty tracking offers.
 *
 * @param bytes The capability VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION.
 * @throws {RangeError} If its bytes end early.
 * @see include/uapi/linux/vfio.h, struct vfio_iommu_type1_info_cap_migration
 */
export function decodeMigration(bytes: Uint8Array): MigrationInfo {
  room(bytes, vfio_iommu_type1_info_cap_migration);
  const { fields } = vfio_iommu_type1_info_cap_migration.over(bytes);
  return { pageSizes: fields.pgsize_bitmap, maxBitmapBytes: fields.max_dirty_bitmap_size };
}

/**
 * Decodes how many more mappings the container takes.
 *
 * @param bytes The capability VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL.
 * @returns A count of mappings; 0xffffffff from iommufd, which has no limit.
 * @throws {RangeError} If its bytes end early.
 * @see include/uapi/linux/vfio.h, struct vfio_iommu_type1_info_dma_avail
 */
export function decodeDmaAvail(bytes: Uint8Array): number {
  room(bytes, vfio_iommu_type1_info_dma_avail);
  return vfio_iommu_type1_info_dma_avail.over(bytes).fields.avail;
}

/**
 * Decodes the parts of a region that can be mapped.
 *
 * @param bytes The capability VFIO_REGION_INFO_CAP_SPARSE_MMAP.
 * @throws {RangeError} If its bytes end before its last area.
 * @see include/uapi/linux/vfio.h, struct vfio_region_info_cap_sparse_mmap
 */
export function decodeSparseMmap(bytes: Uint8Array): MappableArea[] {
  const layout = vfio_region_info_cap_sparse_mmap;
  const item = vfio_region_sparse_mmap_area;
  room(bytes, layout);
  return entries(bytes, layout, item, layout.over(bytes).fields.nr_areas, (at) => {
    const { offset, size } = item.over(at).fields;
    return { offset, size };
  });
}

/**
 * Decodes what a device-specific region is.
 *
 * @param bytes The capability VFIO_REGION_INFO_CAP_TYPE.
 * @throws {RangeError} If its bytes end early.
 * @see include/uapi/linux/vfio.h, struct vfio_region_info_cap_type
 */
export function decodeRegionType(bytes: Uint8Array): RegionType {
  room(bytes, vfio_region_info_cap_type);
  const { type, subtype } = vfio_region_info_cap_type.over(bytes).fields;
  return { type, subtype };
}

/**
 * Tells whether a region's capability says that the MSI-X table may be mapped with its BAR.
 *
 * @param bytes Any capability of a region; this one is a bare header.
 * @throws {RangeError} If there is no whole header.
 * @see include/uapi/linux/vfio.h, VFIO_REGION_INFO_CAP_MSIX_MAPPABLE
 */
export function decodeMsixMappable(bytes: Uint8Array): boolean {
  room(bytes, vfio_info_cap_header);
  return vfio_info_cap_header.over(bytes).fields.id === VFIO_REGION_INFO_CAP_MSIX_MAPPABLE;
}

/**
 * Decodes which PCIe atomic operations the host completes for the device.
 *
 * @param bytes The capability VFIO_DEVICE_INFO_CAP_PCI_ATOMIC_COMP.
 * @throws {RangeError} If its bytes end early.
 * @see include/uapi/linux/vfio.h, struct vfio_device_info_cap_pci_atomic_comp
 */
export function decodePciAtomicComp(bytes: Uint8Array): AtomicCompletion {
  room(bytes, vfio_device_info_cap_pci_atomic_comp);
  const { flags } = vfio_device_info_cap_pci_atomic_comp.over(bytes).fields;
  return {
    comp32: (flags & VFIO_PCI_ATOMIC_COMP32) !== 0,
    comp64: (flags & VFIO_PCI_ATOMIC_COMP64) !== 0,
    comp128: (flags & VFIO_PCI_ATOMIC_COMP128) !== 0,
  };
}
