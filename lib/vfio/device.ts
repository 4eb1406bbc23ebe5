import { check, VfioError } from "../base/error.ts";
import type { Kernel } from "../sys/kernel.ts";
import { VFIO_PCI_NUM_IRQS } from "../uapi/flag.ts";
import { VFIO_DEVICE_RESET } from "../uapi/request.ts";
import {
  type DeviceInfo,
  type FeatureSupport,
  probeFeature,
  readDeviceInfo,
} from "./device_info.ts";
import { type DmaLog, type LogDmaOptions, startDmaLog } from "./dma_log.ts";
import type { EventFd } from "./event.ts";
import { disableIrq, enableIrq, type IrqInfo, readIrqInfo, triggerIrq } from "./irq.ts";
import { type LogSupport, logSupport } from "./log_support.ts";
import { type Migration, openMigration } from "./migration.ts";
import { newRegion, type Region, type RegionOwner } from "./region.ts";
import { rawIoctl } from "./raw_ioctl.ts";
import { readRegionInfo } from "./region_info.ts";

export type { DeviceInfo, FeatureSupport };

/** The file of a device: owned, or lent by who binds it to an iommufd. */
export interface DeviceFile extends Disposable {
  /** Its number; throws after dispose. */
  readonly fd: number;
  readonly isOpen: boolean;
}

type DeviceInit = [kernel: Kernel, file: DeviceFile, name: string, onClose: () => void];

/** Set by the class, for this module alone: a script has no use for it. */
let make: (...init: DeviceInit) => Device;

/**
 * An open device of a group, or bound to an iommufd. Dispose unmaps its regions and closes it.
 *
 * @see drivers/vfio/vfio_main.c, vfio_device_fops
 */
export class Device implements Disposable {
  /** As sysfs names it. */
  readonly name: string;
  readonly #kernel: Kernel;
  readonly #owner: RegionOwner;
  readonly #file: DeviceFile;
  readonly #onClose: () => void;
  readonly #parts = new Set<Disposable>();
  #log: DmaLog | undefined;

