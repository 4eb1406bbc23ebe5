/**
 * From the name of a device to its IOMMU group, through sysfs.
 *
 * @see drivers/iommu/iommu.c, iommu_group_add_device
 * @module
 */

import { given } from "../base/argument.ts";
import { ERRNO } from "../base/errno.ts";
import { VfioError } from "../base/error.ts";
import type { Kernel } from "../sys/kernel.ts";
import { readLine } from "../sys/text.ts";

/** A device of an IOMMU group. */
export interface DeviceId {
  /** As sysfs names it: a PCI address, or the UUID of a mediated device. */
  readonly name: string;
  /** "pci", "mdev" or another bus. */
  readonly bus: string;
  /** The driver bound to it; undefined if there is none. */
  readonly driver: string | undefined;
}

/** An IOMMU group with its devices. */
export interface GroupId {
  /** The number in /dev/vfio/<number>. */
  readonly number: number;
  /** The name that the kernel gave it: "vfio-noiommu" for one without an IOMMU. */
  readonly name: string | undefined;
  /** Its devices, by name. */
  readonly devices: readonly DeviceId[];
}

/** What `container.attach` was asked for. */
export interface Target {
  readonly group: number;
  /** The device that was named; undefined for `group:N`. */
  readonly device: string | undefined;
}

const PCI = /^[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/i;
/** Written like a PCI address, with any slot and function. */
const NEARLY_PCI = /^(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:([0-9a-f]{2})\.([0-9a-f])$/i;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const GROUP = /^group:(\d+)$/;
const GROUPS = "/sys/kernel/iommu_groups";

/**
 * The name of a group without an IOMMU: that of a device in no-IOMMU mode, and of mediated devices too.
 *
 * @see drivers/vfio/group.c, vfio_noiommu_group_alloc
 */
const NOIOMMU_NAME = "vfio-noiommu";

/** Whether a group is in no-IOMMU mode. */
export function isNoIommu(group: GroupId): boolean {
  return group.name === NOIOMMU_NAME && !isEmulated(group);
}

/** The sysfs folder of a device named by PCI address or UUID; undefined for another text. */
export function devicePath(name: string): string | undefined {
  if (PCI.test(name)) return `/sys/bus/pci/devices/${name.toLowerCase()}`;
  if (UUID.test(name)) return `/sys/bus/mdev/devices/${name.toLowerCase()}`;
  return undefined;
}

/**
 * Checks that a text names a device or a group, which need not exist.
 *
 * @param target `0000:00:10.0`, the UUID of a mediated device, or `group:12`.
 * @throws {TypeError} If it is none of these.
 */
export function checkTarget(target: string): void {
  if (GROUP.test(target) || devicePath(target) !== undefined) return;
  const text = typeof target === "string" ? JSON.stringify(target) : given(target);
  throw new TypeError(
    "A device is a PCI address like 0000:00:10.0, the UUID of a mediated device, or group:12; " +
      `got ${text}${meant(`${target}`)}`,
  );
}

/**
 * Says what was meant by a short form: `00:10.0` as lspci prints it, or the number of a group; or which
 * part of a PCI address cannot be. The text ends a sentence; it is empty where nothing of it helps.
 */
export function meant(text: string): string {
  const [, slot = "", part = ""] = NEARLY_PCI.exec(text) ?? [];
  if (slot !== "" && !/^[01]/.test(slot)) return `; a slot is 00 to 1f; got ${slot}`;
  if (part !== "" && !/^[0-7]$/.test(part)) return `; a function is 0 to 7; got ${part}`;
  const near = /^\d+$/.test(text) ? `group:${text}` : `0000:${text}`;
  return GROUP.test(near) || PCI.test(near) ? `; did you mean ${near}?` : "";
}

/**
 * Finds the group of a device.
 *
 * @param target `0000:00:10.0`, the UUID of a mediated device, or `group:12`.
 * @throws {TypeError} If it is none of these.
 * @throws {VfioError} ENOENT, if there is no such device or it has no group.
 */
export function resolve(kernel: Kernel, target: string): Target {
  checkTarget(target);
  const number = GROUP.exec(target)?.[1];
  const path = devicePath(target);
  if (path === undefined) return { group: Number(number), device: undefined };
  const device = path.slice(path.lastIndexOf("/") + 1);
  const link = kernel.readlink(`${path}/iommu_group`);
  if (typeof link === "string") {
    return { group: Number(link.slice(link.lastIndexOf("/") + 1)), device };
  }
  const missing = typeof kernel.readlink(`${path}/subsystem`) !== "string";
  throw new VfioError({
    operation: "readlink",
    errno: -link,
    action: `find the IOMMU group of ${device}`,
    hint: missing
      ? "there is no such device; pinscope info lists those there are"
      : "the device has no group, so the IOMMU is off: boot with intel_iommu=on or amd_iommu=on " +
        "and enable it in the firmware",
  });
}

/** The last part of a link's target, or undefined where there is no link. */
function linkName(kernel: Kernel, path: string): string | undefined {
  const target = kernel.readlink(path);
  return typeof target === "string" ? target.slice(target.lastIndexOf("/") + 1) : undefined;
}

/**
 * Lists a group's devices with their drivers.
 *
 * @throws {VfioError} ENOENT, if there is no such group.
 */
export function readGroup(kernel: Kernel, number: number): GroupId {
  const path = `${GROUPS}/${number}`;
  const names = kernel.list(`${path}/devices`);
  if (typeof names === "number") {
    throw new VfioError({
      operation: "open",
      errno: -names,
      action: `read IOMMU group ${number}`,
      hint: -names === ERRNO.ENOENT
        ? "there is no such group; pinscope info lists those there are"
        : undefined,
    });
  }
  const devices = names.map((name): DeviceId => ({
    name,
    bus: linkName(kernel, `${path}/devices/${name}/subsystem`) ?? "unknown",
    driver: linkName(kernel, `${path}/devices/${name}/driver`),
  }));
  return { number, name: readLine(kernel, `${path}/name`), devices };
}

/** Lists every IOMMU group of the host, by number; none where the IOMMU is off. */
export function listGroups(kernel: Kernel): GroupId[] {
  const names = kernel.list(GROUPS);
  if (typeof names === "number") return [];
  return names.map(Number).sort((a, b) => a - b).map((number) => readGroup(kernel, number));
}

/** Drivers that leave a group viable although they are not VFIO's. */
const HARMLESS: ReadonlySet<string> = new Set(["pci-stub", "pcieport", "shpchp"]);

/**
 * Whether a device may stay as it is when its group is given to user space: no driver, a VFIO
 * driver, or one that does no DMA of its own.
 *
 * @see drivers/iommu/iommu.c, iommu_device_claim_dma_owner; drivers with driver_managed_dma
 */
export function isViable(device: DeviceId): boolean {
  const { driver, bus } = device;
  if (driver === undefined || bus === "mdev" || HARMLESS.has(driver)) return true;
  return hasVfioDriver(device);
}

/** Whether a driver of VFIO has the device: vfio-pci, or one for a kind of device (mlx5-vfio-pci). */
export function hasVfioDriver(device: DeviceId): boolean {
  return /(^|[-_])vfio([-_]|$)/.test(device.driver ?? "");
}

/** Whether a group's devices are all emulated by their drivers, as mediated devices are. */
export function isEmulated(group: Pick<GroupId, "devices">): boolean {
  return group.devices.length > 0 && group.devices.every(({ bus }) => bus === "mdev");
}
