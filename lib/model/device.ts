import { ERRNO } from "../base/errno.ts";
import type { Behaviour } from "../rules/behaviour.ts";
import {
  DEVICE_INFO_RULES,
  type IndexState,
  IRQ_INFO_RULES,
  REGION_INFO_RULES,
} from "../rules/device.ts";
import { firstRefusal } from "../rules/refusal.ts";
import { vfio_device_info, vfio_irq_info } from "../uapi/device.ts";
import { VFIO_DEVICE_FLAGS_PCI, VFIO_DEVICE_FLAGS_RESET } from "../uapi/flag.ts";
import {
  VFIO_DEVICE_BIND_IOMMUFD,
  VFIO_DEVICE_FEATURE,
  VFIO_DEVICE_GET_INFO,
  VFIO_DEVICE_GET_IRQ_INFO,
  VFIO_DEVICE_GET_PCI_HOT_RESET_INFO,
  VFIO_DEVICE_GET_REGION_INFO,
  VFIO_DEVICE_IOEVENTFD,
  VFIO_DEVICE_PCI_HOT_RESET,
  VFIO_DEVICE_RESET,
  VFIO_DEVICE_SET_IRQS,
} from "../uapi/request.ts";
import { deviceFeature } from "./device_feature.ts";
import { type DeviceParts, PCI_REGIONS, type PciPart, VGA_REGION } from "./device_part.ts";
import { type IoctlArgument, ModelFile } from "./file.ts";
import type { AreaSource } from "./memory.ts";
import { ModelMemory } from "./model_memory.ts";
import { PAGE } from "./page.ts";
import type { Process } from "./process.ts";
import { fillRegionInfo, OFFSET_SHIFT } from "./region_info.ts";
import type { RegionPart } from "./region_part.ts";
import { vendorFeature } from "./vendor_feature.ts";

/** `num_irqs` ends there: the kernel writes no more than the caller has room for. */
const INFO_MIN = 16;

/** What a device file asks of the host. */
export interface DeviceHost {
  readonly parts: DeviceParts;
  readonly behaviour: Behaviour;
  /** Whether devices have nodes of their own. */
  readonly hasNodes: boolean;
  /** Called when the file is closed. */
  onRelease(file: DeviceFile): void;
}

/**
 * An open device: regions, interrupts, reset.
 *
 * @see drivers/vfio/pci/vfio_pci_core.c, and for mediated devices tests/lab/vendor/mdev.c
 */
export class DeviceFile extends ModelFile {
  override path = "anon_inode:[vfio-device]";
  readonly #host: DeviceHost;
  readonly #parts: DeviceParts;

  /** A device that was just opened. */
  constructor(host: DeviceHost) {
    super();
    this.#host = host;
    this.#parts = host.parts;
  }

  override ioctl(request: number, argument: IoctlArgument, current: Process): number {
    const { pci } = this.#parts;
    // Only what was opened by its own node can be bound.
    if (request === VFIO_DEVICE_BIND_IOMMUFD && this.#host.hasNodes) return -ERRNO.EINVAL;
    pci?.power.touch();
    if (request === VFIO_DEVICE_RESET) return this.#reset();
    const bytes = argument instanceof Uint8Array && argument.length >= 8 ? argument : undefined;
    switch (request) {
      case VFIO_DEVICE_GET_INFO:
        return bytes === undefined ? -ERRNO.EFAULT : this.#info(bytes);
      case VFIO_DEVICE_GET_REGION_INFO:
        return bytes === undefined ? -ERRNO.EFAULT : this.#regionInfo(bytes);
      case VFIO_DEVICE_FEATURE:
        return bytes === undefined ? -ERRNO.EFAULT : this.#feature(bytes, current);
      // The driver of the mediated devices has no interrupts, and looks at nothing.
      case VFIO_DEVICE_GET_IRQ_INFO:
        if (pci === undefined) return -ERRNO.EINVAL;
        return bytes === undefined ? -ERRNO.EFAULT : irqInfo(pci, bytes);
      case VFIO_DEVICE_SET_IRQS:
        if (pci === undefined) return -ERRNO.EINVAL;
        return bytes === undefined
          ? -ERRNO.EFAULT
          : pci.irqs.set(bytes, (fd) => current.files.get(fd));
      case VFIO_DEVICE_GET_PCI_HOT_RESET_INFO:
      case VFIO_DEVICE_PCI_HOT_RESET:
      case VFIO_DEVICE_IOEVENTFD:
        if (pci === undefined) return -ERRNO.ENOTTY;
        return bytes === undefined ? -ERRNO.EFAULT : pciRequest(request, bytes);
      default:
        return -ERRNO.ENOTTY;
    }
  }

  #feature(bytes: Uint8Array, current: Process): number {
    const { behaviour, hasNodes } = this.#host;
    const { vendor, pci } = this.#parts;
    const hasBitmaps = hasNodes || behaviour.ownBitmaps === true;
    return vendorFeature(bytes, vendor, { behaviour, hasBitmaps, current }) ??
      deviceFeature(bytes, {
        power: pci?.power,
        behaviour,
        fileOf: (fd) => current.files.get(fd),
      });
  }

