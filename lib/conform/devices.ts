/** Which devices of a host the suite may use, found in sysfs. */

import { readText } from "../sys/text.ts";
import type { Kernel } from "../sys/kernel.ts";
import type { Member } from "./container.ts";

/** Devices by what they are good for. */
export interface Devices {
  /** PCI devices bound to vfio-pci, the first of each group. */
  readonly pci: readonly Member[];
  /** Mediated devices of the lab's vendor driver. */
  readonly mdev: readonly Member[];
  /** Those whose driver has no dma_unmap callback. */
  readonly noUnmap: readonly Member[];
  /** Those that keep a log of their writes. */
  readonly logging: readonly Member[];
  /** Those that migrate only while they are stopped. */
  readonly migrating: readonly Member[];
  /** PCI devices that the lab's vendor driver has. */
  readonly vendorPci: readonly Member[];
}

const PCI = "/sys/bus/pci/devices";
const MDEV = "/sys/bus/mdev/devices";
const VENDOR = "pinscope-vfio-pci";
/** The folder of a type of mediated devices carries the driver's name. */
const VENDOR_TYPE = /\/pinscope_vendor-(\w+)$/;

const last = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

/** The target's last name, or undefined. */
function linkName(kernel: Kernel, path: string): string | undefined {
  const target = kernel.readlink(path);
  return typeof target === "string" ? last(target) : undefined;
}

function member(kernel: Kernel, folder: string, name: string): Member | undefined {
  const group = linkName(kernel, `${folder}/${name}/iommu_group`);
  return group === undefined ? undefined : { name, group: Number(group) };
}

const names = (kernel: Kernel, folder: string): string[] => {
  const found = kernel.list(folder);
  return typeof found === "number" ? [] : found;
};

/** What sysfs calls a group that has no IOMMU: the suite leaves those alone. */
const isNoIommu = (kernel: Kernel, group: number): boolean => {
  const text = readText(kernel, `/sys/kernel/iommu_groups/${group}/name`);
  return typeof text === "string" && text.trim() === "vfio-noiommu";
};

/**
 * Finds the devices that the suite may use.
 *
 * @param kernel The kernel.
 * @param only Names of devices to keep to; all that are ready where it is empty.
 */
export function findDevices(kernel: Kernel, only: readonly string[] = []): Devices {
  const wanted = (name: string): boolean => only.length === 0 || only.includes(name);
  const found = { pci: [] as Member[], mdev: [] as Member[], noUnmap: [] as Member[] };
  const [logging, migrating]: [Member[], Member[]] = [[], []];
  const vendorPci: Member[] = [];
  const groups = new Set<number>();
  for (const name of names(kernel, PCI).filter(wanted)) {
    const driver = linkName(kernel, `${PCI}/${name}/driver`);
    if (driver !== "vfio-pci" && driver !== VENDOR) continue;
    const device = member(kernel, PCI, name);
    if (device === undefined || groups.has(device.group)) continue;
    if (isNoIommu(kernel, device.group)) continue;
    groups.add(device.group);
    (driver === VENDOR ? vendorPci : found.pci).push(device);
  }
  for (const name of names(kernel, MDEV).filter(wanted)) {
    const type = kernel.readlink(`${MDEV}/${name}/mdev_type`);
    const kind = typeof type === "string" ? VENDOR_TYPE.exec(type)?.[1] : undefined;
    const device = member(kernel, MDEV, name);
    if (device === undefined) continue;
    if (kind === "pins") found.mdev.push(device);
    if (kind === "no_unmap") found.noUnmap.push(device);
    if (kind === "logs") logging.push(device);
    if (kind === "migrates") migrating.push(device);
  }
  return { ...found, logging, migrating, vendorPci };
}
