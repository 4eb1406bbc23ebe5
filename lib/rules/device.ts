/**
 * What a PCI device refuses, in the order of the kernel: its descriptions, its interrupts, and the
 * part of VFIO_DEVICE_FEATURE that all features share.
 *
 * @see drivers/vfio/pci/vfio_pci_core.c and drivers/vfio/vfio_main.c
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import {
  VFIO_DEVICE_FEATURE_GET,
  VFIO_DEVICE_FEATURE_MASK,
  VFIO_DEVICE_FEATURE_PROBE,
  VFIO_DEVICE_FEATURE_SET,
} from "../uapi/flag.ts";
import { unknownFlags, wrongArgsz } from "./range.ts";
import type { Rule, RuleState } from "./refusal.ts";

const { EINVAL, ENOTTY } = ERRNO;
const CORE = "vfio_pci_ioctl";

/** A request for something that a device has several of. */
export interface IndexRequest {
  readonly argsz?: number;
  readonly index: number;
}

/** How many of it there are. */
export interface IndexState extends RuleState {
  readonly count: number;
  /** What of these the device does not have, as the VGA region. */
  readonly missing?: readonly number[];
}

function wrongIndex({ index }: IndexRequest, { count, missing }: IndexState): string | undefined {
  if (index >= count) return `the index must be below ${count}; got ${index}`;
  return missing?.includes(index) === true ? `the device has nothing at ${index}` : undefined;
}

/** The rules of DEVICE_GET_INFO. */
export const DEVICE_INFO_RULES: readonly Rule<{ readonly argsz?: number }, RuleState>[] = [{
  name: "device.argsz",
  source: `${CORE}_get_info`,
  errno: EINVAL,
  about: "argsz reaches to num_irqs",
  test: ({ argsz }) => wrongArgsz(argsz, 16),
}];

/** The rules of DEVICE_GET_REGION_INFO. */
export const REGION_INFO_RULES: readonly Rule<IndexRequest, IndexState>[] = [
  {
    name: "device.region-argsz",
    source: `${CORE}_get_region_info`,
    errno: EINVAL,
    about: "argsz covers the struct",
    test: ({ argsz }) => wrongArgsz(argsz, 32),
  },
  {
    name: "device.region-index",
    source: `${CORE}_get_region_info`,
    errno: EINVAL,
    about: "the device has the region",
    test: wrongIndex,
  },
];

/** The rules of DEVICE_GET_IRQ_INFO. */
export const IRQ_INFO_RULES: readonly Rule<IndexRequest, IndexState>[] = [
  {
    name: "device.irq-argsz",
    source: `${CORE}_get_irq_info`,
    errno: EINVAL,
    about: "argsz covers the struct",
    test: ({ argsz }) => wrongArgsz(argsz, 16),
  },
  {
    name: "device.irq-index",
    source: `${CORE}_get_irq_info`,
    errno: EINVAL,
    about: "the device has the kind of interrupt",
    test: wrongIndex,
  },
];

/** The fields of VFIO_DEVICE_FEATURE. */
export interface FeatureRequest {
  readonly argsz?: number;
  readonly flags: number;
}

/** What a device does with a feature; undefined for one that it does not know. */
export interface FeatureState extends RuleState {
  /** Of GET and SET. */
  readonly operations: number | undefined;
  /** Bytes behind the header. */
  readonly payload: number;
}

const HEADER = 8;
const VERBS = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_SET;
const IOCTL = "vfio_ioctl_device_feature";
const CHECK = "vfio_check_feature";

/** The rules of DEVICE_FEATURE that all features share. */
export const FEATURE_RULES: readonly Rule<FeatureRequest, FeatureState>[] = [
  {
    name: "feature.argsz",
    source: IOCTL,
    errno: EINVAL,
    about: "argsz covers the header",
    test: ({ argsz }) => wrongArgsz(argsz, HEADER),
  },
  {
    name: "feature.flags",
    source: IOCTL,
    errno: EINVAL,
    about: "flags are the feature's number, GET, SET and PROBE",
    test: ({ flags }) =>
      unknownFlags(flags, VFIO_DEVICE_FEATURE_MASK | VERBS | VFIO_DEVICE_FEATURE_PROBE),
  },
  {
    name: "feature.verbs",
    source: IOCTL,
    errno: EINVAL,
    about: "GET and SET go together only with PROBE",
    test: ({ flags }) =>
      (flags & VERBS) === VERBS && (flags & VFIO_DEVICE_FEATURE_PROBE) === 0
        ? "GET and SET go together only with PROBE"
        : undefined,
  },
  {
    name: "feature.known",
    source: "vfio_pci_core_ioctl_feature",
    errno: ENOTTY,
    about: "the device knows the feature",
    test: ({ flags }, { operations }) =>
      operations === undefined
        ? `the device does not know feature ${flags & VFIO_DEVICE_FEATURE_MASK}`
        : undefined,
  },
  {
    name: "feature.operation",
    source: CHECK,
    errno: EINVAL,
    about: "the feature has what is asked for",
    test: ({ flags }, { operations = 0 }) =>
      (flags & VERBS & ~operations) === 0
        ? undefined
        : `the feature has no ${
          (flags & VERBS & ~operations) === VFIO_DEVICE_FEATURE_GET ? "GET" : "SET"
        }`,
  },
  {
    name: "feature.verb",
    source: CHECK,
    errno: EINVAL,
    about: "without PROBE: GET or SET",
    test: ({ flags }) =>
      (flags & (VERBS | VFIO_DEVICE_FEATURE_PROBE)) === 0
        ? "one of GET, SET and PROBE must be asked for"
        : undefined,
  },
  {
    name: "feature.payload",
    source: CHECK,
    errno: EINVAL,
    about: "without PROBE: argsz covers the feature's own fields",
    test: ({ argsz, flags }, { payload }) =>
      (flags & VFIO_DEVICE_FEATURE_PROBE) === 0 ? wrongArgsz(argsz, HEADER + payload) : undefined,
  },
];
