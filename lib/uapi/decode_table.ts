/**
 * Which request a number is, for each kind of descriptor, and what it takes.
 *
 * @module
 */
import {
  vfio_device_attach_iommufd_pt,
  vfio_device_bind_iommufd,
  vfio_device_detach_iommufd_pt,
} from "./device_cdev.ts";
import {
  vfio_device_gfx_plane_info,
  vfio_device_info,
  vfio_device_ioeventfd,
  vfio_irq_info,
  vfio_irq_set,
  vfio_pci_hot_reset,
  vfio_pci_hot_reset_info,
  vfio_region_info,
} from "./device.ts";
import { vfio_device_feature, vfio_precopy_info } from "./feature.ts";
import { vfio_group_status } from "./group.ts";
import * as event from "./iommufd_event.ts";
import { iommu_hw_info } from "./iommufd_hw.ts";
import * as hwpt from "./iommufd_hwpt.ts";
import * as ioas from "./iommufd.ts";
import type { AnyLayout } from "./layout.ts";
import * as R from "./request.ts";
import * as spapr from "./spapr.ts";
import * as type1 from "./type1.ts";

/**
 * What a descriptor is. An iommufd also answers the requests of a container, and a container that
 * iommufd stands behind answers those of iommufd.
 */
export type FdKind =
  | "container"
  | "spapr-container"
  | "group"
  | "device"
  | "iommufd"
  | "migration";

/** What a request takes: nothing, a value, or a pointer to a number, a text or a struct. */
export type Argument = "none" | "value" | "s32" | "u32" | "text" | AnyLayout;

/** A request by its C name. */
export interface RequestEntry {
  /** The C name. */
  readonly name: string;
  /** What it takes. */
  readonly argument: Argument;
}

type Row = readonly [number: number, name: string, argument: Argument];
type Table = ReadonlyMap<number, RequestEntry>;

const table = (...rows: readonly (readonly Row[])[]): Table =>
  new Map(rows.flat().map(([number, name, argument]) => [number, { name, argument }]));

const COMMON: readonly Row[] = [
  [R.VFIO_GET_API_VERSION, "VFIO_GET_API_VERSION", "none"],
  [R.VFIO_CHECK_EXTENSION, "VFIO_CHECK_EXTENSION", "value"],
  [R.VFIO_SET_IOMMU, "VFIO_SET_IOMMU", "value"],
  [R.VFIO_IOMMU_MAP_DMA, "VFIO_IOMMU_MAP_DMA", type1.vfio_iommu_type1_dma_map],
  [R.VFIO_IOMMU_UNMAP_DMA, "VFIO_IOMMU_UNMAP_DMA", type1.vfio_iommu_type1_dma_unmap],
  [R.VFIO_IOMMU_ENABLE, "VFIO_IOMMU_ENABLE", "none"],
  [R.VFIO_IOMMU_DISABLE, "VFIO_IOMMU_DISABLE", "none"],
];

const TYPE1: readonly Row[] = [
  [R.VFIO_IOMMU_GET_INFO, "VFIO_IOMMU_GET_INFO", type1.vfio_iommu_type1_info],
  [R.VFIO_IOMMU_DIRTY_PAGES, "VFIO_IOMMU_DIRTY_PAGES", type1.vfio_iommu_type1_dirty_bitmap],
];

const SPAPR: readonly Row[] = [
  [
    R.VFIO_IOMMU_SPAPR_TCE_GET_INFO,
    "VFIO_IOMMU_SPAPR_TCE_GET_INFO",
    spapr.vfio_iommu_spapr_tce_info,
  ],
  [
    R.VFIO_IOMMU_SPAPR_REGISTER_MEMORY,
    "VFIO_IOMMU_SPAPR_REGISTER_MEMORY",
    spapr.vfio_iommu_spapr_register_memory,
  ],
  [
    R.VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY,
    "VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY",
    spapr.vfio_iommu_spapr_register_memory,
  ],
  [
    R.VFIO_IOMMU_SPAPR_TCE_CREATE,
    "VFIO_IOMMU_SPAPR_TCE_CREATE",
    spapr.vfio_iommu_spapr_tce_create,
  ],
  [
    R.VFIO_IOMMU_SPAPR_TCE_REMOVE,
    "VFIO_IOMMU_SPAPR_TCE_REMOVE",
    spapr.vfio_iommu_spapr_tce_remove,
  ],
  [R.VFIO_EEH_PE_OP, "VFIO_EEH_PE_OP", spapr.vfio_eeh_pe_op],
];

