import { ERRNO } from "../base/errno.ts";
import { MemlockAccount } from "./account.ts";
import { MAINLINE_V5_8, type ProposalV9 } from "../rules/proposal.ts";
import type { Behaviour } from "../rules/behaviour.ts";
import {
  VFIO_MIGRATION_P2P,
  VFIO_MIGRATION_PRE_COPY,
  VFIO_MIGRATION_STOP_COPY,
} from "../uapi/flag.ts";
import { ContainerFile } from "./container.ts";
import { Descriptors } from "./descriptors.ts";
import { DeviceFile } from "./device.ts";
import { DeviceDma, type DmaWay } from "./device_dma.ts";
import { mdevParts, pciParts } from "./device_part.ts";
import { GroupFile } from "./group.ts";
import { closeDevice, HARMLESS, type HostDevice, isVfio, PINNING } from "./host_device.ts";
import { HostNodes } from "./host_node.ts";
import { type DriverPlace, PinningDriver } from "./pinning_driver.ts";
import { AddressSpace } from "./memory.ts";
import type { Process, UserAccount } from "./process.ts";
import { deviceAccess } from "./type1_pin.ts";
import type { Scene, SceneMdev, ScenePciDevice } from "./scene.ts";

/** The number of the process that a script on the model believes to be. */
const FIRST_PID = 4242;

/** VFIO_MIGRATION flags. */
function migrationFlags(states: "stopped" | "all", behaviour: Behaviour): number {
  const preCopy = behaviour.firstMigration === true ? 0 : VFIO_MIGRATION_PRE_COPY;
  const more = states === "all" ? VFIO_MIGRATION_P2P | preCopy : 0;
  return VFIO_MIGRATION_STOP_COPY | more;
}

/** The host of a model: which devices there are, who drives them, and what is open. */
export class Host {
  readonly scene: Scene;
  readonly devices: Map<string, HostDevice>;
  /** The module parameter that takes the risk of interrupts that are not remapped. */
  allowUnsafeInterrupts = false;
  /** /dev/iommu, and the nodes of devices. */
  readonly nodes: HostNodes = new HostNodes(this);
  readonly #open = new Map<number, GroupFile>();
  readonly #user: UserAccount = { locked: 0n };

