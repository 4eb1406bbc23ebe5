/**
 * The lab's vendor driver, raw: a device that pins when it is told to, through a region of its own.
 *
 * @see tests/lab/vendor/layout.h, which says what each field means
 * @module
 */

import { capabilities } from "../uapi/capability.ts";
import { decodeRegionType } from "../uapi/capability_decode.ts";
import { vfio_device_info, vfio_region_info } from "../uapi/device.ts";
import { VFIO_DEVICE_FLAGS_PCI, VFIO_REGION_INFO_CAP_TYPE } from "../uapi/flag_device.ts";
import { VFIO_DEVICE_GET_INFO, VFIO_DEVICE_GET_REGION_INFO } from "../uapi/request.ts";
import { answer, must, type RawFile, Unprepared } from "./raw.ts";

const OP = {
  PIN: 1,
  UNPIN: 2,
  WRITE: 3,
  READ: 4,
  WRITE_PINNED: 5,
  CLEAR: 6,
  DIRTY: 7,
  FAIL: 9,
} as const;
const FLAG = { PROT_READ: 1, PROT_WRITE: 2, ONE_CALL: 4 } as const;
const MAGIC = 0x314e_4950;
const AT = { result: 0x20n, magic: 0x28n, pinned: 0x30n, log: 0x100n, data: 0x1000n } as const;
const LOG = 64;
const COMMAND_SIZE = 0x20;
const REGION_TYPE = 0x8000_1234;
const REGION_SUBTYPE = 0x50;
/** Regions of a PCI device before those of a driver's own. */
const PCI_REGIONS = 9;

/** What the driver says about itself. */
export interface PinnerState {
  /** Pages (addresses) that are pinned. */
  readonly pinned: number;
  /** The same, each as often as it was pinned. */
  readonly pins: number;
  /** dma_unmap callbacks since {@link Pinner.clear}. */
  readonly unmaps: number;
  /** Pages that they gave back. */
  readonly returned: number;
}

/** See the file. */
export class Pinner implements Disposable {
  readonly #device: RawFile;
  readonly #offset: bigint;

  /**
   * Takes a device over.
   *
   * @throws {Unprepared} If it has no such region.
   */
  constructor(device: RawFile) {
    this.#device = device;
    this.#offset = regionOffset(device);
    const magic = this.#read(AT.magic, 4).getUint32(0, true);
    if (magic !== MAGIC) throw new Unprepared("the region of the vendor driver", "another layout");
  }

  /** Pins pages, all or none: "OK" or the error. */
  pin(iova: bigint, pages = 1, options: { write?: boolean; oneCall?: boolean } = {}): string {
    const rights = FLAG.PROT_READ | (options.write === false ? 0 : FLAG.PROT_WRITE);
    return this.#run(OP.PIN, iova, pages, rights | (options.oneCall ? FLAG.ONE_CALL : 0));
  }

  /** Gives pages back, each once. */
  unpin(iova: bigint, pages = 1): string {
    return this.#run(OP.UNPIN, iova, pages, 0);
  }

  /** Writes with vfio_dma_rw. */
  write(iova: bigint, bytes: Uint8Array): string {
    must(this.#device.kernel.pwrite(this.#device.fd, bytes, this.#offset + AT.data), "pwrite");
    return this.#run(OP.WRITE, iova, bytes.length, 0);
  }

  /** Reads with vfio_dma_rw. */
  read(iova: bigint, length: number): string {
    return this.#run(OP.READ, iova, length, 0);
  }

  /** Notes pages of 4 KiB as written in the device's log: how many of the log's it touches, or the error. */
  dirty(iova: bigint, pages: number): string {
    const text = this.#run(OP.DIRTY, iova, pages, 0);
    return text === "OK" ? `${this.#read(AT.result, 8).getBigInt64(0, true)}` : text;
  }

  /** Lets the next change of the migration state fail. */
  failNext(): void {
    this.#run(OP.FAIL, 0n, 0, 0);
  }

  /** Forgets the callbacks. */
  clear(): void {
    this.#run(OP.CLEAR, 0n, 0, 0);
  }

  /** Reads the counts. */
  state(): PinnerState {
    const view = this.#read(AT.pinned, 32);
    const count = (index: number): number => Number(view.getBigUint64(index * 8, true));
    return { pinned: count(0), pins: count(1), unmaps: count(2), returned: count(3) };
  }

  /** What the callbacks since {@link clear} were called for: iova and length. */
  log(): [bigint, bigint][] {
    const { unmaps } = this.state();
    const found: [bigint, bigint][] = [];
    for (let i = Math.max(0, unmaps - LOG); i < unmaps; i += 1) {
      const view = this.#read(AT.log + BigInt(i % LOG * 16), 16);
      found.push([view.getBigUint64(0, true), view.getBigUint64(8, true)]);
    }
    return found;
  }

  #read(at: bigint, length: number): DataView {
    const bytes = new Uint8Array(length);
    must(this.#device.kernel.pread(this.#device.fd, bytes, this.#offset + at), "pread");
    return new DataView(bytes.buffer);
  }

  #run(op: number, iova: bigint, length: number, flags: number): string {
    const command = new DataView(new ArrayBuffer(COMMAND_SIZE));
    command.setUint32(0x00, op, true);
    command.setUint32(0x04, flags, true);
    command.setBigUint64(0x08, iova, true);
    command.setBigUint64(0x10, BigInt(length), true);
    command.setBigUint64(0x18, 1n, true); // the doorbell
    const bytes = new Uint8Array(command.buffer);
    must(this.#device.kernel.pwrite(this.#device.fd, bytes, this.#offset), "pwrite");
    return answer(Number(this.#read(AT.result, 8).getBigInt64(0, true)));
  }

  /** Closes the device: the driver gives back what it has pinned. */
  [Symbol.dispose](): void {
    this.#device[Symbol.dispose]();
  }
}

/** Region 0 of a mediated device; on a PCI device one behind the usual ones. */
function regionOffset(device: RawFile): bigint {
  const info = vfio_device_info.create();
  info.fields.argsz = vfio_device_info.size;
  must(device.ask(VFIO_DEVICE_GET_INFO, info.bytes), "DEVICE_GET_INFO");
  const { flags, num_regions } = info.fields;
  if ((flags & VFIO_DEVICE_FLAGS_PCI) === 0) return regionInfo(device, 0).offset;
  for (let index = PCI_REGIONS; index < num_regions; index += 1) {
    const { offset, type } = regionInfo(device, index);
    if (type?.type === REGION_TYPE && type.subtype === REGION_SUBTYPE) return offset;
  }
  throw new Unprepared("the region of the vendor driver", "the device has none");
}

function regionInfo(
  device: RawFile,
  index: number,
): { offset: bigint; type: { type: number; subtype: number } | undefined } {
  const info = vfio_region_info.create(4096);
  Object.assign(info.fields, { argsz: info.bytes.length, index });
  must(device.ask(VFIO_DEVICE_GET_REGION_INFO, info.bytes), "GET_REGION_INFO");
  const { offset, cap_offset } = info.fields;
  const chain = capabilities(info.bytes, cap_offset, vfio_region_info.size);
  const found = [...chain].find(({ id }) => id === VFIO_REGION_INFO_CAP_TYPE);
  return { offset, type: found === undefined ? undefined : decodeRegionType(found.bytes) };
}
