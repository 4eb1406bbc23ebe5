/**
 * /sys, /proc and /dev of the model, as far as Pinscope and its tests look there.
 *
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import { type ModelFile, NullFile } from "./file.ts";
import type { Host } from "./host.ts";
import type { HostDevice } from "./host_device.ts";
import type { ScenePciDevice } from "./scene.ts";
import type { Tree } from "./tree.ts";

const DRIVERS = "/sys/bus/pci/drivers";
/** The major number of devices' own nodes; the kernel takes a free one. */
const VFIO_DEV = 511;
const PARAMETERS = "/sys/module/vfio_iommu_type1/parameters";

/** Where a device stands below /sys/devices. */
function home(host: Host, { scene }: HostDevice): string {
  const { name } = host.scene.mdevs;
  return scene.kind === "pci"
    ? `/sys/devices/pci0000:00/${scene.name}`
    : `/sys/devices/virtual/${name}/${name}/${scene.name}`;
}

/** Fills in everything that the host's state decides; made anew after each change of it. */
export function addSysfs(tree: Tree, host: Host, onChange: () => void): void {
  const act = (result: number): number => {
    if (result >= 0) onChange();
    return result;
  };
  for (const folder of ["/sys/class/net", "/sys/block", "/sys/kernel/iommu_groups"]) {
    tree.folder(folder);
  }
  for (const device of host.devices.values()) {
    const { name } = device.scene;
    const bus = device.scene.kind === "pci" ? "pci" : "mdev";
    const groupPath = `/sys/kernel/iommu_groups/${device.scene.group}/devices/${name}`;
    tree.link(`/sys/bus/${bus}/devices/${name}`, `../../..${home(host, device).slice(4)}`);
    if (device.scene.kind === "mdev" || device.scene.noIommu === true) {
      tree.text(`/sys/kernel/iommu_groups/${device.scene.group}/name`, "vfio-noiommu\n");
    }
    tree.link(groupPath, `../../../..${home(host, device).slice(4)}`);
    for (const path of [`/sys/bus/${bus}/devices/${name}`, groupPath, home(host, device)]) {
      addDevice(tree, path, host, device, act);
    }
  }
  addDrivers(tree, host, act);
  addMdevTypes(tree, host, act);
  tree.text(`${PARAMETERS}/dma_entry_limit`, `${host.scene.entryLimit}\n`);
  tree.text(`${PARAMETERS}/disable_hugepages`, "N\n");
  const risk = (module: string, at: { allowUnsafeInterrupts: boolean }): void =>
    tree.add(`/sys/module/${module}/parameters/allow_unsafe_interrupts`, {
      kind: "text",
      text: () => at.allowUnsafeInterrupts ? "Y\n" : "N\n",
      store: (text) => {
        at.allowUnsafeInterrupts = /^[1yY]/.test(text);
        return 0;
      },
    });
  risk("vfio_iommu_type1", host);
  if (host.scene.iommufd !== undefined) risk("iommufd", host.nodes);
}

function addDevice(
  tree: Tree,
  path: string,
  host: Host,
  device: HostDevice,
  act: (result: number) => number,
): void {
  const { scene } = device;
  const bus = scene.kind === "pci" ? "pci" : "mdev";
  tree.link(`${path}/iommu_group`, `../../../kernel/iommu_groups/${scene.group}`);
  tree.link(`${path}/subsystem`, `../../../bus/${bus}`);
  if (device.node !== undefined) {
    tree.text(`${path}/vfio-dev/vfio${device.node}/dev`, `${VFIO_DEV}:${device.node}\n`);
  }
  if (device.driver !== undefined) {
    tree.link(`${path}/driver`, `../../../bus/${bus}/drivers/${device.driver}`);
  }
  if (scene.kind === "mdev") {
    const { name, types } = host.scene.mdevs;
    const type = scene.type ?? types[0]?.name;
    tree.link(`${path}/mdev_type`, `../mdev_supported_types/${name}-${type}`);
    tree.add(`${path}/remove`, {
      kind: "text",
      text: () => "",
      store: () => act(host.removeMdev(scene.name)),
    });
    return;
  }
  const hex4 = (value: number): string => `0x${value.toString(16).padStart(4, "0")}\n`;
  tree.text(`${path}/vendor`, hex4(scene.id[0]));
  tree.text(`${path}/device`, hex4(scene.id[1]));
  tree.text(`${path}/class`, `0x${scene.class.toString(16).padStart(6, "0")}\n`);
  tree.add(`${path}/driver_override`, {
    kind: "text",
    text: () => `${device.override ?? "(null)"}\n`,
    store: (text) => {
      device.override = text.trim() === "" ? undefined : text.trim();
      return 0;
    },
  });
  if (device.driver !== undefined) {
    tree.add(`${path}/driver/unbind`, {
      kind: "text",
      text: () => "",
      store: () => act(host.bind(device, undefined)),
    });
  }
  addUses(tree, path, scene);
}