  private constructor(kernel: Kernel, file: DeviceFile, name: string, onClose: () => void) {
    this.#kernel = kernel;
    this.name = name;
    this.#file = file;
    this.#owner = {
      kernel,
      name,
      get fd() {
        return file.fd;
      },
      own: (part) => void this.#parts.add(part),
    };
    this.#onClose = onClose;
  }

  static {
    make = (...init) => new Device(...init);
  }

  /** The device's file, while it is open. */
  get fd(): number {
    return this.#file.fd;
  }

  /** Reads how many regions and interrupts there are, and what the device can. */
  info(): DeviceInfo {
    return readDeviceInfo(this.#owner);
  }

  /**
   * Opens a region.
   *
   * @param index 0 to 5 for BARs, 6 ROM, 7 configuration space; further ones are the driver's own.
   * @throws {VfioError} EINVAL, if there is no such region.
   * @see drivers/vfio/pci/vfio_pci_core.c, vfio_pci_ioctl_get_region_info
   */
  region(index: number): Region {
    return newRegion(this.#owner, readRegionInfo(this.#owner, index));
  }

  /** Lists the regions that the device has: vfio-pci counts some that it refuses, as the VGA one. */
  regions(): Region[] {
    const { regions, isPci } = this.info();
    const found: Region[] = [];
    for (let index = 0; index < regions; index += 1) {
      try {
        const region = this.region(index);
        if (region.info.size > 0n) found.push(region);
      } catch (error) {
        if (!isPci || !(error instanceof VfioError) || error.code !== "EINVAL") throw error;
      }
    }
    return found;
  }

  /** Reads what an interrupt index offers: 0 INTx, 1 MSI, 2 MSI-X, 3 errors, 4 requests. */
  irq(index: number): IrqInfo {
    return readIrqInfo(this.#owner, index);
  }

  /** Lists the interrupt kinds that the device has. */
  irqs(): IrqInfo[] {
    const { irqs, isPci } = this.info();
    const found: IrqInfo[] = [];
    for (let index = 0; index < irqs; index += 1) {
      // Kinds that a PCI device lacks answer EINVAL, as the error interrupt without PCIe does.
      try {
        const info = readIrqInfo(this.#owner, index);
        if (info.count > 0) found.push(info);
      } catch (error) {
        if (!isPci || index >= VFIO_PCI_NUM_IRQS) throw error;
      }
    }
    return found;
  }

  /** Lets vectors of an interrupt signal eventfds, one each from vector `start` on. */
  enableIrq(index: number, events: readonly EventFd[], start: number = 0): void {
    enableIrq(this.#owner, index, start, events);
  }

  /** Switches an interrupt index off. */
  disableIrq(index: number): void {
    disableIrq(this.#owner, index);
  }

  /** Fires a vector from software, as if the device had. */
  triggerIrq(index: number, vector: number = 0): void {
    triggerIrq(this.#owner, index, vector, 1);
  }

  /**
   * Resets the device.
   *
   * @throws {VfioError} ENOTTY or EINVAL, if it cannot be reset: see {@link info}.
   */
  reset(): void {
    const result = this.#kernel.ioctl(this.fd, VFIO_DEVICE_RESET);
    check(result, "VFIO_DEVICE_RESET", `reset ${this.name}`, "the device offers no reset");
  }

  /**
   * Asks whether the device has a feature, without using it.
   *
   * A driver may say yes and do nothing: the sample driver mtty does so for DMA logging.
   *
   * @param index A VFIO_DEVICE_FEATURE of `@pinscope/vfio/uapi`.
   * @see drivers/vfio/vfio_main.c, vfio_ioctl_device_feature
   */
  feature(index: number): FeatureSupport {
    return probeFeature(this.#owner, index);
  }

  /**
   * Finds out whether the device logs its own writes, and if not, why not: some drivers take every
   * request and log nothing, and some kernels cannot write reports.
   *
   * It asks for a report without a log, which changes nothing. Where a driver answers that, it also
   * starts and stops a log of one page that nothing uses, to tell pretence from somebody else's log.
   */
  dmaLogSupport(): LogSupport {
    return this.#log?.isOn === true ? { works: true } : logSupport(this.#owner);
  }

  /**
   * Lets the device log which pages it writes. This is the only exact source for a device of
   * vfio-pci in a type1 container, where everything that is mapped counts as dirty.
   *
   * Ranges beyond 256 are merged, those with the smallest gaps first; what the device logs more for
   * it is not reported. Where its pages are larger than wished for, ranges are widened to them.
   *
   * @param options The ranges, as mappings, and the wished page size.
   * @returns The log; its tracker reads it, dispose stops it.
   * @throws {RuleError} If a range or the page size breaks a rule of the kernel.
   * @throws {NoDmaLogError} If the driver only pretends to log, or somebody else has a log.
   * @throws {VfioError} ENOTTY: the driver keeps no log; EOPNOTSUPP: the kernel cannot write
   *   reports, or the device cannot log these ranges.
   * @throws {ReferenceError} If a log of this device is kept already.
   * @see drivers/vfio/vfio_main.c, vfio_ioctl_device_feature_logging_start
   */
  logDma(options: LogDmaOptions): DmaLog {
    if (this.#log?.isOn === true) {
      throw new ReferenceError(`${this.name} keeps a log already; dispose that first`);
    }
    this.#log = startDmaLog(this.#owner, options);
    return this.#log;
  }

  /**
   * Asks how the device migrates: its states, and the way between them.
   *
   * @throws {VfioError} ENOTTY, if its driver does not migrate devices.
   * @see drivers/vfio/vfio_main.c, vfio_ioctl_device_feature_migration
   */
  migration(): Migration {
    return openMigration(this.#owner, (stream) => this.#owner.own(stream));
  }

  /**
   * Makes an ioctl on the device that nothing checks: the kernel reads and writes as much memory as
   * the struct claims.
   *
   * @returns The kernel's answer, or -errno.
   */
  rawIoctl(request: number, argument?: Uint8Array | bigint): number {
    return rawIoctl(this.#owner, request, argument);
  }

  /** Unmaps its regions and closes the device; twice does nothing. */
  [Symbol.dispose](): void {
    if (!this.#file.isOpen) return;
    using stack = new DisposableStack();
    stack.defer(this.#onClose);
    stack.use(this.#file);
    // A mapped region keeps the device open in the kernel.
    for (const part of this.#parts) stack.use(part);
    if (this.#log !== undefined) stack.use(this.#log);
  }
}

/** Takes over an open device; `group.device` does. */
export function adoptDevice(...init: DeviceInit): Device {
  return make(...init);
}
