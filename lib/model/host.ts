import { ERRNO } from "../base/errno.ts";
import { MemlockAccount } from "./account.ts";
import { ContainerFile } from "./container.ts";
import { DeviceFile } from "./device.ts";
import { type DeviceParts, mdevParts, pciParts } from "./device_part.ts";
import type { ModelFile } from "./file.ts";
import { GroupFile } from "./group.ts";
import { MdevDriver } from "./mdev.ts";
import { AddressSpace } from "./memory.ts";
import type { Scene, SceneMdev, ScenePciDevice } from "./scene.ts";

/** A device of the scene, as it is now. */
export interface HostDevice {
  readonly scene: ScenePciDevice | SceneMdev;
  /** The driver that is bound. */
  driver: string | undefined;
  /** What sysfs' driver_override says. */
  override: string | undefined;
  readonly mdev: MdevDriver | undefined;
  readonly parts: DeviceParts;
}

/** The descriptors of the process. */
export interface FileTable {
  fileOf(fd: number): ModelFile | undefined;
  install(file: ModelFile): number;
}

/** Drivers that do no DMA of their own. */
const HARMLESS: ReadonlySet<string> = new Set(["vfio-pci", "pci-stub", "pcieport"]);

/** The host of a model: which devices there are, who drives them, and what is open. */
export class Host {
  readonly scene: Scene;
  readonly memory: AddressSpace = new AddressSpace();
  readonly account: MemlockAccount;
  readonly devices: ReadonlyMap<string, HostDevice>;
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
    const iommu = () => this.#open.get(scene.group)?.container?.iommu;
    if (scene.kind === "mdev") {
      const mdev = new MdevDriver(iommu, scene.workload);
      return { scene, driver: "model_mdev", override: undefined, mdev, parts: mdevParts(scene) };
    }
    const { driver } = scene;
    return { scene, driver, override: undefined, mdev: undefined, parts: pciParts(scene, iommu) };
  }

  /** The devices of a group. */
  inGroup(group: number): HostDevice[] {
    return [...this.devices.values()].filter((device) => device.scene.group === group);
  }

  /** Whether VFIO has a device of the group, so that there is a node for it. */
  hasNode(group: number): boolean {
    return this.inGroup(group).some((device) =>
      device.mdev !== undefined || device.driver === "vfio-pci"
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
      emulated: devices.every((device) => device.mdev !== undefined),
      isViable: () =>
        devices.every(({ mdev, driver }) =>
          mdev !== undefined || driver === undefined || HARMLESS.has(driver)
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
    if (device.mdev === undefined && device.driver !== "vfio-pci") return undefined;
    return new DeviceFile(
      device.parts,
      device.mdev,
      (fd) => files.fileOf(fd),
      (file) => void group.devices.delete(file),
    );
  }

  /** Binds a driver to a device; the kernel would wait for an open group, the model says EBUSY. */
  bind(device: HostDevice, driver: string | undefined): number {
    if (device.driver === "vfio-pci" && this.isOpen(device.scene.group)) return -ERRNO.EBUSY;
    device.driver = driver;
    return 0;
  }

  /** Lets the mediated devices of a container work, when a round of reads begins. */
  work(container: ContainerFile): void {
    for (const group of this.#open.values()) {
      if (group.container !== container) continue;
      for (const { mdev } of this.inGroup(this.#numberOf(group))) mdev?.work();
    }
  }

  #numberOf(group: GroupFile): number {
    for (const [number, file] of this.#open) if (file === group) return number;
    return -1;
  }
}