const GROUP: readonly Row[] = [
  [R.VFIO_GROUP_GET_STATUS, "VFIO_GROUP_GET_STATUS", vfio_group_status],
  [R.VFIO_GROUP_SET_CONTAINER, "VFIO_GROUP_SET_CONTAINER", "s32"],
  [R.VFIO_GROUP_UNSET_CONTAINER, "VFIO_GROUP_UNSET_CONTAINER", "none"],
  [R.VFIO_GROUP_GET_DEVICE_FD, "VFIO_GROUP_GET_DEVICE_FD", "text"],
];

const DEVICE: readonly Row[] = [
  [R.VFIO_DEVICE_GET_INFO, "VFIO_DEVICE_GET_INFO", vfio_device_info],
  [R.VFIO_DEVICE_GET_REGION_INFO, "VFIO_DEVICE_GET_REGION_INFO", vfio_region_info],
  [R.VFIO_DEVICE_GET_IRQ_INFO, "VFIO_DEVICE_GET_IRQ_INFO", vfio_irq_info],
  [R.VFIO_DEVICE_SET_IRQS, "VFIO_DEVICE_SET_IRQS", vfio_irq_set],
  [R.VFIO_DEVICE_RESET, "VFIO_DEVICE_RESET", "none"],
  [
    R.VFIO_DEVICE_GET_PCI_HOT_RESET_INFO,
    "VFIO_DEVICE_GET_PCI_HOT_RESET_INFO",
    vfio_pci_hot_reset_info,
  ],
  [R.VFIO_DEVICE_PCI_HOT_RESET, "VFIO_DEVICE_PCI_HOT_RESET", vfio_pci_hot_reset],
  [R.VFIO_DEVICE_QUERY_GFX_PLANE, "VFIO_DEVICE_QUERY_GFX_PLANE", vfio_device_gfx_plane_info],
  [R.VFIO_DEVICE_GET_GFX_DMABUF, "VFIO_DEVICE_GET_GFX_DMABUF", "u32"],
  [R.VFIO_DEVICE_IOEVENTFD, "VFIO_DEVICE_IOEVENTFD", vfio_device_ioeventfd],
  [R.VFIO_DEVICE_FEATURE, "VFIO_DEVICE_FEATURE", vfio_device_feature],
  [R.VFIO_DEVICE_BIND_IOMMUFD, "VFIO_DEVICE_BIND_IOMMUFD", vfio_device_bind_iommufd],
  [
    R.VFIO_DEVICE_ATTACH_IOMMUFD_PT,
    "VFIO_DEVICE_ATTACH_IOMMUFD_PT",
    vfio_device_attach_iommufd_pt,
  ],
  [
    R.VFIO_DEVICE_DETACH_IOMMUFD_PT,
    "VFIO_DEVICE_DETACH_IOMMUFD_PT",
    vfio_device_detach_iommufd_pt,
  ],
];

const MIGRATION: readonly Row[] = [
  [R.VFIO_MIG_GET_PRECOPY_INFO, "VFIO_MIG_GET_PRECOPY_INFO", vfio_precopy_info],
];

