/**
 * VFIO_DEVICE_FEATURE of a PCI device: low power, and nothing else.
 *
 * @see drivers/vfio/vfio_main.c, vfio_ioctl_device_feature, and drivers/vfio/pci/vfio_pci_core.c
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import { FEATURE_RULES } from "../rules/device.ts";
import { firstRefusal } from "../rules/refusal.ts";
import { vfio_device_feature } from "../uapi/feature.ts";
import {
  VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY,
  VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP,
  VFIO_DEVICE_FEATURE_LOW_POWER_EXIT,
  VFIO_DEVICE_FEATURE_MASK,
  VFIO_DEVICE_FEATURE_PROBE,
  VFIO_DEVICE_FEATURE_SET,
} from "../uapi/flag.ts";
import { EventFile, type ModelFile } from "./file.ts";

/** Bytes behind the header. */
const PAYLOAD: ReadonlyMap<number, number> = new Map([
  [VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY, 0],
  [VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP, 8],
  [VFIO_DEVICE_FEATURE_LOW_POWER_EXIT, 0],
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
  power: LowPower | undefined,
  fileOf: (fd: number) => ModelFile | undefined,
): number {
  if (argument.length < vfio_device_feature.size) return -ERRNO.EFAULT;
  const { argsz, flags } = vfio_device_feature.over(argument).fields;
  const feature = flags & VFIO_DEVICE_FEATURE_MASK;
  const payload = power === undefined ? undefined : PAYLOAD.get(feature);
  const operations = payload === undefined ? undefined : VFIO_DEVICE_FEATURE_SET;
  const refusal = firstRefusal(FEATURE_RULES, { argsz, flags }, {
    operations,
    payload: payload ?? 0,
  });
  if (refusal !== undefined) return -refusal.errno;
  if (power === undefined || (flags & VFIO_DEVICE_FEATURE_PROBE) !== 0) return 0;
  if (feature === VFIO_DEVICE_FEATURE_LOW_POWER_EXIT) {
    power.exit();
    return 0;
  }
  if (feature === VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY) return power.enter(undefined);
  if (argument.length < vfio_device_feature.size + 8) return -ERRNO.EFAULT;
  const at = argument.byteOffset + vfio_device_feature.size;
  const file = fileOf(new DataView(argument.buffer, at).getInt32(0, true));
  if (file === undefined) return -ERRNO.EBADF;
  return file instanceof EventFile ? power.enter(file) : -ERRNO.EINVAL;
}