  /** A host as its scene says. */
  constructor(scene: Scene) {
    this.scene = scene;
    this.devices = new Map(scene.devices.map((device) => [device.name, this.#plug(device)]));
    for (const device of this.devices.values()) this.nodes.update(device);
  }

  #plug(scene: ScenePciDevice | SceneMdev): HostDevice {
    const place = (): DriverPlace | undefined => {
      const group = this.#open.get(scene.group);
      const iommu = group?.container?.iommu;
      return group === undefined || iommu === undefined ? undefined : { group, iommu };
    };
    const way: DmaWay = {
      access: (iova, bytes, write) => {
        const iommu = place()?.iommu;
        if (iommu === undefined) return this.nodes.access(scene.name, iova, bytes, write);
        return deviceAccess(iommu, iova, bytes, write) ? 0 : -ERRNO.EFAULT;
      },
      mappings: () => [...place()?.iommu.mappings ?? this.nodes.mappings(scene.name)],
    };
    const rest = { override: undefined, node: undefined, bound: undefined, round: 0 };
    const common = { ...rest, scene, dma: new DeviceDma(way), open: new Set<DeviceFile>() };
    if (scene.kind === "mdev") {
      const { name: driver, types } = this.scene.mdevs;
      const type = types.find(({ name }) => name === scene.type) ?? types[0];
      const vendor = new PinningDriver(place, scene.workload, {
        hasUnmapCallback: type?.canPin ?? true,
        logs: type?.logs,
        migration: type?.migrates && migrationFlags(type.migrates, this.scene.behaviour),
      });
      return { ...common, driver, vendor, parts: mdevParts(vendor) };
    }
    const { driver } = scene;
    const { logs } = scene;
    const vendor = PINNING.has(driver) ? new PinningDriver(place, undefined, { logs }) : undefined;
    return { ...common, driver, vendor, parts: pciParts(scene, way.access, vendor) };
  }

  /** How it speaks the v9 series, if it does. */
  get proposal(): ProposalV9 | undefined {
    const { proposal } = this.scene;
    return proposal === undefined ? undefined : { ...MAINLINE_V5_8, ...proposal };
  }

  /** The process of the script, and those that it forked. */
  readonly processes: Process[] = [];
  /** Rises when the trees of /sys and /proc change. */
  changes = 0;

  /** A process with the script's limits, or a child of another. */
  fork(parent?: Process): Process {
    const { memlock, ipcLock } = this.scene;
    const process = {
      pid: FIRST_PID + this.processes.length,
      account: parent?.account.fork() ?? new MemlockAccount(memlock, ipcLock),
      user: this.#user,
      memory: parent?.memory.fork() ?? new AddressSpace(),
      files: parent?.files.fork() ?? new Descriptors(),
    };
    this.processes.push(process);
    this.changes += 1;
    return process;
  }

  /** The devices of a group. */
  inGroup(group: number): HostDevice[] {
    return [...this.devices.values()].filter((device) => device.scene.group === group);
  }

  /** Whether VFIO has a device of the group, so that there is a node for it. */
  hasNode(group: number): boolean {
    return this.inGroup(group).some(isVfio);
  }

  /** Whether the group's node is open. */
  isOpen(group: number): boolean {
    return this.#open.has(group);
  }

  /** Opens /dev/vfio/vfio. */
  openContainer(): ContainerFile {
    const { scene } = this;
    const safe = (): boolean => scene.interruptRemapping || this.allowUnsafeInterrupts;
    const { behaviour, pageSize, ranges, entryLimit, coherent } = scene;
    return new ContainerFile({
      behaviour,
      pageSize,
      ranges,
      entryLimit,
      coherent,
      proposal: this.proposal,
      get interruptsSafe() {
        return safe();
      },
    });
  }

  /** Opens /dev/vfio/<group>: once at a time. */
  openGroup(group: number): GroupFile | number {
    const devices = this.inGroup(group);
    const byNode = devices.some(({ bound }) => bound !== undefined);
    if (byNode || this.isOpen(group)) return -ERRNO.EBUSY;
    const file = new GroupFile({
      emulated: devices.every(({ scene }) => scene.kind === "mdev"),
      behaviour: this.scene.behaviour,
      isSingleton: () => this.inGroup(group).length === 1,
      isViable: () =>
        devices.every(({ scene, driver }) =>
          scene.kind === "mdev" || driver === undefined || HARMLESS.has(driver)
        ),
      hasDevice: (name) => this.#find(name, group) !== undefined,
      openDevice: (name, owner) => this.#openDevice(this.#find(name, group)!, owner),
      onLeave: () => this.inGroup(group).forEach(({ vendor }) => vendor?.close()),
      onRelease: () => void this.#open.delete(group),
    });
    this.#open.set(group, file);
    return file;
  }

  #find(name: string, group: number): HostDevice | undefined {
    const device = this.devices.get(name);
    if (device?.scene.group !== group) return undefined;
    return isVfio(device) ? device : undefined;
  }

  #openDevice(device: HostDevice, group: GroupFile): DeviceFile {
    const { vendor, parts, open } = device;
    const file = new DeviceFile({
      parts,
      behaviour: this.scene.behaviour,
      hasNodes: this.scene.iommufd !== undefined,
      onRelease: (closed) => {
        closeDevice(device, closed);
        group.close(closed);
      },
    });
    // The first file of a device makes its driver known to the container.
    if (open.size === 0 && vendor?.hasUnmapCallback === true) {
      const { listeners = [] } = group.container?.iommu ?? {};
      if (!listeners.includes(vendor)) listeners.unshift(vendor);
    }
    open.add(file);
    return file;
  }

  /** Binds a driver to a device; the kernel would wait for an open group, the model says EBUSY. */
  bind(device: HostDevice, driver: string | undefined): number {
    const inUse = device.bound !== undefined || this.isOpen(device.scene.group);
    if (isVfio(device) && inUse) return -ERRNO.EBUSY;
    device.driver = driver;
    this.nodes.update(device);
    return 0;
  }

  /** Makes a mediated device, in a group of its own: 0 or -errno. */
  createMdev(uuid: string, type: string): number {
    if (this.devices.has(uuid)) return -ERRNO.EEXIST;
    if (this.mdevsLeft <= 0) return -ERRNO.ENOSPC;
    const group = 1 + Math.max(0, ...[...this.devices.values()].map(({ scene }) => scene.group));
    const device = this.#plug({ kind: "mdev", name: uuid, group, type });
    this.devices.set(uuid, device);
    this.nodes.update(device);
    return 0;
  }

  /** Removes one; the kernel would wait while it is open, the model says EBUSY. */
  removeMdev(uuid: string): number {
    const device = this.devices.get(uuid);
    if (device === undefined) return -ERRNO.ENODEV;
    if (device.bound !== undefined || this.isOpen(device.scene.group)) return -ERRNO.EBUSY;
    this.devices.delete(uuid);
    return 0;
  }

  /** The UUIDs of the mediated devices. */
  get mdevs(): string[] {
    return [...this.devices.values()].filter(({ scene }) => scene.kind === "mdev")
      .map(({ scene }) => scene.name);
  }

  /** How many more can be made. */
  get mdevsLeft(): number {
    return this.scene.mdevs.limit - this.mdevs.length;
  }

  /** Lets the mediated devices of a container work, when a round of reads begins. */
  work(container: ContainerFile): void {
    for (const group of this.#open.values()) {
      if (group.container !== container) continue;
      for (const { vendor } of this.inGroup(this.#numberOf(group))) vendor?.work();
    }
  }

  #numberOf(group: GroupFile): number {
    for (const [number, file] of this.#open) if (file === group) return number;
    return -1;
  }
}
