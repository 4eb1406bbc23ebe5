import type { CdevFile } from "./cdev.ts";
import type { DeviceFile } from "./device.ts";
import type { DeviceDma } from "./device_dma.ts";
import type { DeviceParts } from "./device_part.ts";
import { LAB_VENDOR } from "./lab_scene.ts";
import type { PinningDriver } from "./pinning_driver.ts";
import type { SceneMdev, ScenePciDevice } from "./scene.ts";

/** A device of the scene, as it is now. */
export interface HostDevice {
  readonly scene: ScenePciDevice | SceneMdev;
  /** The driver that is bound. */
  driver: string | undefined;
  /** What sysfs' driver_override says. */
  override: string | undefined;
  /** What pins for the device: a mediated device always has it. */
  readonly vendor: PinningDriver | undefined;
  readonly parts: DeviceParts;
  /** Its open files. */
  readonly open: Set<DeviceFile>;
  /** The number of its own node, as 0 of vfio0, while VFIO has it. */
  node: number | undefined;
  /** The file of its own node that is bound to an iommufd. */
  bound: CdevFile | undefined;
  /** What a script plays it with. */
  readonly dma: DeviceDma;
  /** How often its workload has run. */
  round: number;
}

/** A PCI driver of VFIO that pins, as vendors write them. */
export const VENDOR = "model-vfio-pci";
/** Such drivers: that of the model's own scenes, and that of the lab. */
export const PINNING: ReadonlySet<string | undefined> = new Set([VENDOR, LAB_VENDOR]);
/** Drivers of VFIO. */
export const VFIO_DRIVERS: ReadonlySet<string | undefined> = new Set(["vfio-pci", ...PINNING]);
/** Drivers that do no DMA of their own. */
export const HARMLESS: ReadonlySet<string | undefined> = new Set([
  ...VFIO_DRIVERS,
  "pci-stub",
  "pcieport",
]);

/** Whether VFIO has a device, so that there are nodes for it. */
export function isVfio({ scene, driver }: Pick<HostDevice, "scene" | "driver">): boolean {
  return scene.kind === "mdev" || VFIO_DRIVERS.has(driver);
}

/** A file of a device is closed; the last one leaves it as it was. */
export function closeDevice({ open, vendor, parts }: HostDevice, file: DeviceFile): void {
  if (!open.delete(file) || open.size > 0) return;
  vendor?.close();
  parts.pci?.irqs.reset();
  parts.pci?.power.exit();
}
