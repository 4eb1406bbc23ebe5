/**
 * What can be plugged into a model.
 *
 * @module
 */

import type { DmaWorkload } from "./device_dma.ts";
import type { Workload } from "./vendor_driver.ts";

/** A block device, or a network interface, that the host uses through a PCI device. */
export interface SceneUse {
  /** A disk, by its name; its first partition is mounted on `mount`. */
  readonly disk?: { readonly name: string; readonly mount?: string };
  /** A network interface, by its name. */
  readonly net?: { readonly name: string; readonly up: boolean };
}

/** A PCI device. */
export interface ScenePciDevice extends SceneUse {
  /** What it is. */
  readonly kind: "pci";
  /** As 0000:00:10.0. */
  readonly name: string;
  /** Its IOMMU group. */
  readonly group: number;
  /** Vendor and device id. */
  readonly id: readonly [number, number];
  /** 24 bits of class code. */
  readonly class: number;
  /** The driver that the host would choose. */
  readonly hostDriver?: string;
  /** The driver that is bound at the start. */
  readonly driver?: string;
  /** The device is in no-IOMMU mode: its group has VFIO's name for that. */
  readonly noIommu?: boolean;
  /** `edu` answers like QEMU's device of that name; others have empty registers. */
  readonly model?: "edu";
  /** Whether its driver, one that pins, keeps a log of the device's writes. */
  readonly logs?: boolean;
  /** What it does each time that the script has waited and reads dirty pages of a page table anew. */
  readonly workload?: DmaWorkload;
}

/** A mediated device, whose driver pins pages. */
export interface SceneMdev {
  /** What it is. */
  readonly kind: "mdev";
  /** A UUID. */
  readonly name: string;
  /** Its IOMMU group. */
  readonly group: number;
  /** One of the types of {@link Scene.mdevs}; the first, if left out. */
  readonly type?: string;
  /** What its driver does each time that the script has waited and reads dirty pages anew. */
  readonly workload?: Workload;
}

/** A driver of mediated devices, which is also what they are made below. */
export interface SceneMdevDriver {
  /** Its name. */
  readonly name: string;
  /** What the devices say that they are. */
  readonly api: string;
  /** Devices that it can have. */
  readonly limit: number;
  /** What can be made; without a dma_unmap callback a driver may not pin. */
  readonly types: readonly {
    readonly name: string;
    readonly title: string;
    readonly canPin: boolean;
    /** Whether the device keeps a log of its own writes. */
    readonly logs?: boolean;
    /** Whether it migrates: only while it is stopped, or with all states. */
    readonly migrates?: "stopped" | "all";
  }[];
}

/** What a kernel has of iommufd: /dev/iommu, and nodes of devices. */
export interface SceneIommufd {
  /** Whether the host's IOMMU tracks dirty pages. */
  readonly dirtyTracking: boolean;
  /** Whether the kernel has the mock IOMMU of its own tests (CONFIG_IOMMUFD_TEST). */
  readonly mock?: boolean;
}
