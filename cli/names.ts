/**
 * What regions, interrupts and features are called.
 *
 * @module
 */

import * as uapi from "../lib/uapi/mod.ts";

const REGIONS: Readonly<Record<number, string>> = {
  [uapi.VFIO_PCI_BAR0_REGION_INDEX]: "BAR0",
  [uapi.VFIO_PCI_BAR1_REGION_INDEX]: "BAR1",
  [uapi.VFIO_PCI_BAR2_REGION_INDEX]: "BAR2",
  [uapi.VFIO_PCI_BAR3_REGION_INDEX]: "BAR3",
  [uapi.VFIO_PCI_BAR4_REGION_INDEX]: "BAR4",
  [uapi.VFIO_PCI_BAR5_REGION_INDEX]: "BAR5",
  [uapi.VFIO_PCI_ROM_REGION_INDEX]: "ROM",
  [uapi.VFIO_PCI_CONFIG_REGION_INDEX]: "config",
  [uapi.VFIO_PCI_VGA_REGION_INDEX]: "VGA",
};

const IRQS: Readonly<Record<number, string>> = {
  [uapi.VFIO_PCI_INTX_IRQ_INDEX]: "INTx",
  [uapi.VFIO_PCI_MSI_IRQ_INDEX]: "MSI",
  [uapi.VFIO_PCI_MSIX_IRQ_INDEX]: "MSI-X",
  [uapi.VFIO_PCI_ERR_IRQ_INDEX]: "error",
  [uapi.VFIO_PCI_REQ_IRQ_INDEX]: "request",
};

/** Features by index. */
export const FEATURES: Readonly<Record<string, number>> = {
  PCI_VF_TOKEN: uapi.VFIO_DEVICE_FEATURE_PCI_VF_TOKEN,
  MIGRATION: uapi.VFIO_DEVICE_FEATURE_MIGRATION,
  MIG_DEVICE_STATE: uapi.VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE,
  LOW_POWER_ENTRY: uapi.VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY,
  LOW_POWER_ENTRY_WITH_WAKEUP: uapi.VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP,
  LOW_POWER_EXIT: uapi.VFIO_DEVICE_FEATURE_LOW_POWER_EXIT,
  DMA_LOGGING_START: uapi.VFIO_DEVICE_FEATURE_DMA_LOGGING_START,
  DMA_LOGGING_STOP: uapi.VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP,
  DMA_LOGGING_REPORT: uapi.VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT,
  MIG_DATA_SIZE: uapi.VFIO_DEVICE_FEATURE_MIG_DATA_SIZE,
  BUS_MASTER: uapi.VFIO_DEVICE_FEATURE_BUS_MASTER,
  DMA_BUF: uapi.VFIO_DEVICE_FEATURE_DMA_BUF,
  MIG_PRECOPY_INFOv2: uapi.VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2,
  ZPCI_ERROR: uapi.VFIO_DEVICE_FEATURE_ZPCI_ERROR,
};

/** A region of a PCI device, or of another one, by its index. */
export function regionName(index: number, isPci: boolean): string {
  return isPci ? REGIONS[index] ?? "driver's own" : "-";
}

/** A kind of interrupt of a PCI device, or of another one, by its index. */
export function irqName(index: number, isPci: boolean): string {
  return isPci ? IRQS[index] ?? "driver's own" : "-";
}
