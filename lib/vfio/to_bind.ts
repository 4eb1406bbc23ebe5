import type { Kernel } from "../sys/kernel.ts";
import { readPci } from "./pci.ts";
import { type DeviceId, devicePath, isViable } from "./topology.ts";

/**
 * Names the devices of a group that have to be bound to VFIO before it can be used. A driver of the
 * host that stands in the way has to go; without one, any device but a bridge will do, for vfio-pci
 * takes no bridge.
 */
export function devicesToBind(kernel: Kernel, devices: readonly DeviceId[]): string[] {
  const guilty = devices.filter((device) => !isViable(device));
  if (guilty.length > 0) return guilty.filter(isPci).map(({ name }) => name);
  const first = devices.find((device) => {
    const path = devicePath(device.name);
    return isPci(device) && path !== undefined && !readPci(kernel, path).kind?.endsWith("bridge");
  });
  return first === undefined ? [] : [first.name];
}

const isPci = ({ bus }: DeviceId): boolean => bus === "pci";