  #reset(): number {
    const { pci, vendor } = this.#parts;
    if (pci !== undefined) return reset(pci);
    if (vendor?.migration === undefined) return -ERRNO.ENOTTY;
    vendor.reset();
    return 0;
  }

  /** Lets the device do its next piece of work, where its log is read. */
  workForLog(): void {
    const { vendor } = this.#parts;
    if (vendor?.log?.isOn === true) vendor.work();
  }

  #info(argument: Uint8Array): number {
    if (argument.length < INFO_MIN) return -ERRNO.EFAULT;
    const { pci, regionCount } = this.#parts;
    const answer = vfio_device_info.create();
    const argsz = new DataView(argument.buffer, argument.byteOffset).getUint32(0, true);
    const refusal = firstRefusal(DEVICE_INFO_RULES, { argsz }, {});
    if (refusal !== undefined) return -refusal.errno;
    answer.fields.argsz = argsz;
    if (pci !== undefined) {
      answer.fields.flags = VFIO_DEVICE_FLAGS_PCI | (pci.canReset ? VFIO_DEVICE_FLAGS_RESET : 0);
      answer.fields.num_irqs = pci.irqs.kinds.count;
    }
    if (this.#parts.vendor?.migration !== undefined && pci === undefined) {
      answer.fields.flags = VFIO_DEVICE_FLAGS_RESET;
    }
    answer.fields.num_regions = regionCount;
    const room = pci === undefined ? INFO_MIN : Math.min(argsz, answer.bytes.length);
    argument.set(answer.bytes.subarray(0, Math.min(room, argument.length)));
    return 0;
  }

  #regionInfo(argument: Uint8Array): number {
    const { pci, regionCount, regions } = this.#parts;
    const missing = pci === undefined ? [] : [VGA_REGION];
    return fillRegionInfo(argument, regions, (request) => {
      const state: IndexState = { count: regionCount, missing };
      return firstRefusal(REGION_INFO_RULES, request, state);
    });
  }

  /** The region at an offset, and how many bytes may be read or written there; or -errno. */
  #place(
    offset: bigint,
    length: number,
  ): { part: RegionPart; at: number; length: number } | number {
    const { pci, regions } = this.#parts;
    const index = Number(offset >> OFFSET_SHIFT);
    const at = Number(offset & ((1n << OFFSET_SHIFT) - 1n));
    const part = regions.get(index);
    if (part === undefined) return -ERRNO.EINVAL;
    // The configuration space and a driver's own region answer for themselves.
    const isBar = pci !== undefined && index < PCI_REGIONS && part !== pci.config;
    if (!isBar) return { part, at, length };
    if (at >= part.size) return -ERRNO.EINVAL;
    if (!pci.config.hasMemory || pci.power.isOn) return -ERRNO.EIO;
    return { part, at, length: Math.min(length, part.size - at) };
  }

  override read(into: Uint8Array, offset: bigint | undefined): number {
    if (into.length === 0) return 0;
    const place = this.#place(offset ?? 0n, into.length);
    if (typeof place === "number") return place;
    return place.part.read(place.at, into.subarray(0, place.length));
  }

  override write(from: Uint8Array, offset: bigint | undefined, current: Process): number {
    if (from.length === 0) return 0;
    const place = this.#place(offset ?? 0n, from.length);
    if (typeof place === "number") return place;
    return place.part.write(place.at, from.subarray(0, place.length), current);
  }

  /** A mapping of registers shows what they were; the model cannot see what is done through it. */
  override map(offset: bigint, size: bigint, shared: boolean): AreaSource | number {
    const part = this.#parts.regions.get(Number(offset >> OFFSET_SHIFT));
    const at = offset & ((1n << OFFSET_SHIFT) - 1n);
    if (part?.canMap !== true || !shared || at % PAGE !== 0n) return -ERRNO.EINVAL;
    if (at + size > BigInt(part.size)) return -ERRNO.EINVAL;
    const memory = new ModelMemory(size, true);
    const bytes = new Uint8Array(Math.min(Number(size), Number(PAGE)));
    part.snapshot?.(Number(at), bytes);
    memory.write(0n, bytes);
    return { memory };
  }

  override release(): void {
    this.#host.onRelease(this);
  }
}

/** A device that cannot be reset says so. */
function reset(pci: PciPart): number {
  if (!pci.canReset) return -ERRNO.EINVAL;
  pci.config.reset();
  return 0;
}

/** @see vfio_pci_ioctl_get_irq_info */
function irqInfo({ irqs }: PciPart, argument: Uint8Array): number {
  if (argument.length < vfio_irq_info.size) return -ERRNO.EFAULT;
  const { fields } = vfio_irq_info.over(argument);
  const refusal = firstRefusal(IRQ_INFO_RULES, fields, irqs.kinds);
  if (refusal !== undefined) return -refusal.errno;
  const { flags, count } = irqs.info(fields.index);
  fields.flags = flags;
  fields.count = count;
  return 0;
}

/** A hot reset needs a slot or a bus of its own, which the model has none of. */
function pciRequest(request: number, argument: Uint8Array): number {
  const [argsz = 0, flags = 0, count = 0] = new Uint32Array(argument.slice(0, 12).buffer);
  if (request === VFIO_DEVICE_IOEVENTFD || argsz < 12) return -ERRNO.EINVAL;
  if (request === VFIO_DEVICE_GET_PCI_HOT_RESET_INFO) return -ERRNO.ENODEV;
  return flags !== 0 || count === 0 ? -ERRNO.EINVAL : -ERRNO.ENODEV;
}
