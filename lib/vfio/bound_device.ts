import { type BoundDevice, boundParts, kernelOf } from "../iommufd/device.ts";
import { adoptDevice, type Device, type DeviceFile } from "./device.ts";

/** The file of a bound device, lent: only its owner closes it, since that ends the binding. */
class LentFile implements DeviceFile {
  readonly #bound: BoundDevice;
  #open = true;

  constructor(bound: BoundDevice) {
    this.#bound = bound;
  }

  get fd(): number {
    if (this.#open) return this.#bound.fd;
    throw new ReferenceError(`Cannot use device ${this.#bound.name}: it is closed`);
  }

  get isOpen(): boolean {
    return this.#open;
  }

  [Symbol.dispose](): void {
    this.#open = false;
  }
}

/**
 * Gives a device that is bound to an iommufd as one of a group is given: regions, interrupts, features,
 * its log and its migration. It is closed with the bound device, or before it; only the bound device's
 * own dispose closes the file.
 *
 * @param bound What `iommufd.bind` gave.
 * @returns The device; dispose unmaps its regions and ends its log.
 * @throws {ReferenceError} If the bound device is closed.
 * @see drivers/vfio/vfio_main.c, vfio_device_fops_unl_ioctl
 */
export function deviceOf(bound: BoundDevice): Device {
  void bound.fd; // an open one
  const parts = boundParts(bound);
  const device = adoptDevice(kernelOf(bound), new LentFile(bound), bound.name, () => {
    parts.delete(device);
  });
  parts.add(device);
  return device;
}
