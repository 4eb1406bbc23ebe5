import { check } from "../base/error.ts";
import { MAP_SHARED, PROT_READ, PROT_WRITE } from "../sys/constant.ts";
import type { Kernel } from "../sys/kernel.ts";
import type { RegionInfo } from "./region.ts";

/** A mapped region of a device: registers, reached without a system call. */
export class RegionMemory implements Disposable {
  /** Bytes that are mapped. */
  readonly size: bigint;
  readonly #kernel: Kernel;
  readonly #address: bigint;
  readonly #buffer: ArrayBuffer;
  // The compiler may merge plain loads of memory that it believes nobody else changes, and a device
  // changes its registers: every access goes through Atomics, which it may not merge.
  #words: Int32Array<ArrayBuffer>;

  private constructor(kernel: Kernel, address: bigint, size: bigint) {
    this.#kernel = kernel;
    this.#address = address;
    this.size = size;
    this.#buffer = kernel.viewOf(address, Number(size));
    this.#words = new Int32Array(this.#buffer, 0, Number(size / 4n));
  }

  /** Made by `region.map`. */
  static map(
    owner: { readonly kernel: Kernel; readonly fd: number; readonly name: string },
    info: RegionInfo,
    offset: bigint,
    size: bigint,
  ): RegionMemory {
    const { kernel, fd, name } = owner;
    const rights = (info.canRead ? PROT_READ : 0) | (info.canWrite ? PROT_WRITE : 0);
    const address = kernel.mmap(size, rights, MAP_SHARED, fd, info.offset + offset);
    const action = `map region ${info.index} of ${name}`;
    if (typeof address === "number") check(address, "mmap", action);
    return new RegionMemory(kernel, BigInt(address), size);
  }

  /** Whether it is still mapped. */
  get isMapped(): boolean {
    return this.#words.length > 0;
  }

  /**
   * Reads a 32-bit register.
   *
   * @param offset Bytes from the start of the mapped part, a multiple of 4.
   * @throws {RangeError} If it is no such multiple, or outside.
   */
  read32(offset: number): number {
    return Atomics.load(this.#words, this.#index(offset)) >>> 0;
  }

  /** Writes a 32-bit register; see {@link read32}. */
  write32(offset: number, value: number): void {
    Atomics.store(this.#words, this.#index(offset), value);
  }

  #index(offset: number): number {
    if (!this.isMapped) throw new ReferenceError("Cannot reach registers: the region is unmapped");
    if (offset % 4 === 0 && offset >= 0 && offset / 4 < this.#words.length) return offset / 4;
    throw new RangeError(
      `A register's offset is a multiple of 4 below ${this.#words.length * 4}; got ${offset}`,
    );
  }

  /** Detaches the view and unmaps; twice does nothing. */
  [Symbol.dispose](): void {
    if (!this.isMapped) return;
    this.#words = new Int32Array(0);
    this.#buffer.transfer(0);
    check(this.#kernel.munmap(this.#address, this.size), "munmap", "unmap a region");
  }
}
