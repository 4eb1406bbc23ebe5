import { ERRNO } from "../base/errno.ts";
import { vfio_device_info, vfio_irq_info, vfio_irq_set, vfio_region_info } from "../uapi/device.ts";
import {
  VFIO_DEVICE_FLAGS_PCI,
  VFIO_DEVICE_FLAGS_RESET,
  VFIO_IRQ_INFO_EVENTFD,
  VFIO_IRQ_INFO_NORESIZE,
  VFIO_IRQ_SET_ACTION_TRIGGER,
  VFIO_IRQ_SET_DATA_EVENTFD,
  VFIO_IRQ_SET_DATA_NONE,
  VFIO_PCI_VGA_REGION_INDEX,
  VFIO_REGION_INFO_FLAG_MMAP,
  VFIO_REGION_INFO_FLAG_READ,
  VFIO_REGION_INFO_FLAG_WRITE,
} from "../uapi/flag.ts";
import {
  VFIO_DEVICE_FEATURE,
  VFIO_DEVICE_GET_INFO,
  VFIO_DEVICE_GET_IRQ_INFO,
  VFIO_DEVICE_GET_REGION_INFO,
  VFIO_DEVICE_RESET,
  VFIO_DEVICE_SET_IRQS,
} from "../uapi/request.ts";
import { EventFile, type IoctlArgument, ModelFile } from "./file.ts";
import type { VendorDriver } from "./vendor_driver.ts";
import type { ModelMemory } from "./memory.ts";
import type { DeviceParts, RegionPart } from "./device_part.ts";

/** Where a region begins in the device's file. @see VFIO_PCI_INDEX_TO_OFFSET */
const OFFSET_SHIFT = 40n;

/**
 * An open device: regions, interrupts, reset.
 *
 * @see drivers/vfio/pci/vfio_pci_core.c
 */
export class DeviceFile extends ModelFile {
  /** The driver of a mediated device. */
  readonly driver: VendorDriver | undefined;
  override path = "anon_inode:[vfio-device]";
  readonly #parts: DeviceParts;
  readonly #fileOf: (fd: number) => ModelFile | undefined;
  readonly #onRelease: (file: DeviceFile) => void;
  readonly #events = new Map<number, EventFile>();

  /** A device that was just opened. */
  constructor(
    parts: DeviceParts,
    driver: VendorDriver | undefined,
    fileOf: (fd: number) => ModelFile | undefined,
    onRelease: (file: DeviceFile) => void,
  ) {
    super();
    this.#parts = parts;
    this.driver = driver;
    this.#fileOf = fileOf;
    this.#onRelease = onRelease;
    parts.onInterrupt = () => this.#signal(0);
  }

  override ioctl(request: number, argument: IoctlArgument): number {
    if (request === VFIO_DEVICE_RESET) {
      this.#parts.reset();
      return this.#parts.isPci ? 0 : -ERRNO.ENOTTY;
    }
    if (!(argument instanceof Uint8Array) || argument.length < 8) return -ERRNO.EFAULT;
    switch (request) {
      case VFIO_DEVICE_GET_INFO:
        return this.#info(argument);
      case VFIO_DEVICE_GET_REGION_INFO:
        return this.#regionInfo(argument);
      case VFIO_DEVICE_GET_IRQ_INFO:
        return this.#irqInfo(argument);
      case VFIO_DEVICE_SET_IRQS:
        return this.#setIrqs(argument);
      case VFIO_DEVICE_FEATURE:
      default:
        // No feature is offered: PROBE of an unknown one is ENOTTY too.
        return -ERRNO.ENOTTY;
    }
  }

