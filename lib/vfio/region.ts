import { check } from "../base/error.ts";
import { hex } from "../base/format.ts";
import type { Kernel } from "../sys/kernel.ts";
import {
  VFIO_REGION_INFO_FLAG_MMAP,
  VFIO_REGION_INFO_FLAG_READ,
  VFIO_REGION_INFO_FLAG_WRITE,
} from "../uapi/flag.ts";
import type { MappableArea, RegionType } from "../uapi/capability.ts";
import { RegionMemory } from "./region_memory.ts";

/** What VFIO_DEVICE_GET_REGION_INFO tells of a region. */
export interface RegionInfo {
  /** Its number: 0 to 5 are BARs, 7 is the configuration space. */
  readonly index: number;
  /** Bytes; 0n for a region that the device does not have. */
  readonly size: bigint;
  /** Where the region begins in the device's file. */
  readonly offset: bigint;
  /** Whether it can be read. */
  readonly canRead: boolean;
  /** Whether it can be written. */
  readonly canWrite: boolean;
  /** Whether it, or a part of it, can be mapped. */
  readonly canMap: boolean;
  /** The parts that may be mapped, where it is not all. */
  readonly mappable: readonly MappableArea[] | undefined;
  /** What a region that is no BAR is for. */
  readonly type: RegionType | undefined;
}

/** The rights in the flags of a region. */
export function regionRights(flags: number): Pick<RegionInfo, "canRead" | "canWrite" | "canMap"> {
  return {
    canRead: (flags & VFIO_REGION_INFO_FLAG_READ) !== 0,
    canWrite: (flags & VFIO_REGION_INFO_FLAG_WRITE) !== 0,
    canMap: (flags & VFIO_REGION_INFO_FLAG_MMAP) !== 0,
  };
}

/** What a {@link Region} needs of its device. */
export interface RegionOwner {
  readonly kernel: Kernel;
  readonly name: string;
  /** The device's file, while it is open. */
  readonly fd: number;
  /** Registers what must go before the device can be closed. */
  own(part: Disposable): void;
}

/** Set by the class, for this module alone: a script has no use for it. */
let make: (owner: RegionOwner, info: RegionInfo) => Region;

/** A region of a device: a BAR, the configuration space, or one of its driver's own. */
export class Region {
  /** Size, place and rights. */
  readonly info: RegionInfo;
  readonly #owner: RegionOwner;

  static {
    make = (owner, info) => new Region(owner, info);
  }

  private constructor(owner: RegionOwner, info: RegionInfo) {
    this.#owner = owner;
    this.info = info;
  }

  /**
   * Reads bytes of the region.
   *
   * @param offset Where to begin, in bytes from the region's start.
   * @param length How many bytes.
   * @throws {RangeError} If that is not inside the region.
   * @throws {VfioError} EIO and others, from the device.
   */
  read(offset: number, length: number): Uint8Array<ArrayBuffer> {
    const into = new Uint8Array(length);
    this.#inside(offset, length);
    const { kernel, fd } = this.#owner;
    for (let done = 0; done < length;) {
      const at = this.info.offset + BigInt(offset + done);
      const got = kernel.pread(fd, into.subarray(done), at);
      check(got, "pread", this.#action("read", offset, length));
      if (got === 0) break;
      done += got;
    }
    return into;
  }

  /**
   * Writes bytes into the region.
   *
   * @throws {RangeError} If they do not fit in the region.
   * @throws {VfioError} EIO and others, from the device.
   */
  write(offset: number, bytes: Uint8Array): void {
    this.#inside(offset, bytes.length);
    const { kernel, fd } = this.#owner;
    for (let done = 0; done < bytes.length;) {
      const at = this.info.offset + BigInt(offset + done);
      const put = kernel.pwrite(fd, bytes.subarray(done), at);
      check(put, "pwrite", this.#action("write", offset, bytes.length));
      if (put === 0) break;
      done += put;
    }
  }

  /** Reads a little-endian 32-bit register through the device's file. */
  read32(offset: number): number {
    return new DataView(this.read(offset, 4).buffer).getUint32(0, true);
  }

  /** Writes a little-endian 32-bit register through the device's file. */
  write32(offset: number, value: number): void {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, value, true);
    this.write(offset, bytes);
  }

  /**
   * Maps the region, so that registers are reached without a system call.
   *
   * @param offset Where to begin, in bytes, a multiple of 4096; 0 by default.
   * @param size Bytes; the rest of the region by default.
   * @throws {TypeError} If the region cannot be mapped.
   * @throws {RangeError} If the part is not inside the region, or not one that may be mapped.
   */
  map(offset: bigint = 0n, size: bigint = this.info.size - offset): RegionMemory {
    const { info } = this;
    if (!info.canMap) {
      throw new TypeError(`Region ${info.index} of ${this.#owner.name} cannot be mapped; read it`);
    }
    this.#inside(Number(offset), Number(size));
    const whole: readonly MappableArea[] = [{ offset: 0n, size: info.size }];
    const areas = info.mappable ?? whole;
    const fits = areas.some((area) =>
      area.offset <= offset && offset + size <= area.offset + area.size
    );
    if (!fits || size <= 0n) {
      const list = areas.map((area) => `${hex(area.offset)}+${hex(area.size)}`).join(", ");
      throw new RangeError(
        `Region ${info.index} can be mapped in ${list}; got ${hex(offset)}+${hex(size)}`,
      );
    }
    const memory = RegionMemory.map(this.#owner, info, offset, size);
    this.#owner.own(memory);
    return memory;
  }

  #action(verb: string, offset: number, length: number): string {
    return `${verb} ${length} bytes at ${hex(offset)} of region ${this.info.index} of ` +
      this.#owner.name;
  }

  #inside(offset: number, length: number): void {
    const { index, size } = this.info;
    const fits = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 &&
      length >= 0 && BigInt(offset) + BigInt(length) <= size;
    if (fits) return;
    throw new RangeError(
      `Region ${index} of ${this.#owner.name} has ${hex(size)} bytes; got offset ${offset}, ` +
        `length ${length}`,
    );
  }
}

/** Makes a region of a device; `device.region` does. */
export function newRegion(owner: RegionOwner, info: RegionInfo): Region {
  return make(owner, info);
}
