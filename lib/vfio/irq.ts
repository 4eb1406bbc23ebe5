/**
 * Interrupts of a device: which there are, and eventfds for them.
 *
 * @see drivers/vfio/pci/vfio_pci_intrs.c
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import { check } from "../base/error.ts";
import type { Kernel } from "../sys/kernel.ts";
import { vfio_irq_info, vfio_irq_set } from "../uapi/device.ts";
import {
  VFIO_IRQ_INFO_AUTOMASKED,
  VFIO_IRQ_INFO_EVENTFD,
  VFIO_IRQ_INFO_MASKABLE,
  VFIO_IRQ_INFO_NORESIZE,
  VFIO_IRQ_SET_ACTION_TRIGGER,
  VFIO_IRQ_SET_DATA_EVENTFD,
  VFIO_IRQ_SET_DATA_NONE,
} from "../uapi/flag.ts";
import { VFIO_DEVICE_GET_IRQ_INFO, VFIO_DEVICE_SET_IRQS } from "../uapi/request.ts";
import type { EventFd } from "./event.ts";

/** One kind of interrupt of a device: 0 INTx, 1 MSI, 2 MSI-X, 3 errors, 4 requests. */
export interface IrqInfo {
  /** The kind. */
  readonly index: number;
  /** Vectors; 0 for a kind that the device does not have. */
  readonly count: number;
  /** Whether it can signal an eventfd. */
  readonly eventfd: boolean;
  /** Whether it can be masked. */
  readonly maskable: boolean;
  /** Whether it is masked each time it fires. */
  readonly automasked: boolean;
  /** Whether all vectors must be set at once. */
  readonly fixed: boolean;
}

/** The device that the functions below talk to. */
export interface IrqOwner {
  readonly kernel: Kernel;
  readonly fd: number;
  readonly name: string;
}

/** Reads what an interrupt index offers. */
export function readIrqInfo(owner: IrqOwner, index: number): IrqInfo {
  const request = vfio_irq_info.create();
  request.fields.argsz = vfio_irq_info.size;
  request.fields.index = index;
  check(
    owner.kernel.ioctlBuffer(owner.fd, VFIO_DEVICE_GET_IRQ_INFO, request.bytes),
    "VFIO_DEVICE_GET_IRQ_INFO",
    `read interrupt ${index} of ${owner.name}`,
    (errno) =>
      errno === ERRNO.EINVAL
        ? { hint: `the device has no interrupt ${index}`, rule: "device.irq-index" }
        : undefined,
  );
  const { flags, count } = request.fields;
  return {
    index,
    count,
    eventfd: (flags & VFIO_IRQ_INFO_EVENTFD) !== 0,
    maskable: (flags & VFIO_IRQ_INFO_MASKABLE) !== 0,
    automasked: (flags & VFIO_IRQ_INFO_AUTOMASKED) !== 0,
    fixed: (flags & VFIO_IRQ_INFO_NORESIZE) !== 0,
  };
}

interface IrqRange {
  readonly index: number;
  /** The first vector. */
  readonly start: number;
  /** How many. */
  readonly count: number;
}

function setIrqs(
  owner: IrqOwner,
  flags: number,
  range: IrqRange,
  data: Int32Array<ArrayBuffer>,
  action: "enable" | "disable" | "trigger",
): void {
  const request = vfio_irq_set.create(data.byteLength);
  const { fields, bytes } = request;
  fields.argsz = bytes.length;
  fields.flags = flags;
  fields.index = range.index;
  fields.start = range.start;
  fields.count = range.count;
  bytes.set(new Uint8Array(data.buffer), vfio_irq_set.size);
  check(
    owner.kernel.ioctlBuffer(owner.fd, VFIO_DEVICE_SET_IRQS, bytes),
    "VFIO_DEVICE_SET_IRQS",
    `${action} interrupt ${range.index} of ${owner.name}`,
    (errno) => errno === ERRNO.EINVAL ? whyNot(owner, range, action) : undefined,
  );
}

/** The kernel says EINVAL to all of it: which of the rules was it? */
function whyNot(owner: IrqOwner, range: IrqRange, action: string): string | undefined {
  const { index, start, count } = range;
  const info = vfio_irq_info.create();
  info.fields.argsz = vfio_irq_info.size;
  info.fields.index = index;
  if (owner.kernel.ioctlBuffer(owner.fd, VFIO_DEVICE_GET_IRQ_INFO, info.bytes) < 0) {
    return `the device has no interrupt ${index}`;
  }
  const has = info.fields.count;
  if (start + count > has) {
    return `the device has ${has} vectors of interrupt ${index}; got ${start} up to ${
      start + count
    }`;
  }
  if (action === "trigger") return "give it an eventfd first, with enableIrq";
  return action === "enable"
    ? "only one of INTx, MSI and MSI-X can be on: switch the other off first, with disableIrq"
    : undefined;
}

/** Lets vectors signal eventfds, one each. */
export function enableIrq(
  owner: IrqOwner,
  index: number,
  start: number,
  events: readonly EventFd[],
): void {
  const flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
  const fds = Int32Array.from(events, (event) => event.fd);
  setIrqs(owner, flags, { index, start, count: fds.length }, fds, "enable");
}

/** Switches an interrupt index off. */
export function disableIrq(owner: IrqOwner, index: number): void {
  const flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER;
  setIrqs(owner, flags, { index, start: 0, count: 0 }, new Int32Array(0), "disable");
}

/** Fires vectors from software, as if the device had. */
export function triggerIrq(owner: IrqOwner, index: number, start: number, count: number): void {
  const flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER;
  setIrqs(owner, flags, { index, start, count }, new Int32Array(0), "trigger");
}
