/** The lab's vendor driver, through the public API: a device that pins when it is told to. */

import { type Device, type Extent, type Group, hex, type Region, VfioError } from "../../../mod.ts";
import { AT, DATA, FLAG, LOG, MAGIC, OP, REGION_SUBTYPE, REGION_TYPE } from "./layout.ts";

/** What the driver has pinned, and what it was called for. */
export interface VendorStatus {
  /** Pages (addresses) that are pinned. */
  readonly pinned: number;
  /** The same, each as often as it was pinned. */
  readonly pins: number;
  /** How often the dma_unmap callback came since the last {@link VendorDevice.clear}. */
  readonly unmaps: number;
  /** Pages that these callbacks gave back. */
  readonly returned: number;
  /** What the last callbacks were called for, the oldest first; 64 at most. */
  readonly log: readonly Extent[];
}

/** What the driver says about its log. */
export interface VendorLog {
  /** 0, if none is kept. */
  readonly pageSize: bigint;
  /** Pages in it. */
  readonly dirty: number;
  readonly ranges: number;
}

/** How to pin. */
export interface PinOptions {
  /** Pin for writing too; true by default. */
  readonly write?: boolean;
  /** In one vfio_pin_pages, however many pages; by default in batches of at most 512. */
  readonly oneCall?: boolean;
}

/** A command with its doorbell, which runs it: to be written to the region's start. */
export function commandBytes(
  op: number,
  iova: bigint,
  length: number,
  flags: number,
): Uint8Array<ArrayBuffer> {
  const command = new DataView(new ArrayBuffer(AT.result));
  command.setUint32(AT.op, op, true);
  command.setUint32(AT.flags, flags, true);
  command.setBigUint64(AT.iova, iova, true);
  command.setBigUint64(AT.length, BigInt(length), true);
  command.setBigUint64(AT.doorbell, 1n, true);
  return new Uint8Array(command.buffer);
}

/** An open device of the vendor driver: a mediated one, or edu. */
export class VendorDevice implements Disposable {
  readonly device: Device;
  readonly #region: Region;

  /** Opens the device of a group that was attached. */
  constructor(group: Group, name?: string) {
    using stack = new DisposableStack();
    this.device = stack.use(group.device(name));
    this.#region = commandRegion(this.device);
    const magic = this.#region.read32(AT.magic);
    if (magic !== MAGIC) throw new Error(`layout.ts is for ${hex(MAGIC)}, not for ${hex(magic)}`);
    stack.move();
  }

  /**
   * Pins pages; all or none.
   *
   * @throws {VfioError} What vfio_pin_pages answered.
   */
  pin(iova: bigint, pages: number = 1, options: PinOptions = {}): void {
    const { write = true, oneCall = false } = options;
    const rights = FLAG.PROT_READ | (write ? FLAG.PROT_WRITE : 0);
    const flags = rights | (oneCall ? FLAG.ONE_CALL : 0);
    const result = this.#run(OP.PIN, iova, pages, flags);
    check(result, "vfio_pin_pages", `pin ${pages} pages at iova ${hex(iova)}`);
  }

  /** Gives pages back that were pinned: each once. */
  unpin(iova: bigint, pages: number = 1): void {
    const result = this.#run(OP.UNPIN, iova, pages, 0);
    check(result, "vfio_unpin_pages", `unpin ${pages} pages at iova ${hex(iova)}`);
  }

  /** Writes with the processor, as a driver does that emulates DMA. */
  write(iova: bigint, bytes: Uint8Array): void {
    this.#fill(bytes);
    const result = this.#run(OP.WRITE, iova, bytes.length, 0);
    check(result, "vfio_dma_rw", `write ${bytes.length} bytes at iova ${hex(iova)}`);
  }

  /** Reads in the same way. */
  read(iova: bigint, length: number): Uint8Array<ArrayBuffer> {
    const result = this.#run(OP.READ, iova, length, 0);
    check(result, "vfio_dma_rw", `read ${length} bytes at iova ${hex(iova)}`);
    return this.#region.read(AT.data, length);
  }

  /** Writes into a page that is pinned, which VFIO does not see. */
  writeThroughPin(iova: bigint, bytes: Uint8Array): void {
    this.#fill(bytes);
    const result = this.#run(OP.WRITE_PINNED, iova, bytes.length, 0);
    check(result, "a write", `write ${bytes.length} bytes through the pin at iova ${hex(iova)}`);
  }

