import { alignUp } from "../base/page.ts";
import { PROT_READ, PROT_WRITE } from "../sys/constant.ts";
import { ForeignMemory } from "./foreign_memory.ts";
import type { ModelMemory } from "./model_memory.ts";
import { PAGE } from "./page.ts";

const FIRST_ADDRESS = 0x7f00_0000_0000n;

/** What mmap gave: memory at an address. */
interface Area {
  readonly address: bigint;
  readonly size: bigint;
  readonly memory: ModelMemory;
  readonly offset: bigint;
  readonly protection: number;
}

/** Bytes that stay the same wherever they are mapped. */
export interface MemoryPlace {
  readonly isDevice: boolean;
  write(offset: number, from: Uint8Array): void;
}

/** Memory from an address on, as far as it may be used. */
interface Stretch extends MemoryPlace {
  readonly size: bigint;
  read(offset: number, into: Uint8Array): void;
}

/** Where a mapping of memory comes from. */
export interface AreaSource {
  readonly memory: ModelMemory;
  /** Where in it the mapping begins. */
  readonly offset?: bigint;
  /** PROT_READ and PROT_WRITE; both, if left out. */
  readonly protection?: number;
}

/** The address space of a process. */
export class AddressSpace {
  readonly #areas: Area[]; // by rising address: they are only ever appended
  readonly #foreign: ForeignMemory;
  #next: bigint;

  /** Nothing but JavaScript memory. */
  constructor(
    areas: readonly Area[] = [],
    foreign: ForeignMemory = new ForeignMemory(),
    next: bigint = FIRST_ADDRESS,
  ) {
    this.#areas = [...areas];
    this.#foreign = foreign;
    this.#next = next;
  }

  /** The address space of a child: the same memory at the same addresses, shared. */
  fork(): AddressSpace {
    return new AddressSpace(this.#areas, this.#foreign, this.#next);
  }

  /** How many mappings there are. */
  get count(): number {
    return this.#areas.length;
  }

  /** Puts memory at a new address. */
  map(source: AreaSource, size: bigint): bigint {
    const { memory, offset = 0n, protection = PROT_READ | PROT_WRITE } = source;
    const address = alignUp(this.#next, memory.together);
    this.#areas.push({ address, size, memory, offset, protection });
    // A page stays free between two mappings: an overrun meets it.
    this.#next = address + (size + 2n * PAGE - 1n) / PAGE * PAGE;
    return address;
  }

  /** Takes a whole mapping away; false if there is none of that address and size. */
  unmap(address: bigint, size: bigint): boolean {
    const index = this.#areas.findIndex((area) => area.address === address && area.size === size);
    if (index >= 0) this.#areas.splice(index, 1);
    return index >= 0;
  }

  /** The buffer at an address, which must be that of a whole mapping. */
  view(address: bigint, length: number): ArrayBuffer {
    const area = this.#areas.find((other) => other.address === address);
    if (area === undefined || area.offset !== 0n || BigInt(length) !== area.memory.size) {
      throw new RangeError("The model can view whole mappings only");
    }
    return area.memory.buffer;
  }

  /** Gives a view of JavaScript memory an address. */
  addressOf(view: Uint8Array): bigint {
    const area = this.#areas.find(({ memory }) => memory.owns(view.buffer));
    if (area !== undefined) return area.address + BigInt(view.byteOffset);
    return this.#foreign.addressOf(view);
  }

  /** How many bytes from an address on may be read, or written, without a fault; at most `size`. */
  usable(address: bigint, size: bigint, write = false): bigint {
    const length = this.#stretch(address, write)?.size ?? 0n;
    return length < size ? length : size;
  }

  /** Whether every byte of a range may be read, or written. */
  has(address: bigint, size: bigint, write = false): boolean {
    return this.usable(address, size, write) === size;
  }

  /** Whether there is a device behind an address, and no memory. */
  isDevice(address: bigint): boolean {
    return this.#stretch(address, false)?.isDevice === true;
  }

  /** How much memory lies together around an address: 0 where none is. */
  togetherAt(address: bigint): bigint {
    return this.#areaAt(address)?.memory.together ?? 0n;
  }

  #areaAt(address: bigint): Area | undefined {
    return this.#areas.find((other) =>
      other.address <= address && address < other.address + other.size
    );
  }

  /** The bytes at an address, for somebody who keeps them; undefined, as EFAULT, if there are none. */
  place(address: bigint, write: boolean): MemoryPlace | undefined {
    return this.#stretch(address, write);
  }

  /** Copies from an address; false, as EFAULT, if not all of it may be read. */
  read(address: bigint, into: Uint8Array): boolean {
    const stretch = this.#stretch(address, false);
    if (stretch === undefined || stretch.size < BigInt(into.length)) return false;
    stretch.read(0, into);
    return true;
  }

  /** Copies to an address, as far as it may be written; false, as EFAULT, if that is not all. */
  write(address: bigint, from: Uint8Array): boolean {
    const stretch = this.#stretch(address, true);
    if (stretch === undefined) return false;
    const all = stretch.size >= BigInt(from.length);
    stretch.write(0, all ? from : from.subarray(0, Number(stretch.size)));
    return all;
  }

  #stretch(address: bigint, write: boolean): Stretch | undefined {
    const area = this.#areaAt(address);
    if (area === undefined) return this.#foreign.stretch(address);
    if ((area.protection & (write ? PROT_WRITE : PROT_READ | PROT_WRITE)) === 0) return undefined;
    const { memory } = area;
    const at = area.offset + address - area.address;
    // A file may be shorter than its mapping: what is behind its last page faults.
    const last = (memory.size + PAGE - 1n) / PAGE * PAGE;
    const end = area.offset + area.size < last ? area.offset + area.size : last;
    if (end <= at) return undefined;
    const clip = (offset: number, length: number): number =>
      Math.max(0, Math.min(length, Number(memory.size - at) - offset));
    return {
      size: end - at,
      isDevice: memory.isDevice,
      read: (offset, into) =>
        memory.read(at + BigInt(offset), into.subarray(0, clip(offset, into.length))),
      write: (offset, from) =>
        memory.write(at + BigInt(offset), from.subarray(0, clip(offset, from.length))),
    };
  }
}
