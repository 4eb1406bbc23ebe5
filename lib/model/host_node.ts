import { ERRNO } from "../base/errno.ts";
import type { Extent } from "../base/extent.ts";
import { IOMMU_HW_INFO_TYPE_INTEL_VTD } from "../uapi/flag.ts";
import { iommu_hw_info_vtd } from "../uapi/iommufd_hw.ts";
import { CdevFile } from "./cdev.ts";
import type { Host } from "./host.ts";
import { closeDevice, type HostDevice, isVfio } from "./host_device.ts";
import { IommufdFile } from "./iommufd.ts";
import { AccessObject, BoundObject, type Hardware } from "./iommufd_device.ts";
import type { HwptObject } from "./iommufd_hwpt.ts";
import { holes } from "./iopt_space.ts";

const MiB = 1n << 20n;
/** VT-d's capability of second-stage dirty bits. @see drivers/iommu/intel/iommu.h, ecap_slads */
const SLADS = 1n << 45n;
const ERRATA = 1;

/**
 * The part of a host that is reached without groups: /dev/iommu, the nodes of devices, and the IOMMU
 * behind them.
 */
export class HostNodes {
  /** iommufd's module parameter that takes the risk of interrupts that are not remapped. */
  allowUnsafeInterrupts = false;
  readonly #host: Host;

  /** Of a host. */
  constructor(host: Host) {
    this.#host = host;
  }

  /** Gives a device a node when VFIO takes it, and takes the node away when it leaves it. */
  update(device: HostDevice): void {
    if (this.#host.scene.iommufd === undefined || !isVfio(device)) {
      device.node = undefined;
      return;
    }
    if (device.node !== undefined) return;
    const taken = new Set([...this.#host.devices.values()].map(({ node }) => node));
    let node = 0;
    while (taken.has(node)) node += 1;
    device.node = node;
  }

  /** Opens /dev/iommu. */
  openIommufd(): IommufdFile {
    return new IommufdFile(this.#host.scene.iommufd?.mock === true);
  }

  /** Opens the node of a device. */
  open(device: HostDevice): CdevFile {
    const host = this.#host;
    const { parts, scene } = device;
    return new CdevFile({
      parts,
      behaviour: host.scene.behaviour,
      hasNodes: true,
      state: (iommufd) => ({
        groupOpen: host.isOpen(scene.group),
        opened: device.bound !== undefined,
        interruptsSafe: scene.kind === "mdev" || host.scene.interruptRemapping ||
          this.allowUnsafeInterrupts,
        claimed: this.#isClaimed(device, iommufd),
      }),
      bind: (iommufd, file) => {
        device.bound = file;
        device.open.add(file);
        return this.#object(device, iommufd);
      },
      onRelease: (file) => {
        if (device.bound === file) device.bound = undefined;
        closeDevice(device, file);
      },
    });
  }

  /** Whether somebody else has the device's group: another iommufd, or a driver of the host. */
  #isClaimed({ scene }: HostDevice, iommufd: IommufdFile | undefined): boolean {
    if (scene.kind === "mdev") return false;
    return this.#host.inGroup(scene.group).some((other) =>
      other.bound !== undefined
        ? other.bound.iommufd !== iommufd
        : !isVfio(other) && other.driver !== undefined && other.driver !== "pci-stub"
    );
  }

  #object({ scene }: HostDevice, iommufd: IommufdFile): BoundObject | AccessObject {
    const { objects } = iommufd;
    const object = scene.kind === "mdev"
      ? new AccessObject(objects)
      : new BoundObject(objects, this.#hardware(), iommufd.group(scene.group));
    objects.add(object);
    return object;
  }

  /** The host's IOMMU, a VT-d. */
  #hardware(): Hardware {
    const { ranges, pageSize, iommufd } = this.#host.scene;
    const aperture = { start: ranges[0]?.start ?? 0n, end: ranges.at(-1)?.end ?? 0n };
    const info = iommu_hw_info_vtd.create();
    info.fields.flags = ERRATA;
    info.fields.ecap_reg = iommufd?.dirtyTracking === true ? SLADS : 0n;
    return {
      make: "vt-d",
      entries: [pageSize, 2n * MiB, 1024n * MiB],
      aperture,
      reserved: [...holes(ranges, aperture.start, aperture.end)],
      tracksDirty: iommufd?.dirtyTracking === true,
      nests: false,
      type: IOMMU_HW_INFO_TYPE_INTEL_VTD,
      data: info.bytes,
    };
  }

  #tableOf(name: string): HwptObject | undefined {
    const object = this.#host.devices.get(name)?.bound?.object;
    return object instanceof BoundObject && object.isAttached ? object.group.hwpt : undefined;
  }

  /** DMA of a device through its page table: 0 or -errno. */
  access(name: string, iova: bigint, bytes: Uint8Array, write: boolean): number {
    return this.#tableOf(name)?.access(iova, bytes, write) ?? -ERRNO.ENODEV;
  }

  /** What a device reaches through its page table. */
  mappings(name: string): Iterable<Extent> {
    return this.#tableOf(name)?.ioas.iopt.areas ?? [];
  }

  /** Lets the PCI devices of an iommufd work, when a round of reads begins. */
  work(iommufd: IommufdFile): void {
    for (const device of this.#host.devices.values()) {
      if (device.scene.kind !== "pci" || device.bound?.iommufd !== iommufd) continue;
      device.scene.workload?.(device.dma, device.round);
      device.round += 1;
    }
  }
}
