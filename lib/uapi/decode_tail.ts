/**
 * What follows the struct of a request, where its flags say so.
 *
 * @module
 */
import { vfio_irq_set, vfio_pci_hot_reset } from "./device.ts";
import * as feature from "./feature.ts";
import * as F from "./flag.ts";
import type { AnyLayout } from "./layout.ts";
import {
  vfio_bitmap,
  vfio_iommu_type1_dirty_bitmap,
  vfio_iommu_type1_dirty_bitmap_get,
  vfio_iommu_type1_dma_unmap,
} from "./type1.ts";

/** A struct, or a list of numbers, behind the request's own struct. */
export type Tail =
  | { readonly prefix: string; readonly layout: AnyLayout }
  | { readonly field: string; readonly item: "u8" | "s32"; readonly count: number };

const FEATURE_DATA: Readonly<Record<number, AnyLayout>> = {
  [F.VFIO_DEVICE_FEATURE_MIGRATION]: feature.vfio_device_feature_migration,
  [F.VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE]: feature.vfio_device_feature_mig_state,
  [F.VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP]:
    feature.vfio_device_low_power_entry_with_wakeup,
  [F.VFIO_DEVICE_FEATURE_DMA_LOGGING_START]: feature.vfio_device_feature_dma_logging_control,
  [F.VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT]: feature.vfio_device_feature_dma_logging_report,
  [F.VFIO_DEVICE_FEATURE_MIG_DATA_SIZE]: feature.vfio_device_feature_mig_data_size,
  [F.VFIO_DEVICE_FEATURE_BUS_MASTER]: feature.vfio_device_feature_bus_master,
  [F.VFIO_DEVICE_FEATURE_DMA_BUF]: feature.vfio_device_feature_dma_buf,
  [F.VFIO_DEVICE_FEATURE_ZPCI_ERROR]: feature.vfio_device_feature_zpci_err,
};

/** Chooses the tail of a request by its whole, already complete, struct. */
export function tailOf(layout: AnyLayout, bytes: Uint8Array): Tail | undefined {
  switch (layout) {
    case vfio_iommu_type1_dma_unmap: {
      const { flags } = vfio_iommu_type1_dma_unmap.over(bytes).fields;
      if ((flags & F.VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP) === 0) return undefined;
      return { prefix: "bitmap.", layout: vfio_bitmap };
    }
    case vfio_iommu_type1_dirty_bitmap: {
      const { flags } = vfio_iommu_type1_dirty_bitmap.over(bytes).fields;
      if ((flags & F.VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP) === 0) return undefined;
      return { prefix: "", layout: vfio_iommu_type1_dirty_bitmap_get };
    }
    case feature.vfio_device_feature: {
      const { flags } = feature.vfio_device_feature.over(bytes).fields;
      // A probe carries no data.
      if ((flags & F.VFIO_DEVICE_FEATURE_PROBE) !== 0) return undefined;
      const data = FEATURE_DATA[flags & F.VFIO_DEVICE_FEATURE_MASK];
      return data === undefined ? undefined : { prefix: "data.", layout: data };
    }
    case vfio_irq_set: {
      const { flags, count } = vfio_irq_set.over(bytes).fields;
      if ((flags & F.VFIO_IRQ_SET_DATA_EVENTFD) !== 0) return { field: "data", item: "s32", count };
      if ((flags & F.VFIO_IRQ_SET_DATA_BOOL) !== 0) return { field: "data", item: "u8", count };
      return undefined;
    }
    case vfio_pci_hot_reset: {
      const { count } = vfio_pci_hot_reset.over(bytes).fields;
      return { field: "group_fds", item: "s32", count };
    }
  }
  return undefined;
}
