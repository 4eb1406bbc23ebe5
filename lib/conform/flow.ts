/**
 * What checks are about besides refusals: the names of behaviours that no rule of `lib/rules` has,
 * and where the kernel has them.
 *
 * @module
 */

import { HWPT_TRAPS } from "../rules/hwpt_trap.ts";
import { ruleNamed } from "../rules/table.ts";

/** A behaviour, as a rule has it. */
export interface Flow {
  /** The kernel's function. */
  readonly source: string;
  /** In a few words. */
  readonly about: string;
}

const GET_INFO = "vfio_iommu_type1_get_info";

/** Behaviours by name. */
export const FLOWS: Readonly<Record<string, Flow>> = {
  "setup.version": { source: "vfio_fops_unl_ioctl", about: "the version of the interface" },
  "setup.extension": {
    source: "vfio_iommu_type1_check_extension",
    about: "which extensions there are, and when",
  },
  "setup.last-group": {
    source: "vfio_group_detach_container",
    about: "mappings and tracking go with the last group",
  },
  "setup.containers": { source: "vfio_iommu_type1_open", about: "containers do not share" },
  "group.unknown": { source: "vfio_group_fops_unl_ioctl", about: "requests that a group lacks" },
  "info.argument": { source: GET_INFO, about: "the struct can be read" },
  "info.flags": { source: GET_INFO, about: "flags are not looked at" },
  "info.capabilities": { source: GET_INFO, about: "which capabilities, in which order" },
  "info.mdev": { source: GET_INFO, about: "what a container without an IOMMU says" },
  "info.entries": {
    source: "vfio_iommu_dma_avail_build_caps",
    about: "each mapping takes one of dma_entry_limit",
  },
  "map.argument": { source: "vfio_iommu_type1_map_dma", about: "the struct can be read" },
  "map.emulated": {
    source: "vfio_dma_do_map",
    about: "without an IOMMU, memory and ranges are not looked at before a pin",
  },
  "unmap.argument": { source: "vfio_iommu_type1_unmap_dma", about: "the struct can be read" },
  "unmap.none": { source: "vfio_dma_do_unmap", about: "the size is what was removed, also none" },
  "unmap.v1": {
    source: "vfio_dma_do_unmap",
    about: "type 1 v1 removes a mapping whose first byte is in the range, whole",
  },
  "unmap.pinned": {
    source: "vfio_notify_dma_unmap",
    about: "drivers are told to unpin; what they had pinned is dirty",
  },
  "dirty.argument": { source: "vfio_iommu_type1_dirty_pages", about: "the struct can be read" },
  "dirty.scope": {
    source: "vfio_iova_dirty_bitmap",
    about: "with a group that has not pinned, every mapped page is dirty",
  },
  "dirty.buffer": {
    source: "update_user_bitmap",
    about: "what is written into the caller's buffer, and what stays",
  },
  "dirty.pinned": {
    source: "vfio_dma_populate_bitmap",
    about: "pinned pages are dirty at each read",
  },
  "dirty.written": { source: "vfio_iommu_type1_dma_rw_chunk", about: "written pages, once" },
  "dirty.detach": {
    source: "vfio_iommu_type1_detach_group",
    about: "a group that leaves before it pinned makes one read all dirty",
  },
  "dirty.first-pin": {
    source: "vfio_iommu_type1_pin_pages",
    about: "the first pin of a group declares its scope",
  },
  "dirty.stale": { source: "update_user_bitmap", about: "bits that a shifted read leaves behind" },
  "account.map": { source: "vfio_lock_acct", about: "what a mapping locks" },
  "account.pin": { source: "vfio_pin_page_external", about: "what a driver's pin locks" },
  "account.join": { source: "vfio_iommu_replay", about: "a group behind an IOMMU locks all" },
  "pin.access": { source: "vfio_iommu_type1_dma_rw_chunk", about: "what a driver may access" },
  "device.irqs": {
    source: "vfio_set_irqs_validate_and_prepare",
    about: "flags, index and range of SET_IRQS fit the device",
  },
  "device.rw": { source: "vfio_pci_rw", about: "reads and writes stay in a region" },
  "log.page": { source: "vfio_device_feature_dma_logging_control", about: "the page size granted" },
  "log.bits": {
    source: "vfio_device_log_read_and_clear",
    about: "which bits are set for written pages, and when they are clear again",
  },
  "migration.stream": {
    source: "vfio_ioct_mig_return_fd",
    about: "the streams that changes of state open, and what goes through them",
  },
  "hwpt.bits": {
    source: "iopt_read_and_clear_dirty_data",
    about: "which bits are set for written pages, and when they are clear again",
  },
  "iommufd.account": {
    source: "do_update_pinned",
    about:
      "pages are pinned and charged once for all that lead to them, from the first page table on",
  },
  ...Object.fromEntries(HWPT_TRAPS.map(({ name, source, about }) => [name, { source, about }])),
  "device.unknown": { source: "vfio_device_fops_unl_ioctl", about: "requests that a device lacks" },
};

/** What can be said of a check's rule. */
export function explainRule(name: string): Flow | undefined {
  return ruleNamed(name) ?? FLOWS[name];
}