  /**
   * Lets the device's log note a write that does not happen.
   *
   * @param count Of 4 KiB.
   * @returns How many pages of the log that touches.
   */
  dirty(iova: bigint, count: number = 1): number {
    const result = this.#run(OP.DIRTY, iova, count, 0);
    return check(result, "a command", `note ${count} pages at iova ${hex(iova)} as written`);
  }

  /** Sets in which pages the device can log. */
  logSizes(smallest: bigint, largest: bigint): void {
    check(this.#run(OP.LOG_SIZES, smallest, Number(largest), 0), "a command", "set page sizes");
  }

  /** Sets how many bytes the device can log; START refuses ranges that have fewer or more together. */
  logSpace(fewest: bigint, most: bigint): void {
    check(this.#run(OP.LOG_SPACE, fewest, Number(most), 0), "a command", "set what can be logged");
  }

  /** Lets each report of the log that is kept now fail, after it took its pages; 0 ends that. */
  failReports(errno: number): void {
    check(this.#run(OP.LOG_FAIL, 0n, errno, 0), "a command", "let reports fail");
  }

  /** Lets the next change of the migration state fail. */
  failNext(): void {
    check(this.#run(OP.FAIL, 0n, 0, 0), "a command", "let the next change fail");
  }

  /** Reads what the driver says about its log. */
  log(): VendorLog {
    const view = new DataView(this.#region.read(0, AT.log).buffer);
    return {
      pageSize: view.getBigUint64(AT.logPage, true),
      dirty: Number(view.getBigUint64(AT.logDirty, true)),
      ranges: view.getUint32(AT.logRanges, true),
    };
  }

  /** Reads the migration state, and those that the last change went through, by their numbers. */
  states(): { readonly state: number; readonly path: readonly number[] } {
    const view = new DataView(this.#region.read(0, AT.log).buffer);
    const packed = view.getBigUint64(AT.path, true);
    return {
      state: view.getUint32(AT.state, true),
      path: packed === 0n
        ? []
        : [...packed.toString(16)].reverse().map((digit) => Number.parseInt(digit, 16)),
    };
  }

  /** Bytes of the device's own: its state, as far as it migrates. */
  get data(): Uint8Array<ArrayBuffer> {
    return this.#region.read(AT.data, DATA);
  }

  /** Writes all of them. */
  set data(bytes: Uint8Array) {
    this.#fill(bytes);
  }

  /** Reads what is pinned, and which unmap callbacks came. */
  status(): VendorStatus {
    const view = new DataView(this.#region.read(0, AT.log + LOG * 16).buffer);
    const count = (at: number): number => Number(view.getBigUint64(at, true));
    const unmaps = count(AT.unmaps);
    const log: Extent[] = [];
    for (let i = Math.max(0, unmaps - LOG); i < unmaps; i += 1) {
      const at = AT.log + i % LOG * 16;
      log.push({ iova: view.getBigUint64(at, true), size: view.getBigUint64(at + 8, true) });
    }
    const { pinned, pins, returned } = AT;
    return {
      pinned: count(pinned),
      pins: count(pins),
      unmaps,
      returned: count(returned),
      log,
    };
  }

  /** Forgets the unmap callbacks. */
  clear(): void {
    check(this.#run(OP.CLEAR, 0n, 0, 0), "a command", "clear the log");
  }

  #fill(bytes: Uint8Array): void {
    if (bytes.length > DATA) throw new RangeError(`At most ${DATA} bytes; got ${bytes.length}`);
    this.#region.write(AT.data, bytes);
  }

  /** Runs a command and gives its result. */
  #run(op: number, iova: bigint, length: number, flags: number): number {
    this.#region.write(0, commandBytes(op, iova, length, flags));
    const result = new DataView(this.#region.read(AT.result, 8).buffer);
    return Number(result.getBigInt64(0, true));
  }

  /** Closes the device: the driver gives back what it has pinned. */
  [Symbol.dispose](): void {
    this.device[Symbol.dispose]();
  }
}

/** Region 0 of a mediated device; on a PCI device one of the driver's own, behind the usual ones. */
function commandRegion(device: Device): Region {
  const { isPci, regions } = device.info();
  if (!isPci) return device.region(0);
  for (let index = 9; index < regions; index += 1) {
    const region = device.region(index);
    const { type } = region.info;
    if (type?.type === REGION_TYPE && type.subtype === REGION_SUBTYPE) return region;
  }
  throw new Error(`${device.name} has no command region: is it bound to pinscope-vfio-pci?`);
}

function check(result: number, operation: string, action: string): number {
  if (result < 0) throw new VfioError({ operation, errno: -result, action });
  return result;
}
