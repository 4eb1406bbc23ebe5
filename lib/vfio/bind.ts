/**
 * Gives a PCI device to vfio-pci, and back to the host.
 *
 * @see Documentation/ABI/testing/sysfs-bus-pci, driver_override and drivers_probe
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import { VfioError } from "../base/error.ts";
import { O_CLOEXEC, O_RDWR } from "../sys/constant.ts";
import type { Kernel } from "../sys/kernel.ts";
import { kernelOf } from "./kernel_option.ts";
import { readLine, writeText } from "../sys/text.ts";
import { PCI_BRIDGE, readPci } from "./pci.ts";
import { devicePath, hasVfioDriver, isViable, meant, readGroup } from "./topology.ts";
import { claimsOn, type DeviceUse, usesOf } from "./uses.ts";

/** What {@link bindDevice} or {@link unbindDevice} did. */
export interface Rebound {
  /** The device, as sysfs names it. */
  readonly device: string;
  /** Its IOMMU group. */
  readonly group: number;
  /** The driver it had; undefined for none. */
  readonly from: string | undefined;
  /** The driver it has now; undefined for none. */
  readonly to: string | undefined;
  /** Devices of the group that drivers of the host still use: they keep the group from VFIO. */
  readonly blockedBy: readonly string[];
  /** Whether the firmware used the device for its display: the console may be gone with it. */
  readonly isBootDisplay: boolean;
}

const DRIVER = "vfio-pci";
const DRIVERS = "/sys/bus/pci/drivers";

/** A PCI device in sysfs, and what is asked of it. */
class PciDevice {
  readonly name: string;
  readonly path: string;
  readonly #kernel: Kernel;
  readonly #verb: string;

  constructor(kernel: Kernel, name: string, verb: string) {
    const path = devicePath(name);
    if (path === undefined || !path.startsWith("/sys/bus/pci/")) {
      throw new TypeError(
        `${verb} takes a PCI address like 0000:00:10.0; got ${JSON.stringify(name)}` +
          (path === undefined
            ? (name.includes(":") ? meant(name) : "") // no group is bound
            : ": a mediated device belongs to VFIO from the start"),
      );
    }
    this.path = path;
    this.name = path.slice(path.lastIndexOf("/") + 1);
    this.#kernel = kernel;
    this.#verb = verb;
    if (typeof kernel.readlink(`${path}/subsystem`) === "string") return;
    throw this.refusal(
      "readlink",
      ERRNO.ENOENT,
      "there is no such device; pinscope info lists all",
    );
  }

