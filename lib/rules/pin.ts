/**
 * What type1 refuses to a driver that pins, in the order of the kernel.
 *
 * @see drivers/vfio/vfio_main.c, vfio_pin_pages, and drivers/vfio/vfio_iommu_type1.c
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import type { Rule, RuleState } from "./refusal.ts";

/** Most pages of one call. @see VFIO_PIN_PAGES_MAX_ENTRIES */
export const PIN_PAGES_MAX = 512;

/** A driver's request. */
export interface PinRequest {
  readonly pages: number;
}

/** The driver that asks. */
export interface PinState extends RuleState {
  /** Whether it is told of unmaps, and so can give its pins back. */
  readonly hasUnmapCallback: boolean;
}

const { EINVAL, E2BIG, EPERM, EFAULT, ENOMEM } = ERRNO;

/** The rules of vfio_pin_pages; those without a test depend on each page. */
export const PIN_RULES: readonly Rule<PinRequest, PinState>[] = [
  {
    name: "pin.callback",
    source: "vfio_pin_pages",
    errno: EINVAL,
    about: "the driver has a dma_unmap callback",
    test: (_, { hasUnmapCallback, behaviour }) =>
      hasUnmapCallback || behaviour?.anyCallback === true
        ? undefined
        : "the driver would not hear of an unmap",
  },
  {
    name: "pin.batch",
    source: "vfio_iommu_type1_pin_pages",
    errno: E2BIG,
    about: "at most 512 pages a call",
    test: ({ pages }) =>
      pages <= PIN_PAGES_MAX
        ? undefined
        : `at most ${PIN_PAGES_MAX} pages can be pinned in a call; got ${pages}`,
  },
  {
    name: "pin.mapped",
    source: "vfio_iommu_type1_pin_pages",
    errno: EINVAL,
    about: "the page is mapped",
  },
  {
    name: "pin.rights",
    source: "vfio_iommu_type1_pin_pages",
    errno: EPERM,
    about: "a pin to write needs a mapping with WRITE",
  },
  {
    name: "pin.memory",
    source: "vfio_pin_page_external",
    errno: EFAULT,
    about: "the memory is there and can be pinned",
  },
  {
    name: "pin.memlock",
    source: "vfio_pin_page_external",
    errno: ENOMEM,
    about: "RLIMIT_MEMLOCK holds it, or CAP_IPC_LOCK lifts the limit",
  },
];
