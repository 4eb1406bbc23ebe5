/**
 * What the host has for VFIO: its nodes, its IOMMU groups, and what stands in the way.
 *
 * @module
 */

import type { Kernel } from "../sys/kernel.ts";
import { kernelOf } from "./kernel_option.ts";
import { readLine } from "../sys/text.ts";
import { PCI_BRIDGE, readPci } from "./pci.ts";
import {
  type DeviceId,
  type GroupId,
  hasVfioDriver,
  isNoIommu,
  isViable,
  listGroups,
} from "./topology.ts";
import { devicesToBind } from "./to_bind.ts";
import { type DeviceUse, usesOf } from "./uses.ts";

/** A device of the host. */
export interface HostDevice extends DeviceId {
  /** Vendor and device of a PCI device, as "8086:10d3". */
  readonly id: string | undefined;
  /** What a PCI device is, as "network" or "NVMe". */
  readonly kind: string | undefined;
  /** Its own node, as "/dev/vfio/devices/vfio0": what an iommufd binds; undefined without one. */
  readonly node: string | undefined;
  /** What the host uses it for, if a driver of the host has it: see {@link usesOf}. */
  readonly uses: readonly DeviceUse[];
}

/**
 * What can be done with a group now:
 *
 * - `ready`: it can be attached to a container
 * - `blocked`: a device of it is bound to VFIO, but the host still drives another
 * - `host`: no device of it is bound to VFIO
 * - `no-iommu`: nothing would be translated; Pinscope does not use it
 */
export type GroupState = "ready" | "blocked" | "host" | "no-iommu";

/** An IOMMU group of the host. */
export interface HostGroup extends GroupId {
  /** Its devices, with what sysfs tells of them. */
  readonly devices: readonly HostDevice[];
  /** What can be done with it now. */
  readonly state: GroupState;
  /** Whether no driver of the host stands in the way. */
  readonly isViable: boolean;
  /** The devices that have to be bound to VFIO before the group is ready. */
  readonly toBind: readonly string[];
}

/** What {@link listHost} finds. */
export interface Host {
  /** The release of the kernel, as uname gives it. */
  readonly kernel: string | undefined;
  /** Whether /dev/vfio/vfio is there. */
  readonly hasContainer: boolean;
  /** Whether /dev/iommu is there. */
  readonly hasIommufd: boolean;
  /** Mappings that a container may have; undefined while vfio_iommu_type1 is not loaded. */
  readonly dmaEntryLimit: number | undefined;
  /** Whether IOMMUs without interrupt remapping are accepted; undefined as above. */
  readonly allowsUnsafeInterrupts: boolean | undefined;
  /** Every IOMMU group, by number. */
  readonly groups: readonly HostGroup[];
  /** PCI devices without a group: all of them, where the IOMMU is off. */
  readonly ungrouped: readonly HostDevice[];
  /** What is missing before any group can be used, as sentences with what to type. */
  readonly advice: readonly string[];
}

const TYPE1 = "/sys/module/vfio_iommu_type1/parameters";
const PCI_DEVICES = "/sys/bus/pci/devices";

/**
 * Lists what the host has for VFIO. Nothing is opened or changed, and no right is needed.
 *
 * @param options `kernel`: the running kernel by default, or a model of one.
 *
 * @example The devices that can be attached now
 * ```ts
 * import { listHost } from "@pinscope/vfio";
 * import { ModelKernel } from "@pinscope/vfio/model";
 *
 * const { groups } = listHost({ kernel: new ModelKernel() });
 * const ready = groups.filter((group) => group.state === "ready");
 * if (!ready.some((group) => group.devices[0]?.name === "0000:00:10.0")) throw new Error("ready");
 * ```
 */
export function listHost(options?: { readonly kernel?: Kernel }): Host {
  const kernel = kernelOf(options);
  using _held = kernel.retain();
  const nodes = names(kernel, "/dev/vfio");
  const groups = listGroups(kernel).map((group) =>
    hostGroup(kernel, group, nodes.includes(`${group.number}`))
  );
  const grouped = new Set(groups.flatMap(({ devices }) => devices.map(({ name }) => name)));
  const ungrouped = names(kernel, PCI_DEVICES).filter((name) => !grouped.has(name))
    .map((name) => hostDevice(kernel, { name, bus: "pci", driver: driverOf(kernel, name) }));
  const limit = readLine(kernel, `${TYPE1}/dma_entry_limit`);
  const unsafe = readLine(kernel, `${TYPE1}/allow_unsafe_interrupts`);
  const host = {
    kernel: readLine(kernel, "/proc/sys/kernel/osrelease"),
    hasContainer: nodes.includes("vfio"),
    hasIommufd: names(kernel, "/dev").includes("iommu"),
    dmaEntryLimit: limit === undefined ? undefined : Number(limit),
    allowsUnsafeInterrupts: unsafe === undefined ? undefined : unsafe === "Y",
    groups,
    ungrouped,
  };
  return { ...host, advice: adviceFor(host) };
}

const names = (kernel: Kernel, path: string): string[] => {
  const list = kernel.list(path);
  return typeof list === "number" ? [] : list;
};

function driverOf(kernel: Kernel, name: string): string | undefined {
  const link = kernel.readlink(`${PCI_DEVICES}/${name}/driver`);
  return typeof link === "string" ? link.slice(link.lastIndexOf("/") + 1) : undefined;
}

/** Sysfs has an entry for it since v6.1; the node comes with CONFIG_VFIO_DEVICE_CDEV. */
function nodeOf(kernel: Kernel, { name, bus }: DeviceId): string | undefined {
  const [node] = names(kernel, `/sys/bus/${bus}/devices/${name}/vfio-dev`);
  const has = node !== undefined && names(kernel, "/dev/vfio/devices").includes(node);
  return has ? `/dev/vfio/devices/${node}` : undefined;
}

function hostDevice(kernel: Kernel, device: DeviceId): HostDevice {
  const { name, bus, driver } = device;
  const node = nodeOf(kernel, device);
  if (bus !== "pci") return { ...device, id: undefined, kind: undefined, node, uses: [] };
  const { id, kind } = readPci(kernel, `${PCI_DEVICES}/${name}`);
  // Everything is below a bridge: only the device at the end is in use.
  const isHosts = driver !== undefined && kind !== PCI_BRIDGE && !hasVfioDriver(device);
  return { ...device, id, kind, node, uses: isHosts ? usesOf(name, { kernel }) : [] };
}

function hostGroup(kernel: Kernel, group: GroupId, hasNode: boolean): HostGroup {
  const devices = group.devices.map((device) => hostDevice(kernel, device));
  const viable = devices.every(isViable);
  const state = isNoIommu(group)
    ? "no-iommu"
    : viable && hasNode
    ? "ready"
    : devices.some(hasVfioDriver)
    ? "blocked"
    : "host";
  const toBind = state === "ready" || state === "no-iommu" ? [] : devicesToBind(kernel, devices);
  return { ...group, devices, state, isViable: viable, toBind };
}

function adviceFor(host: Omit<Host, "advice">): string[] {
  const advice: string[] = [];
  if (host.groups.length === 0) {
    advice.push(
      "There is no IOMMU group: enable VT-d or AMD-Vi in the firmware, and boot with " +
        "intel_iommu=on or amd_iommu=on",
    );
  }
  if (!host.hasContainer) advice.push("VFIO is not loaded; as root: modprobe vfio-pci");
  return advice;
}
