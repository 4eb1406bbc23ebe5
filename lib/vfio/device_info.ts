import { ERRNO } from "../base/errno.ts";
import { check } from "../base/error.ts";
import { vfio_device_info } from "../uapi/device.ts";
import { vfio_device_feature } from "../uapi/feature.ts";
import {
  VFIO_DEVICE_FEATURE_GET,
  VFIO_DEVICE_FEATURE_PROBE,
  VFIO_DEVICE_FEATURE_SET,
  VFIO_DEVICE_FLAGS_PCI,
  VFIO_DEVICE_FLAGS_RESET,
} from "../uapi/flag.ts";
import { VFIO_DEVICE_FEATURE, VFIO_DEVICE_GET_INFO } from "../uapi/request.ts";
import type { FeatureHost } from "./log_support.ts";

/** What VFIO_DEVICE_GET_INFO tells. */
export interface DeviceInfo {
  /** How many regions can be asked for, those of size 0 included. */
  readonly regions: number;
  /** How many interrupt kinds can be asked for, those without vectors included. */
  readonly irqs: number;
  /** Whether `reset` works. */
  readonly canReset: boolean;
  /** Whether region and interrupt indices are those of PCI. */
  readonly isPci: boolean;
  /** All VFIO_DEVICE_FLAGS. */
  readonly flags: number;
}

/** What a device answers when it is asked for a feature. */
export interface FeatureSupport {
  /** Whether it can be read. */
  readonly get: boolean;
  /** Whether it can be set. */
  readonly set: boolean;
}

/** See `Device.info`. */
export function readDeviceInfo({ kernel, fd, name }: FeatureHost): DeviceInfo {
  const request = vfio_device_info.create();
  request.fields.argsz = vfio_device_info.size;
  check(
    kernel.ioctlBuffer(fd, VFIO_DEVICE_GET_INFO, request.bytes),
    "VFIO_DEVICE_GET_INFO",
    `read the properties of ${name}`,
  );
  const { flags, num_regions, num_irqs } = request.fields;
  return {
    regions: num_regions,
    irqs: num_irqs,
    canReset: (flags & VFIO_DEVICE_FLAGS_RESET) !== 0,
    isPci: (flags & VFIO_DEVICE_FLAGS_PCI) !== 0,
    flags,
  };
}

/** What a device answers about a feature that it does not have, or an operation that the feature lacks. */
const NO_FEATURE: ReadonlySet<number> = new Set([-ERRNO.ENOTTY, -ERRNO.EINVAL, -ERRNO.EOPNOTSUPP]);

/** See `Device.feature`. */
export function probeFeature({ kernel, fd, name }: FeatureHost, index: number): FeatureSupport {
  const probe = (operation: number): boolean => {
    const request = vfio_device_feature.create();
    request.fields.argsz = vfio_device_feature.size;
    request.fields.flags = index | operation | VFIO_DEVICE_FEATURE_PROBE;
    const result = kernel.ioctlBuffer(fd, VFIO_DEVICE_FEATURE, request.bytes);
    // EOPNOTSUPP: the kernel's part of vfio-pci knows DMA_BUF (v6.19), and the device's driver does not.
    if (NO_FEATURE.has(result)) return false;
    check(result, "VFIO_DEVICE_FEATURE", `probe feature ${index} of ${name}`);
    return true;
  };
  return { get: probe(VFIO_DEVICE_FEATURE_GET), set: probe(VFIO_DEVICE_FEATURE_SET) };
}