const IOMMUFD: readonly Row[] = [
  [R.IOMMU_DESTROY, "IOMMU_DESTROY", ioas.iommu_destroy],
  [R.IOMMU_IOAS_ALLOC, "IOMMU_IOAS_ALLOC", ioas.iommu_ioas_alloc],
  [R.IOMMU_IOAS_ALLOW_IOVAS, "IOMMU_IOAS_ALLOW_IOVAS", ioas.iommu_ioas_allow_iovas],
  [R.IOMMU_IOAS_COPY, "IOMMU_IOAS_COPY", ioas.iommu_ioas_copy],
  [R.IOMMU_IOAS_IOVA_RANGES, "IOMMU_IOAS_IOVA_RANGES", ioas.iommu_ioas_iova_ranges],
  [R.IOMMU_IOAS_MAP, "IOMMU_IOAS_MAP", ioas.iommu_ioas_map],
  [R.IOMMU_IOAS_UNMAP, "IOMMU_IOAS_UNMAP", ioas.iommu_ioas_unmap],
  [R.IOMMU_OPTION, "IOMMU_OPTION", ioas.iommu_option],
  [R.IOMMU_VFIO_IOAS, "IOMMU_VFIO_IOAS", ioas.iommu_vfio_ioas],
  [R.IOMMU_HWPT_ALLOC, "IOMMU_HWPT_ALLOC", hwpt.iommu_hwpt_alloc],
  [R.IOMMU_GET_HW_INFO, "IOMMU_GET_HW_INFO", iommu_hw_info],
  [
    R.IOMMU_HWPT_SET_DIRTY_TRACKING,
    "IOMMU_HWPT_SET_DIRTY_TRACKING",
    hwpt.iommu_hwpt_set_dirty_tracking,
  ],
  [
    R.IOMMU_HWPT_GET_DIRTY_BITMAP,
    "IOMMU_HWPT_GET_DIRTY_BITMAP",
    hwpt.iommu_hwpt_get_dirty_bitmap,
  ],
  [R.IOMMU_HWPT_INVALIDATE, "IOMMU_HWPT_INVALIDATE", hwpt.iommu_hwpt_invalidate],
  [R.IOMMU_FAULT_QUEUE_ALLOC, "IOMMU_FAULT_QUEUE_ALLOC", event.iommu_fault_alloc],
  [R.IOMMU_IOAS_MAP_FILE, "IOMMU_IOAS_MAP_FILE", ioas.iommu_ioas_map_file],
  [R.IOMMU_VIOMMU_ALLOC, "IOMMU_VIOMMU_ALLOC", event.iommu_viommu_alloc],
  [R.IOMMU_VDEVICE_ALLOC, "IOMMU_VDEVICE_ALLOC", event.iommu_vdevice_alloc],
  [R.IOMMU_IOAS_CHANGE_PROCESS, "IOMMU_IOAS_CHANGE_PROCESS", ioas.iommu_ioas_change_process],
  [R.IOMMU_VEVENTQ_ALLOC, "IOMMU_VEVENTQ_ALLOC", event.iommu_veventq_alloc],
  [R.IOMMU_HW_QUEUE_ALLOC, "IOMMU_HW_QUEUE_ALLOC", event.iommu_hw_queue_alloc],
  [R.IOMMU_IOAS_NOIOMMU_GET_PA, "IOMMU_IOAS_NOIOMMU_GET_PA", ioas.iommu_ioas_noiommu_get_pa],
];

/** The requests of each kind of descriptor, by number. */
export const REQUESTS: Readonly<Record<FdKind, Table>> = {
  container: table(COMMON, TYPE1, IOMMUFD),
  "spapr-container": table(COMMON, SPAPR),
  group: table(GROUP),
  device: table(DEVICE),
  iommufd: table(COMMON, TYPE1, IOMMUFD),
  migration: table(MIGRATION),
};

// powerpc, mips and sparc write "no direction" of _IO() as bit 29.
const DIRECTION_NONE = 0x2000_0000;

/** The request of a number; that of powerpc, with bit 29 set, is understood as well. */
export function entryOf(kind: FdKind, request: number): RequestEntry | undefined {
  const rows = REQUESTS[kind];
  return rows.get(request) ?? rows.get(request - DIRECTION_NONE);
}