  #info(argument: Uint8Array): number {
    if (argument.length < vfio_device_info.size) return -ERRNO.EFAULT;
    const info = vfio_device_info.over(argument).fields;
    if (info.argsz < 16) return -ERRNO.EINVAL;
    info.flags = this.#parts.isPci ? VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET : 0;
    info.num_regions = this.#parts.regionCount;
    info.num_irqs = this.#parts.isPci ? 5 : 1;
    return 0;
  }

  #regionInfo(argument: Uint8Array): number {
    if (argument.length < vfio_region_info.size) return -ERRNO.EFAULT;
    const info = vfio_region_info.over(argument).fields;
    if (info.argsz < vfio_region_info.size || info.index >= this.#parts.regionCount) {
      return -ERRNO.EINVAL;
    }
    const region = this.#parts.regions.get(info.index);
    // vfio-pci counts the VGA region of every device, and refuses it where there is none.
    if (this.#parts.isPci && info.index === VFIO_PCI_VGA_REGION_INDEX) return -ERRNO.EINVAL;
    info.flags = region === undefined ? 0 : VFIO_REGION_INFO_FLAG_READ |
      VFIO_REGION_INFO_FLAG_WRITE | (region.memory === undefined ? 0 : VFIO_REGION_INFO_FLAG_MMAP);
    info.cap_offset = 0;
    info.size = BigInt(region?.size ?? 0);
    info.offset = BigInt(info.index) << OFFSET_SHIFT;
    return 0;
  }

  #irqInfo(argument: Uint8Array): number {
    if (argument.length < vfio_irq_info.size) return -ERRNO.EFAULT;
    const info = vfio_irq_info.over(argument).fields;
    const count = this.#parts.irqs[info.index];
    if (info.argsz < vfio_irq_info.size || count === undefined) return -ERRNO.EINVAL;
    info.flags = VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE;
    info.count = count;
    return 0;
  }

  #setIrqs(argument: Uint8Array): number {
    if (argument.length < vfio_irq_set.size) return -ERRNO.EFAULT;
    const { argsz, flags, index, start, count } = vfio_irq_set.over(argument).fields;
    const most = this.#parts.irqs[index];
    if (argsz < vfio_irq_set.size || most === undefined || start + count > most) {
      return -ERRNO.EINVAL;
    }
    if ((flags & VFIO_IRQ_SET_ACTION_TRIGGER) === 0) return -ERRNO.EINVAL;
    if ((flags & VFIO_IRQ_SET_DATA_NONE) !== 0) {
      if (count === 0) this.#events.clear();
      for (let vector = start; vector < start + count; vector += 1) this.#signal(vector);
      return 0;
    }
    if ((flags & VFIO_IRQ_SET_DATA_EVENTFD) === 0) return -ERRNO.EINVAL;
    if (argument.length < vfio_irq_set.size + count * 4) return -ERRNO.EFAULT;
    const view = new DataView(argument.buffer, argument.byteOffset + vfio_irq_set.size);
    for (let i = 0; i < count; i += 1) {
      const fd = view.getInt32(i * 4, true);
      const file = this.#fileOf(fd);
      if (fd === -1) this.#events.delete(start + i);
      else if (file instanceof EventFile) this.#events.set(start + i, file);
      else return -ERRNO.EBADF;
    }
    return 0;
  }

  #signal(vector: number): void {
    this.#events.get(vector)?.signal();
  }

  #place(offset: bigint | undefined, length: number): [RegionPart, number] | undefined {
    if (offset === undefined) return undefined;
    const region = this.#parts.regions.get(Number(offset >> OFFSET_SHIFT));
    const at = Number(offset & ((1n << OFFSET_SHIFT) - 1n));
    return region === undefined || at + length > region.size ? undefined : [region, at];
  }

  override read(into: Uint8Array, offset: bigint | undefined): number {
    const place = this.#place(offset, into.length);
    if (place === undefined) return -ERRNO.EINVAL;
    place[0].read(place[1], into);
    return into.length;
  }

  override write(from: Uint8Array, offset: bigint | undefined): number {
    const place = this.#place(offset, from.length);
    if (place === undefined) return -ERRNO.EINVAL;
    place[0].write(place[1], from);
    return from.length;
  }

  override map(offset: bigint, size: bigint): ModelMemory | number {
    const place = this.#place(offset, Number(size));
    return place?.[0].memory ?? -ERRNO.EINVAL;
  }

  override release(): void {
    this.driver?.close();
    this.#onRelease(this);
  }
}
