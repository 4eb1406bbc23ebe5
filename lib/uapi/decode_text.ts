/**
 * How single fields of requests become text, where a number alone would say little.
 *
 * @module
 */
import * as F from "./flag.ts";
import { flagNames, type NameTable, parseFlags, parseNamed, valueName } from "./flag_name.ts";

/** How a field is written, and read back. */
export interface FieldText {
  /** The text of a value. */
  readonly write: (value: number | bigint) => string;
  /** The value of a text; throws a TypeError for one that means nothing. */
  readonly read: (text: string) => bigint;
}

const bits = (names: NameTable): FieldText => ({
  write: (value) => flagNames(value, names),
  read: (text) => parseFlags(text, names),
});
const value = (names: NameTable): FieldText => ({
  write: (number) => valueName(number, names),
  read: (text) => parseNamed(text, names),
});

/** What CHECK_EXTENSION and SET_IOMMU take. */
export const EXTENSION: NameTable = {
  TYPE1: F.VFIO_TYPE1_IOMMU,
  SPAPR_TCE: F.VFIO_SPAPR_TCE_IOMMU,
  TYPE1v2: F.VFIO_TYPE1v2_IOMMU,
  DMA_CC: F.VFIO_DMA_CC_IOMMU,
  EEH: F.VFIO_EEH,
  SPAPR_TCE_v2: F.VFIO_SPAPR_TCE_v2_IOMMU,
  NOIOMMU: F.VFIO_NOIOMMU_IOMMU,
  UNMAP_ALL: F.VFIO_UNMAP_ALL,
  UPDATE_VADDR: F.VFIO_UPDATE_VADDR,
};

const FEATURE: NameTable = {
  PCI_VF_TOKEN: F.VFIO_DEVICE_FEATURE_PCI_VF_TOKEN,
  MIGRATION: F.VFIO_DEVICE_FEATURE_MIGRATION,
  MIG_DEVICE_STATE: F.VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE,
  LOW_POWER_ENTRY: F.VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY,
  LOW_POWER_ENTRY_WITH_WAKEUP: F.VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP,
  LOW_POWER_EXIT: F.VFIO_DEVICE_FEATURE_LOW_POWER_EXIT,
  DMA_LOGGING_START: F.VFIO_DEVICE_FEATURE_DMA_LOGGING_START,
  DMA_LOGGING_STOP: F.VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP,
  DMA_LOGGING_REPORT: F.VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT,
  MIG_DATA_SIZE: F.VFIO_DEVICE_FEATURE_MIG_DATA_SIZE,
  BUS_MASTER: F.VFIO_DEVICE_FEATURE_BUS_MASTER,
  DMA_BUF: F.VFIO_DEVICE_FEATURE_DMA_BUF,
  MIG_PRECOPY_INFOv2: F.VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2,
  ZPCI_ERROR: F.VFIO_DEVICE_FEATURE_ZPCI_ERROR,
};

const FEATURE_OPERATION = bits({
  GET: F.VFIO_DEVICE_FEATURE_GET,
  SET: F.VFIO_DEVICE_FEATURE_SET,
  PROBE: F.VFIO_DEVICE_FEATURE_PROBE,
});

/** The low half of a feature's flags is a number, the high half are bits. */
const featureFlags: FieldText = {
  write: (flags) => {
    const word = Number(flags);
    const index = word & F.VFIO_DEVICE_FEATURE_MASK;
    const name = Object.entries(FEATURE).find(([, number]) => number === index)?.[0];
    return `${FEATURE_OPERATION.write(word - index)} ${name ?? `feature ${index}`}`;
  },
  read: (text) => {
    const [operation = "", feature] = text.split(/ (?:feature )?/);
    if (feature === undefined) return FEATURE_OPERATION.read(operation);
    return FEATURE_OPERATION.read(operation) | parseNamed(feature, FEATURE);
  },
};

const ioasMapFlags = bits({
  FIXED_IOVA: F.IOMMU_IOAS_MAP_FIXED_IOVA,
  WRITEABLE: F.IOMMU_IOAS_MAP_WRITEABLE,
  READABLE: F.IOMMU_IOAS_MAP_READABLE,
});

