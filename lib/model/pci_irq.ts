/**
 * The interrupts of a PCI device: INTx with its mask, MSI, and the request to give the device back.
 *
 * @see drivers/vfio/pci/vfio_pci_intrs.c
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import { vfio_irq_set } from "../uapi/device.ts";
import {
  VFIO_IRQ_INFO_AUTOMASKED,
  VFIO_IRQ_INFO_EVENTFD,
  VFIO_IRQ_INFO_MASKABLE,
  VFIO_IRQ_INFO_NORESIZE,
  VFIO_IRQ_SET_ACTION_MASK,
  VFIO_IRQ_SET_ACTION_TRIGGER,
  VFIO_IRQ_SET_ACTION_TYPE_MASK,
  VFIO_IRQ_SET_ACTION_UNMASK,
  VFIO_IRQ_SET_DATA_BOOL,
  VFIO_IRQ_SET_DATA_EVENTFD,
  VFIO_IRQ_SET_DATA_NONE,
  VFIO_IRQ_SET_DATA_TYPE_MASK,
} from "../uapi/flag.ts";
import { EventFile, type ModelFile } from "./file.ts";

const INTX = 0;
const MSI = 1;
const REQUEST = 4;
const KINDS = 5;
/** A conventional PCI device has no error interrupt: those belong to PCI Express. */
const COUNTS: readonly number[] = [1, 1, 0, 0, 1];
const MISSING: readonly number[] = [3];
const U32_MAX = 0xffff_ffff;

type FileOf = (fd: number) => ModelFile | undefined;

/** What SET_IRQS asks for, taken apart. */
interface Order {
  readonly flags: number;
  readonly start: number;
  readonly count: number;
  /** The BOOL or EVENTFD of each. */
  readonly values: readonly number[];
}

/** What a device offers and what was set up. */
export class PciIrqs {
  /** How many kinds there are, and which of these the device does not have. */
  readonly kinds: { readonly count: number; readonly missing: readonly number[] } = {
    count: KINDS,
    missing: MISSING,
  };
  /** Whether the device holds its interrupt line up. */
  level: () => boolean = () => false;
  #mode: "none" | "intx" | "msi" = "none";
  #masked = false;
  #intx: EventFile | undefined;
  #msi: EventFile | undefined;
  #request: EventFile | undefined;
  #unmask = false;

  /** Whether MSI is on. */
  get isMsi(): boolean {
    return this.#mode === "msi";
  }

  /** Flags and count of a kind. */
  info(index: number): { flags: number; count: number } {
    const flags = index === INTX
      ? VFIO_IRQ_INFO_MASKABLE | VFIO_IRQ_INFO_AUTOMASKED
      : VFIO_IRQ_INFO_NORESIZE;
    return { flags: flags | VFIO_IRQ_INFO_EVENTFD, count: COUNTS[index] ?? 0 };
  }

  /** Everything off. */
  reset(): void {
    this.#mode = "none";
    this.#masked = false;
    this.#intx = this.#msi = this.#request = undefined;
    this.#unmask = false;
  }

