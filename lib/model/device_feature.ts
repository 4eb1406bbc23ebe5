/**
 * VFIO_DEVICE_FEATURE of a PCI device: low power, and nothing else.
 *
 * @see drivers/vfio/vfio_main.c, vfio_ioctl_device_feature, and drivers/vfio/pci/vfio_pci_core.c
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import type { Behaviour } from "../rules/behaviour.ts";
import { FEATURE_RULES } from "../rules/device.ts";
import { firstRefusal } from "../rules/refusal.ts";
import { vfio_device_feature } from "../uapi/feature.ts";
import {
  VFIO_DEVICE_FEATURE_DMA_BUF,
  VFIO_DEVICE_FEATURE_GET,
  VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY,
  VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP,
  VFIO_DEVICE_FEATURE_LOW_POWER_EXIT,
  VFIO_DEVICE_FEATURE_MASK,
  VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2,
  VFIO_DEVICE_FEATURE_PROBE,
  VFIO_DEVICE_FEATURE_SET,
} from "../uapi/flag.ts";
import { EventFile, type ModelFile } from "./file.ts";

/** A feature: what can be done with it, and how many bytes stand behind the header. */
interface Feature {
  readonly operations: number;
  readonly payload: number;
}

const set = (payload: number): Feature => ({ operations: VFIO_DEVICE_FEATURE_SET, payload });
const FEATURES: ReadonlyMap<number, Feature> = new Map([
  [VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY, set(0)],
  [VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP, set(8)],
  [VFIO_DEVICE_FEATURE_LOW_POWER_EXIT, set(0)],
]);
const NEW_FEATURES: ReadonlyMap<number, Feature> = new Map([
  ...FEATURES,
  [VFIO_DEVICE_FEATURE_DMA_BUF, { operations: VFIO_DEVICE_FEATURE_GET, payload: 16 }],
]);

/** Whether a device sleeps, and who is told when it wakes up. */
export class LowPower {
  /** Whether user space gave its say that the device may sleep. */
  isOn = false;
  #wakeup: EventFile | undefined;

  /** Any request wakes the device up; with an eventfd that ends its sleep. */
  touch(): void {
    if (this.#wakeup === undefined) return;
    this.#wakeup.signal();
    this.exit();
  }

  /** Ends the sleep. */
  exit(): void {
    this.isOn = false;
    this.#wakeup = undefined;
  }

  /** Lets the device sleep. */
  enter(wakeup: EventFile | undefined): number {
    if (this.isOn) return -ERRNO.EINVAL;
    this.isOn = true;
    this.#wakeup = wakeup;
    return 0;
  }
}

/** Answers DEVICE_FEATURE; without `power` the device has no features: 0 or -errno. */
export function deviceFeature(
  argument: Uint8Array,
  device: {
    readonly power: LowPower | undefined;
    readonly behaviour: Behaviour;
    readonly fileOf: (fd: number) => ModelFile | undefined;
  },
): number {
  const { power, behaviour, fileOf } = device;
  if (argument.length < vfio_device_feature.size) return -ERRNO.EFAULT;
  const { argsz, flags } = vfio_device_feature.over(argument).fields;
  const feature = flags & VFIO_DEVICE_FEATURE_MASK;
  const known = power && (behaviour.newFeatures === true ? NEW_FEATURES : FEATURES).get(feature);
  const { operations, payload = 0 } = known ?? {};
  const refusal = firstRefusal(FEATURE_RULES, { argsz, flags }, { operations, payload, behaviour });
  const isNew = behaviour.newFeatures === true &&
    feature === VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2;
  if (refusal?.rule === "feature.known" && isNew) return -ERRNO.EINVAL;
  if (refusal !== undefined) return -refusal.errno;
  if (power === undefined || (flags & VFIO_DEVICE_FEATURE_PROBE) !== 0) return 0;
  if (feature === VFIO_DEVICE_FEATURE_LOW_POWER_EXIT) {
    power.exit();
    return 0;
  }
  if (feature === VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY) return power.enter(undefined);
  // Regions of the model cannot be given away as a dma-buf.
  if (feature === VFIO_DEVICE_FEATURE_DMA_BUF) return -ERRNO.EOPNOTSUPP;
  if (argument.length < vfio_device_feature.size + 8) return -ERRNO.EFAULT;
  const at = argument.byteOffset + vfio_device_feature.size;
  const file = fileOf(new DataView(argument.buffer, at).getInt32(0, true));
  if (file === undefined) return -ERRNO.EBADF;
  return file instanceof EventFile ? power.enter(file) : -ERRNO.EINVAL;
}
