import { ERRNO } from "../base/errno.ts";
import { MemlockAccount } from "./account.ts";
import { MAINLINE_V5_8, type ProposalV9 } from "../rules/proposal.ts";
import { ContainerFile } from "./container.ts";
import { Descriptors } from "./descriptors.ts";
import { DeviceFile } from "./device.ts";
import { type DeviceParts, mdevParts, pciParts } from "./device_part.ts";
import { GroupFile } from "./group.ts";
import { LAB_VENDOR } from "./lab_scene.ts";
import { type DriverPlace, PinningDriver } from "./pinning_driver.ts";
import { AddressSpace } from "./memory.ts";
import type { Process } from "./process.ts";
import type { Scene, SceneMdev, ScenePciDevice } from "./scene.ts";

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
}

/** A PCI driver of VFIO that pins, as vendors write them. */
export const VENDOR = "model-vfio-pci";
/** Such drivers: that of the model's own scenes, and that of the lab. */
const PINNING: ReadonlySet<string | undefined> = new Set([VENDOR, LAB_VENDOR]);
const VFIO_DRIVERS: ReadonlySet<string | undefined> = new Set(["vfio-pci", ...PINNING]);
/** Drivers that do no DMA of their own. */
const HARMLESS: ReadonlySet<string | undefined> = new Set([
  ...VFIO_DRIVERS,
  "pci-stub",
  "pcieport",
]);

/** The number of the process that a script on the model believes to be. */
const FIRST_PID = 4242;

/** The host of a model: which devices there are, who drives them, and what is open. */
export class Host {
  readonly scene: Scene;
  readonly devices: Map<string, HostDevice>;
  /** The module parameter that takes the risk of interrupts that are not remapped. */
  allowUnsafeInterrupts = false;
  readonly #open = new Map<number, GroupFile>();

  /** A host as its scene says. */
  constructor(scene: Scene) {
    this.scene = scene;
    this.devices = new Map(scene.devices.map((device) => [device.name, this.#plug(device)]));
  }

  #plug(scene: ScenePciDevice | SceneMdev): HostDevice {
    const place = (): DriverPlace | undefined => {
      const group = this.#open.get(scene.group);
      const iommu = group?.container?.iommu;
      return group === undefined || iommu === undefined ? undefined : { group, iommu };
    };
    const override = undefined;
    if (scene.kind === "mdev") {
      const { name: driver, types } = this.scene.mdevs;
      const type = types.find(({ name }) => name === scene.type) ?? types[0];
      const vendor = new PinningDriver(place, scene.workload, type?.canPin);
      return { scene, driver, override, vendor, parts: mdevParts(vendor), open: new Set() };
    }
    const { driver } = scene;
    const vendor = PINNING.has(driver) ? new PinningDriver(place, undefined) : undefined;
    const parts = pciParts(scene, () => place()?.iommu, vendor);
    return { scene, driver, override, vendor, parts, open: new Set() };
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
    return this.inGroup(group).some((device) =>
      device.scene.kind === "mdev" || VFIO_DRIVERS.has(device.driver)
    );
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
    if (this.isOpen(group)) return -ERRNO.EBUSY;
    const devices = this.inGroup(group);
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
    return device.scene.kind === "mdev" || VFIO_DRIVERS.has(device.driver) ? device : undefined;
  }

  #openDevice(device: HostDevice, group: GroupFile): DeviceFile {
    const { vendor, parts, open } = device;
    const file = new DeviceFile({
      parts,
      behaviour: this.scene.behaviour,
      onRelease: (closed) => {
        open.delete(closed);
        if (open.size === 0) {
          vendor?.close();
          parts.pci?.irqs.reset();
          parts.pci?.power.exit();
        }
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
    if (VFIO_DRIVERS.has(device.driver) && this.isOpen(device.scene.group)) return -ERRNO.EBUSY;
    device.driver = driver;
    return 0;
  }

  /** Makes a mediated device, in a group of its own: 0 or -errno. */
  createMdev(uuid: string, type: string): number {
    if (this.devices.has(uuid)) return -ERRNO.EEXIST;
    if (this.mdevsLeft <= 0) return -ERRNO.ENOSPC;
    const group = 1 + Math.max(0, ...[...this.devices.values()].map(({ scene }) => scene.group));
    this.devices.set(uuid, this.#plug({ kind: "mdev", name: uuid, group, type }));
    return 0;
  }

  /** Removes one; the kernel would wait while it is open, the model says EBUSY. */
  removeMdev(uuid: string): number {
    const device = this.devices.get(uuid);
    if (device === undefined) return -ERRNO.ENODEV;
    if (this.isOpen(device.scene.group)) return -ERRNO.EBUSY;
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