  /** The device raises its interrupt. */
  raise(): void {
    if (this.#mode === "msi") return this.#msi?.signal();
    if (this.#mode !== "intx" || this.#masked) return;
    // The line stays up until the device is asked: it is masked until then.
    this.#masked = true;
    this.#intx?.signal();
  }

  /** SET_IRQS: 0 or -errno. */
  set(argument: Uint8Array, fileOf: FileOf): number {
    if (argument.length < vfio_irq_set.size) return -ERRNO.EFAULT;
    const { argsz, flags, index, start, count } = vfio_irq_set.over(argument).fields;
    const known = VFIO_IRQ_SET_DATA_TYPE_MASK | VFIO_IRQ_SET_ACTION_TYPE_MASK;
    if (argsz < vfio_irq_set.size || index >= KINDS || count >= U32_MAX - start) {
      return -ERRNO.EINVAL;
    }
    const most = COUNTS[index] ?? 0;
    if ((flags & ~known) !== 0 || start >= most || start + count > most) return -ERRNO.EINVAL;
    const width = widthOf(flags);
    if (width === undefined || argsz - vfio_irq_set.size < width * count) return -ERRNO.EINVAL;
    if (argument.length < vfio_irq_set.size + width * count) return -ERRNO.EFAULT;
    const at = argument.byteOffset + vfio_irq_set.size;
    const view = new DataView(argument.buffer, at, width * count);
    const values = Array.from(
      { length: count },
      (_, i) => width === 4 ? view.getInt32(i * 4, true) : width === 1 ? view.getUint8(i) : 1,
    );
    const order = { flags, start, count, values };
    const action = flags & VFIO_IRQ_SET_ACTION_TYPE_MASK;
    if (index === INTX) return this.#setIntx(order, action, fileOf);
    if (action !== VFIO_IRQ_SET_ACTION_TRIGGER) return -ERRNO.ENOTTY;
    return index === REQUEST ? this.#setRequest(order, fileOf) : this.#setMsi(order, index, fileOf);
  }

  #setIntx(order: Order, action: number, fileOf: FileOf): number {
    switch (action) {
      case VFIO_IRQ_SET_ACTION_TRIGGER:
        return this.#triggerIntx(order, fileOf);
      case VFIO_IRQ_SET_ACTION_MASK:
      case VFIO_IRQ_SET_ACTION_UNMASK:
        return this.#maskIntx(order, action === VFIO_IRQ_SET_ACTION_MASK, fileOf);
      default:
        return -ERRNO.ENOTTY;
    }
  }

  #maskIntx(order: Order, mask: boolean, fileOf: FileOf): number {
    const { flags, start, count, values: [value = 0] } = order;
    if (this.#mode !== "intx" || start !== 0 || count !== 1) return -ERRNO.EINVAL;
    if ((flags & VFIO_IRQ_SET_DATA_EVENTFD) !== 0) {
      if (mask) return -ERRNO.ENOTTY;
      if (value < 0) this.#unmask = false;
      else {
        const file = eventOf(value, fileOf);
        if (typeof file === "number") return file;
        if (this.#unmask) return -ERRNO.EBUSY;
        this.#unmask = true;
      }
      return 0;
    }
    if (value === 0) return 0;
    this.#masked = mask;
    if (!mask && this.level()) this.raise();
    return 0;
  }

  #triggerIntx(order: Order, fileOf: FileOf): number {
    const { flags, start, count, values: [value = 0] } = order;
    const on = this.#mode === "intx";
    if (on && count === 0 && (flags & VFIO_IRQ_SET_DATA_NONE) !== 0) {
      this.#mode = "none";
      this.#intx = undefined;
      this.#unmask = false;
      return 0;
    }
    if (this.#mode === "msi" || start !== 0 || count !== 1) return -ERRNO.EINVAL;
    if ((flags & VFIO_IRQ_SET_DATA_EVENTFD) !== 0) {
      const file = value < 0 ? undefined : eventOf(value, fileOf);
      if (typeof file === "number") return file;
      this.#intx = file;
      if (!on) this.#masked = false;
      this.#mode = "intx";
      if (!on && this.level()) this.raise();
      return 0;
    }
    if (!on) return -ERRNO.EINVAL;
    if (value !== 0) this.#intx?.signal();
    return 0;
  }

  #setMsi(order: Order, index: number, fileOf: FileOf): number {
    const { flags, count, values: [value = 0] } = order;
    const on = this.#mode === "msi" && index === MSI;
    if (on && count === 0 && (flags & VFIO_IRQ_SET_DATA_NONE) !== 0) {
      this.#mode = "none";
      this.#msi = undefined;
      return 0;
    }
    if (!on && this.#mode !== "none") return -ERRNO.EINVAL;
    if ((flags & VFIO_IRQ_SET_DATA_EVENTFD) === 0) {
      if (!on) return -ERRNO.EINVAL;
      if (count > 0 && value !== 0) this.#msi?.signal();
      return 0;
    }
    // No vector at all cannot be allocated.
    if (count === 0) return on ? 0 : -ERRNO.ERANGE;
    const file = value < 0 ? undefined : eventOf(value, fileOf);
    if (typeof file === "number") return file;
    this.#msi = file;
    this.#mode = "msi";
    return 0;
  }

  /** @see vfio_pci_set_ctx_trigger_single */
  #setRequest(order: Order, fileOf: FileOf): number {
    const { flags, count, values: [value = 0] } = order;
    if ((flags & VFIO_IRQ_SET_DATA_NONE) !== 0) {
      if (this.#request === undefined) return -ERRNO.EINVAL;
      if (count > 0) this.#request.signal();
      else this.#request = undefined;
      return 0;
    }
    if (count === 0) return -ERRNO.EINVAL;
    if ((flags & VFIO_IRQ_SET_DATA_BOOL) !== 0) {
      if (value !== 0) this.#request?.signal();
      return 0;
    }
    const file = value < 0 ? undefined : eventOf(value, fileOf);
    if (typeof file === "number") return file;
    if (value >= -1) this.#request = file;
    return 0;
  }
}

/** Bytes of data for each interrupt; undefined for none or several kinds at once. */
function widthOf(flags: number): number | undefined {
  switch (flags & VFIO_IRQ_SET_DATA_TYPE_MASK) {
    case VFIO_IRQ_SET_DATA_NONE:
      return 0;
    case VFIO_IRQ_SET_DATA_BOOL:
      return 1;
    case VFIO_IRQ_SET_DATA_EVENTFD:
      return 4;
    default:
      return undefined;
  }
}

/** @see fs/eventfd.c, eventfd_ctx_fdget */
function eventOf(fd: number, fileOf: FileOf): EventFile | number {
  const file = fileOf(fd);
  if (file === undefined) return -ERRNO.EBADF;
  return file instanceof EventFile ? file : -ERRNO.EINVAL;
}
