import { ERRNO } from "../base/errno.ts";
import { MemlockAccount } from "./account.ts";
import { ContainerFile } from "./container.ts";
import { DeviceFile } from "./device.ts";
import { type DeviceParts, mdevParts, pciParts } from "./device_part.ts";
import type { ModelFile } from "./file.ts";
import { GroupFile } from "./group.ts";
import { type DriverPlace, VendorDriver } from "./vendor_driver.ts";
import { AddressSpace } from "./memory.ts";
import type { Scene, SceneMdev, ScenePciDevice } from "./scene.ts";

/** A device of the scene, as it is now. */
export interface HostDevice {
  readonly scene: ScenePciDevice | SceneMdev;
  /** The driver that is bound. */
  driver: string | undefined;
  /** What sysfs' driver_override says. */
  override: string | undefined;
  /** What pins for the device: a mediated device always has it. */
  readonly vendor: VendorDriver | undefined;
  readonly parts: DeviceParts;
}

/** The descriptors of the process. */
export interface FileTable {
  fileOf(fd: number): ModelFile | undefined;
  install(file: ModelFile): number;
}

/** A PCI driver of VFIO that pins, as vendors write them. */
export const VENDOR = "model-vfio-pci";
const VFIO_DRIVERS: ReadonlySet<string | undefined> = new Set(["vfio-pci", VENDOR]);
/** Drivers that do no DMA of their own. */
const HARMLESS: ReadonlySet<string> = new Set(["vfio-pci", VENDOR, "pci-stub", "pcieport"]);

/** Mediated devices that the model's driver can have. */
const MDEVS = 4;

/** The host of a model: which devices there are, who drives them, and what is open. */
export class Host {
  readonly scene: Scene;
  readonly memory: AddressSpace = new AddressSpace();
  readonly account: MemlockAccount;
  readonly devices: Map<string, HostDevice>;
  /** The module parameter that takes the risk of interrupts that are not remapped. */
  allowUnsafeInterrupts = false;
  readonly #open = new Map<number, GroupFile>();

  /** A host as its scene says. */
  constructor(scene: Scene) {
    this.scene = scene;
    this.account = new MemlockAccount(scene.memlock, scene.ipcLock);
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
      const vendor = new VendorDriver(place, scene.workload);
      return { scene, driver: "model_mdev", override, vendor, parts: mdevParts(scene) };
    }
    const { driver } = scene;
    const vendor = driver === VENDOR ? new VendorDriver(place, undefined) : undefined;
    return { scene, driver, override, vendor, parts: pciParts(scene, () => place()?.iommu) };
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
    return new ContainerFile({
      memory: this.memory,
      account: this.account,
      pageSize: scene.pageSize,
      ranges: scene.ranges,
      entryLimit: scene.entryLimit,
      proposal: scene.proposal,
      get interruptsSafe() {
        return safe();
      },
    });
  }

  /** Opens /dev/vfio/<group>: once at a time. */
  openGroup(group: number, files: FileTable): GroupFile | number {
    if (this.isOpen(group)) return -ERRNO.EBUSY;
    const devices = this.inGroup(group);
    const file = new GroupFile({
      ...files,
      emulated: devices.every(({ scene }) => scene.kind === "mdev"),
      isSingleton: () => this.inGroup(group).length === 1,
      isViable: () =>
        devices.every(({ scene, driver }) =>
          scene.kind === "mdev" || driver === undefined || HARMLESS.has(driver)
        ),
      openDevice: (name, owner) => this.#openDevice(name, owner, files),
      onRelease: () => void this.#open.delete(group),
    });
    this.#open.set(group, file);
    return file;
  }

  #openDevice(name: string, group: GroupFile, files: FileTable): DeviceFile | undefined {
    const device = this.devices.get(name);
    if (device === undefined || this.#open.get(device.scene.group) !== group) return undefined;
    if (device.scene.kind === "pci" && !VFIO_DRIVERS.has(device.driver)) return undefined;
    return new DeviceFile(
      device.parts,
      device.vendor,
      (fd) => files.fileOf(fd),
      (file) => void group.devices.delete(file),
    );
  }

  /** Binds a driver to a device; the kernel would wait for an open group, the model says EBUSY. */
  bind(device: HostDevice, driver: string | undefined): number {
    if (VFIO_DRIVERS.has(device.driver) && this.isOpen(device.scene.group)) return -ERRNO.EBUSY;
    device.driver = driver;
    return 0;
  }

  /** Makes a mediated device, in a group of its own: 0 or -errno. */
  createMdev(uuid: string): number {
    if (this.devices.has(uuid)) return -ERRNO.EEXIST;
    if (this.mdevsLeft <= 0) return -ERRNO.ENOSPC;
    const group = 1 + Math.max(0, ...[...this.devices.values()].map(({ scene }) => scene.group));
    this.devices.set(uuid, this.#plug({ kind: "mdev", name: uuid, group }));
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
    return MDEVS - this.mdevs.length;
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