/** Texts by `<struct tag>.<field>`. */
export const FIELD_TEXT: Readonly<Record<string, FieldText>> = {
  "vfio_group_status.flags": bits({
    VIABLE: F.VFIO_GROUP_FLAGS_VIABLE,
    CONTAINER_SET: F.VFIO_GROUP_FLAGS_CONTAINER_SET,
  }),
  "vfio_iommu_type1_info.flags": bits({
    PGSIZES: F.VFIO_IOMMU_INFO_PGSIZES,
    CAPS: F.VFIO_IOMMU_INFO_CAPS,
  }),
  "vfio_iommu_type1_dma_map.flags": bits({
    READ: F.VFIO_DMA_MAP_FLAG_READ,
    WRITE: F.VFIO_DMA_MAP_FLAG_WRITE,
    VADDR: F.VFIO_DMA_MAP_FLAG_VADDR,
  }),
  "vfio_iommu_type1_dma_unmap.flags": bits({
    GET_DIRTY_BITMAP: F.VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP,
    ALL: F.VFIO_DMA_UNMAP_FLAG_ALL,
    VADDR: F.VFIO_DMA_UNMAP_FLAG_VADDR,
  }),
  "vfio_iommu_type1_dirty_bitmap.flags": bits({
    START: F.VFIO_IOMMU_DIRTY_PAGES_FLAG_START,
    STOP: F.VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP,
    GET_BITMAP: F.VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP,
  }),
  "vfio_iommu_spapr_tce_info.flags": bits({ DDW: F.VFIO_IOMMU_SPAPR_INFO_DDW }),
  "vfio_eeh_pe_op.op": value({
    DISABLE: F.VFIO_EEH_PE_DISABLE,
    ENABLE: F.VFIO_EEH_PE_ENABLE,
    UNFREEZE_IO: F.VFIO_EEH_PE_UNFREEZE_IO,
    UNFREEZE_DMA: F.VFIO_EEH_PE_UNFREEZE_DMA,
    GET_STATE: F.VFIO_EEH_PE_GET_STATE,
    RESET_DEACTIVATE: F.VFIO_EEH_PE_RESET_DEACTIVATE,
    RESET_HOT: F.VFIO_EEH_PE_RESET_HOT,
    RESET_FUNDAMENTAL: F.VFIO_EEH_PE_RESET_FUNDAMENTAL,
    CONFIGURE: F.VFIO_EEH_PE_CONFIGURE,
    INJECT_ERR: F.VFIO_EEH_PE_INJECT_ERR,
  }),
  "vfio_device_info.flags": bits({
    RESET: F.VFIO_DEVICE_FLAGS_RESET,
    PCI: F.VFIO_DEVICE_FLAGS_PCI,
    PLATFORM: F.VFIO_DEVICE_FLAGS_PLATFORM,
    AMBA: F.VFIO_DEVICE_FLAGS_AMBA,
    CCW: F.VFIO_DEVICE_FLAGS_CCW,
    AP: F.VFIO_DEVICE_FLAGS_AP,
    FSL_MC: F.VFIO_DEVICE_FLAGS_FSL_MC,
    CAPS: F.VFIO_DEVICE_FLAGS_CAPS,
    CDX: F.VFIO_DEVICE_FLAGS_CDX,
  }),
  "vfio_region_info.flags": bits({
    READ: F.VFIO_REGION_INFO_FLAG_READ,
    WRITE: F.VFIO_REGION_INFO_FLAG_WRITE,
    MMAP: F.VFIO_REGION_INFO_FLAG_MMAP,
    CAPS: F.VFIO_REGION_INFO_FLAG_CAPS,
  }),
  "vfio_irq_info.flags": bits({
    EVENTFD: F.VFIO_IRQ_INFO_EVENTFD,
    MASKABLE: F.VFIO_IRQ_INFO_MASKABLE,
    AUTOMASKED: F.VFIO_IRQ_INFO_AUTOMASKED,
    NORESIZE: F.VFIO_IRQ_INFO_NORESIZE,
  }),
  "vfio_irq_set.flags": bits({
    DATA_NONE: F.VFIO_IRQ_SET_DATA_NONE,
    DATA_BOOL: F.VFIO_IRQ_SET_DATA_BOOL,
    DATA_EVENTFD: F.VFIO_IRQ_SET_DATA_EVENTFD,
    ACTION_MASK: F.VFIO_IRQ_SET_ACTION_MASK,
    ACTION_UNMASK: F.VFIO_IRQ_SET_ACTION_UNMASK,
    ACTION_TRIGGER: F.VFIO_IRQ_SET_ACTION_TRIGGER,
  }),
  "vfio_pci_hot_reset_info.flags": bits({
    DEV_ID: F.VFIO_PCI_HOT_RESET_FLAG_DEV_ID,
    DEV_ID_OWNED: F.VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED,
  }),
  "vfio_device_gfx_plane_info.flags": bits({
    PROBE: F.VFIO_GFX_PLANE_TYPE_PROBE,
    DMABUF: F.VFIO_GFX_PLANE_TYPE_DMABUF,
    REGION: F.VFIO_GFX_PLANE_TYPE_REGION,
  }),
  "vfio_device_ioeventfd.flags": bits({
    "8": F.VFIO_DEVICE_IOEVENTFD_8,
    "16": F.VFIO_DEVICE_IOEVENTFD_16,
    "32": F.VFIO_DEVICE_IOEVENTFD_32,
    "64": F.VFIO_DEVICE_IOEVENTFD_64,
  }),
  "vfio_device_feature.flags": featureFlags,
  "vfio_device_bind_iommufd.flags": bits({ TOKEN: F.VFIO_DEVICE_BIND_FLAG_TOKEN }),
  "vfio_device_attach_iommufd_pt.flags": bits({ PASID: F.VFIO_DEVICE_ATTACH_PASID }),
  "vfio_device_detach_iommufd_pt.flags": bits({ PASID: F.VFIO_DEVICE_DETACH_PASID }),
  "vfio_device_feature_migration.flags": bits({
    STOP_COPY: F.VFIO_MIGRATION_STOP_COPY,
    P2P: F.VFIO_MIGRATION_P2P,
    PRE_COPY: F.VFIO_MIGRATION_PRE_COPY,
  }),
  "vfio_device_feature_mig_state.device_state": value({
    ERROR: F.VFIO_DEVICE_STATE_ERROR,
    STOP: F.VFIO_DEVICE_STATE_STOP,
    RUNNING: F.VFIO_DEVICE_STATE_RUNNING,
    STOP_COPY: F.VFIO_DEVICE_STATE_STOP_COPY,
    RESUMING: F.VFIO_DEVICE_STATE_RESUMING,
    RUNNING_P2P: F.VFIO_DEVICE_STATE_RUNNING_P2P,
    PRE_COPY: F.VFIO_DEVICE_STATE_PRE_COPY,
    PRE_COPY_P2P: F.VFIO_DEVICE_STATE_PRE_COPY_P2P,
  }),
  "vfio_device_feature_bus_master.op": value({
    CLEAR_MASTER: F.VFIO_DEVICE_FEATURE_CLEAR_MASTER,
    SET_MASTER: F.VFIO_DEVICE_FEATURE_SET_MASTER,
  }),
  "vfio_precopy_info.flags": bits({ REINIT: F.VFIO_PRECOPY_INFO_REINIT }),
  "iommu_ioas_map.flags": ioasMapFlags,
  "iommu_ioas_map_file.flags": ioasMapFlags,
  "iommu_ioas_copy.flags": ioasMapFlags,
  "iommu_option.option_id": value({
    RLIMIT_MODE: F.IOMMU_OPTION_RLIMIT_MODE,
    HUGE_PAGES: F.IOMMU_OPTION_HUGE_PAGES,
  }),
  "iommu_option.op": value({ SET: F.IOMMU_OPTION_OP_SET, GET: F.IOMMU_OPTION_OP_GET }),
  "iommu_vfio_ioas.op": value({
    GET: F.IOMMU_VFIO_IOAS_GET,
    SET: F.IOMMU_VFIO_IOAS_SET,
    CLEAR: F.IOMMU_VFIO_IOAS_CLEAR,
  }),
  "iommu_hwpt_alloc.flags": bits({
    NEST_PARENT: F.IOMMU_HWPT_ALLOC_NEST_PARENT,
    DIRTY_TRACKING: F.IOMMU_HWPT_ALLOC_DIRTY_TRACKING,
    FAULT_ID_VALID: F.IOMMU_HWPT_FAULT_ID_VALID,
    PASID: F.IOMMU_HWPT_ALLOC_PASID,
  }),
  "iommu_hwpt_set_dirty_tracking.flags": bits({ ENABLE: F.IOMMU_HWPT_DIRTY_TRACKING_ENABLE }),
  "iommu_hwpt_get_dirty_bitmap.flags": bits({ NO_CLEAR: F.IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR }),
  "iommu_hw_info.flags": bits({ INPUT_TYPE: F.IOMMU_HW_INFO_FLAG_INPUT_TYPE }),
  "iommu_hw_info.out_capabilities": bits({
    DIRTY_TRACKING: F.IOMMU_HW_CAP_DIRTY_TRACKING,
    PCI_PASID_EXEC: F.IOMMU_HW_CAP_PCI_PASID_EXEC,
    PCI_PASID_PRIV: F.IOMMU_HW_CAP_PCI_PASID_PRIV,
    PCI_ATS_NOT_SUPPORTED: F.IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED,
  }),
};
