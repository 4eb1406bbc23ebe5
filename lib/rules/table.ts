/**
 * Every rule of every request, to be listed and looked up.
 *
 * @module
 */

import type { Behaviour } from "./behaviour.ts";
import { ATTACH_RULES, BIND_RULES, DETACH_RULES, HW_INFO_RULES } from "./cdev.ts";
import { DEVICE_INFO_RULES, FEATURE_RULES, IRQ_INFO_RULES, REGION_INFO_RULES } from "./device.ts";
import { DIRTY_RULES } from "./dirty.ts";
import { LOG_REPORT_RULES, LOG_START_RULES } from "./dma_log.ts";
import {
  GET_DEVICE_FD_RULES,
  GET_STATUS_RULES,
  OPEN_GROUP_RULES,
  SET_CONTAINER_RULES,
  UNSET_CONTAINER_RULES,
} from "./group.ts";
import { HWPT_GET_RULES, HWPT_SET_RULES } from "./hwpt.ts";
import { HWPT_ALLOC_RULES } from "./hwpt_alloc.ts";
import { IOAS_COPY_RULES, IOAS_MAP_RULES } from "./ioas.ts";
import { IOAS_ALLOW_RULES, IOAS_RANGES_RULES, IOAS_UNMAP_RULES } from "./ioas_range.ts";
import { DESTROY_RULES, IOAS_ALLOC_RULES, IOMMUFD_RULES, OPTION_RULES } from "./iommufd.ts";
import { MAP_RULES } from "./map.ts";
import { MIGRATION_RULES } from "./migration.ts";
import { PIN_RULES } from "./pin.ts";
import { GET_INFO_RULES, SET_IOMMU_RULES } from "./setup.ts";
import { UNMAP_RULES } from "./unmap.ts";

/** A rule without its test: what can be said about it to somebody. */
export interface RuleText {
  /** A short name, as "map.overlap". */
  readonly name: string;
  /** The function of the kernel that tests it. */
  readonly source: string;
  /** What the kernel answers; where kernels differ, by its behaviour. */
  readonly errno: number | ((behaviour: Behaviour) => number);
  /** What the rule wants, in a few words. */
  readonly about: string;
}

/** The rules by the request that they belong to, each list in the kernel's order. */
export const RULES: Readonly<Record<string, readonly RuleText[]>> = {
  "open of a group": OPEN_GROUP_RULES,
  VFIO_GROUP_GET_STATUS: GET_STATUS_RULES,
  VFIO_GROUP_SET_CONTAINER: SET_CONTAINER_RULES,
  VFIO_GROUP_UNSET_CONTAINER: UNSET_CONTAINER_RULES,
  VFIO_GROUP_GET_DEVICE_FD: GET_DEVICE_FD_RULES,
  VFIO_SET_IOMMU: SET_IOMMU_RULES,
  VFIO_IOMMU_GET_INFO: GET_INFO_RULES,
  VFIO_IOMMU_MAP_DMA: MAP_RULES,
  VFIO_IOMMU_UNMAP_DMA: UNMAP_RULES,
  VFIO_IOMMU_DIRTY_PAGES: DIRTY_RULES,
  VFIO_DEVICE_GET_INFO: DEVICE_INFO_RULES,
  VFIO_DEVICE_GET_REGION_INFO: REGION_INFO_RULES,
  VFIO_DEVICE_GET_IRQ_INFO: IRQ_INFO_RULES,
  VFIO_DEVICE_FEATURE: FEATURE_RULES,
  VFIO_DEVICE_FEATURE_DMA_LOGGING_START: LOG_START_RULES,
  VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT: LOG_REPORT_RULES,
  VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE: MIGRATION_RULES,
  vfio_pin_pages: PIN_RULES,
  "a request of an iommufd": IOMMUFD_RULES,
  IOMMU_DESTROY: DESTROY_RULES,
  IOMMU_OPTION: OPTION_RULES,
  IOMMU_IOAS_ALLOC: IOAS_ALLOC_RULES,
  IOMMU_IOAS_IOVA_RANGES: IOAS_RANGES_RULES,
  IOMMU_IOAS_ALLOW_IOVAS: IOAS_ALLOW_RULES,
  IOMMU_IOAS_MAP: IOAS_MAP_RULES,
  IOMMU_IOAS_COPY: IOAS_COPY_RULES,
  IOMMU_IOAS_UNMAP: IOAS_UNMAP_RULES,
  IOMMU_HWPT_ALLOC: HWPT_ALLOC_RULES,
  IOMMU_HWPT_SET_DIRTY_TRACKING: HWPT_SET_RULES,
  IOMMU_HWPT_GET_DIRTY_BITMAP: HWPT_GET_RULES,
  IOMMU_GET_HW_INFO: HW_INFO_RULES,
  VFIO_DEVICE_BIND_IOMMUFD: BIND_RULES,
  VFIO_DEVICE_ATTACH_IOMMUFD_PT: ATTACH_RULES,
  VFIO_DEVICE_DETACH_IOMMUFD_PT: DETACH_RULES,
};

const byName = new Map(
  Object.values(RULES).flat().map((rule) => [rule.name, rule] as const),
);

/** Finds a rule by its name, as "map.overlap". */
export function ruleNamed(name: string): RuleText | undefined {
  return byName.get(name);
}