  #link(name: string): string | undefined {
    const target = this.#kernel.readlink(`${this.path}/${name}`);
    return typeof target === "string" ? target.slice(target.lastIndexOf("/") + 1) : undefined;
  }

  get driver(): string | undefined {
    return this.#link("driver");
  }

  get group(): number {
    const name = this.#link("iommu_group");
    if (name !== undefined) return Number(name);
    throw this.refusal(
      "readlink",
      ERRNO.ENOENT,
      "the device has no IOMMU group, so vfio-pci would not take it: enable VT-d or AMD-Vi in the " +
        "firmware, and boot with intel_iommu=on or amd_iommu=on",
    );
  }

  refusal(operation: string, errno: number, hint?: string): VfioError {
    return new VfioError({ operation, errno, action: `${this.#verb} ${this.name}`, hint });
  }

  /** Writes to a file of sysfs. */
  write(path: string, text: string): void {
    const result = writeText(this.#kernel, path, text);
    if (result >= 0) return;
    const denied = result === -ERRNO.EACCES || result === -ERRNO.EPERM || result === -ERRNO.EROFS;
    throw this.refusal(
      `write to ${path}`,
      -result,
      denied ? `only root may; type: sudo pinscope ${this.#verb} ${this.name}` : undefined,
    );
  }

  override(driver: string): void {
    this.write(`${this.path}/driver_override`, `${driver}\n`);
  }

  /** Takes the driver away, and lets the bus look for one by the override, or the usual one. */
  probe(): void {
    const { driver } = this;
    if (driver !== undefined) this.write(`${DRIVERS}/${driver}/unbind`, this.name);
    this.write("/sys/bus/pci/drivers_probe", this.name);
  }

  /** What was done, with how things stand now. */
  report(from: string | undefined): Rebound {
    const { name, group } = this;
    const { devices } = readGroup(this.#kernel, group);
    const blockedBy = devices.filter((device) => !isViable(device)).map((device) => device.name);
    const isBootDisplay = readLine(this.#kernel, `${this.path}/boot_vga`) === "1";
    return { device: name, group, from, to: this.driver, blockedBy, isBootDisplay };
  }
}

/**
 * Binds a PCI device to vfio-pci. A device that a driver of VFIO has already stays as it is.
 *
 * @param name A PCI address `0000:00:10.0`.
 * @param options `kernel`: the running kernel by default, or a model of one.
 * @throws {TypeError} If the name is no PCI address.
 * @throws {VfioError} EBUSY: the host uses the device (see {@link usesOf}); ENOENT: there is no such
 *   device, no IOMMU, or no vfio-pci; EACCES: only root may. A device that vfio-pci does not take
 *   goes back to its driver.
 * @see drivers/pci/pci-driver.c, pci_match_device
 *
 * @example Take a free device and give it back
 * ```ts
 * import { bindDevice, unbindDevice } from "@pinscope/vfio";
 * import { ModelKernel } from "@pinscope/vfio/model";
 *
 * const kernel = new ModelKernel();
 * if (bindDevice("0000:00:11.0", { kernel }).to !== "vfio-pci") throw new Error("bound");
 * if (unbindDevice("0000:00:11.0", { kernel }).to !== undefined) throw new Error("no driver");
 * ```
 */
export function bindDevice(name: string, options?: { readonly kernel?: Kernel }): Rebound {
  const kernel = kernelOf(options);
  using _held = kernel.retain();
  const device = new PciDevice(kernel, name, "bind");
  const { driver: from, group } = device;
  if (hasVfioDriver({ name: device.name, bus: "pci", driver: from })) return device.report(from);
  if (readPci(kernel, device.path).kind === PCI_BRIDGE) {
    const hint = "it is a PCI bridge, which vfio-pci does not take; it may stay as it is";
    throw device.refusal("bind", ERRNO.EINVAL, hint);
  }
  if (typeof kernel.list(`${DRIVERS}/${DRIVER}`) === "number") {
    throw device.refusal(
      "bind",
      ERRNO.ENOENT,
      `${DRIVER} is not loaded; as root: modprobe ${DRIVER}`,
    );
  }
  const shown = usesOf(device.name, { kernel });
  const uses = shown.length > 0 ? shown : claimsOn(kernel, device.name);
  if (uses.length > 0) throw device.refusal("bind", ERRNO.EBUSY, sayUses(uses));

  using undo = new DisposableStack();
  device.override(DRIVER);
  undo.defer(() => restore(device, from));
  device.probe();
  if (device.driver !== DRIVER) {
    const hint = `${DRIVER} did not take the device (group ${group}); dmesg may say why`;
    throw device.refusal("probe", ERRNO.ENODEV, hint);
  }
  undo.move();
  return device.report(from);
}

/** Brings the old driver back as far as it goes: the error that led here is what the user needs. */
function restore(device: PciDevice, from: string | undefined): void {
  try {
    device.override("");
    if (device.driver !== from) device.probe();
  } catch (error) {
    if (!(error instanceof VfioError)) throw error;
  }
}

function sayUses(uses: readonly DeviceUse[]): string {
  const sentences = uses.map(({ text, remedy }) =>
    remedy === undefined ? text : `${text} (${remedy})`
  );
  return `the host uses it: ${sentences.join(", ")}`;
}

/**
 * Gives a PCI device back to the host: clears its driver_override and probes again.
 *
 * @param name A PCI address `0000:00:10.0`.
 * @param options `kernel`: the running kernel by default, or a model of one.
 * @returns What was done; `to` is the driver that took it, undefined if none did.
 * @throws {TypeError} If the name is no PCI address.
 * @throws {VfioError} EBUSY: its group is open (the kernel would wait, without an end, until it is
 *   closed); EINVAL: no driver of VFIO has the device; EACCES: only root may.
 * @see drivers/vfio/vfio_main.c, vfio_unregister_group_dev
 */
export function unbindDevice(name: string, options?: { readonly kernel?: Kernel }): Rebound {
  const kernel = kernelOf(options);
  using _held = kernel.retain();
  const device = new PciDevice(kernel, name, "unbind");
  const { driver: from, group } = device;
  if (!hasVfioDriver({ name: device.name, bus: "pci", driver: from })) {
    const hint = `no driver of VFIO has it, but ${from ?? "none at all"}`;
    throw device.refusal("unbind", ERRNO.EINVAL, hint);
  }
  // Opening a group that is in use is refused, and closing it again changes nothing.
  const fd = kernel.open(`/dev/vfio/${group}`, O_RDWR | O_CLOEXEC);
  if (fd >= 0) kernel.close(fd);
  if (fd === -ERRNO.EBUSY) {
    const node = `/dev/vfio/${group}`;
    const hint = `a program has ${node}, or a device of it, open: end it first (fuser ${node})`;
    throw device.refusal("open", ERRNO.EBUSY, hint);
  }
  device.override("");
  device.probe();
  return device.report(from);
}