/** A disk with a mounted partition, and a network interface, as the host uses them. */
function addUses(tree: Tree, path: string, { disk, net }: ScenePciDevice): void {
  const base = path.replace("/sys/", "../");
  if (disk !== undefined) {
    const part = `${disk.name}p1`;
    const target = `${base}/nvme/nvme0/${disk.name}`;
    tree.link(`/sys/block/${disk.name}`, target);
    tree.text(`/sys/block/${disk.name}/dev`, "259:0\n");
    tree.text(`/sys/block/${disk.name}/${part}/dev`, "259:1\n");
    tree.text(`/sys/block/${disk.name}/${part}/partition`, "1\n");
    tree.folder(`/sys/block/${disk.name}/holders`);
    tree.folder(`/sys/block/${disk.name}/${part}/holders`);
    tree.link(`/sys/class/block/${disk.name}`, target);
    tree.link(`/sys/class/block/${part}`, `${target}/${part}`);
  }
  if (net !== undefined) {
    tree.link(`/sys/class/net/${net.name}`, `../${base}/net/${net.name}`);
    tree.link(`/sys/class/net/${net.name}/device`, `../../../${path.split("/").at(-1)}`);
    tree.text(`/sys/class/net/${net.name}/flags`, net.up ? "0x1003\n" : "0x1002\n");
    tree.text(`/sys/class/net/${net.name}/operstate`, net.up ? "up\n" : "down\n");
    tree.folder(`${path}/net/${net.name}`);
  }
}

/** What the driver of mediated devices offers. */
function addMdevTypes(tree: Tree, host: Host, act: (result: number) => number): void {
  const { name: driver, api, types } = host.scene.mdevs;
  for (const { name, title } of types) {
    const path = `/sys/class/mdev_bus/${driver}/mdev_supported_types/${driver}-${name}`;
    tree.text(`${path}/name`, `${title}\n`);
    tree.text(`${path}/device_api`, `${api}\n`);
    tree.text(`${path}/available_instances`, () => `${host.mdevsLeft}\n`);
    tree.folder(`${path}/devices`);
    for (const { scene } of host.devices.values()) {
      if (scene.kind !== "mdev" || (scene.type ?? types[0]?.name) !== name) continue;
      tree.link(`${path}/devices/${scene.name}`, `../../../${scene.name}`);
    }
    tree.add(`${path}/create`, {
      kind: "text",
      text: () => "",
      store: (text) => act(host.createMdev(text.trim().toLowerCase(), name)),
    });
  }
}

function addDrivers(tree: Tree, host: Host, act: (result: number) => number): void {
  const names = new Set(["vfio-pci"]);
  for (const { scene, driver } of host.devices.values()) {
    if (scene.kind !== "pci") continue;
    if (scene.hostDriver !== undefined) names.add(scene.hostDriver);
    if (driver !== undefined) names.add(driver);
  }
  const find = (text: string): HostDevice | undefined => {
    const device = host.devices.get(text.trim());
    return device?.scene.kind === "pci" ? device : undefined;
  };
  for (const name of names) {
    tree.folder(`${DRIVERS}/${name}`);
    tree.add(`${DRIVERS}/${name}/unbind`, {
      kind: "text",
      text: () => "",
      store: (text) => {
        const device = find(text);
        if (device?.driver !== name) return -ERRNO.ENODEV;
        return act(host.bind(device, undefined));
      },
    });
    tree.add(`${DRIVERS}/${name}/bind`, {
      kind: "text",
      text: () => "",
      store: (text) => {
        const device = find(text);
        if (device === undefined || device.driver !== undefined) return -ERRNO.ENODEV;
        if ((device.override ?? hostDriver(device)) !== name) return -ERRNO.ENODEV;
        return act(host.bind(device, name));
      },
    });
  }
  tree.add("/sys/bus/pci/drivers_probe", {
    kind: "text",
    text: () => "",
    store: (text) => {
      const device = find(text);
      if (device === undefined) return -ERRNO.ENODEV;
      if (device.driver !== undefined) return 0;
      const wanted = device.override ?? hostDriver(device);
      // The kernel answers the same whether a driver took the device or not.
      if (wanted === undefined || !names.has(wanted)) return 0;
      return act(host.bind(device, wanted));
    },
  });
  for (const { scene, driver } of host.devices.values()) {
    if (scene.kind === "pci" && driver !== undefined) {
      tree.link(
        `${DRIVERS}/${driver}/${scene.name}`,
        `../../../../devices/pci0000:00/${scene.name}`,
      );
    }
  }
}

const hostDriver = ({ scene }: HostDevice): string | undefined =>
  scene.kind === "pci" ? scene.hostDriver : undefined;

/** The nodes that VFIO makes, and one that is none of its. */
export function addDevices(tree: Tree, host: Host): void {
  tree.add("/dev/null", { kind: "device", open: () => new NullFile() });
  tree.add("/dev/vfio/vfio", { kind: "device", open: () => host.openContainer() });
  const groups = new Set([...host.devices.values()].map(({ scene }) => scene.group));
  for (const group of groups) {
    if (!host.hasNode(group)) continue;
    tree.add(`/dev/vfio/${group}`, {
      kind: "device",
      open: () => host.openGroup(group),
    });
  }
  if (host.scene.iommufd === undefined) return;
  tree.add("/dev/iommu", { kind: "device", open: () => host.nodes.openIommufd() });
  tree.folder("/dev/vfio/devices");
  for (const device of host.devices.values()) {
    if (device.node === undefined) continue;
    const open = (): ModelFile => host.nodes.open(device);
    tree.add(`/dev/vfio/devices/vfio${device.node}`, { kind: "device", open });
  }
}
