/**
 * The memory of a process on the model: what mmap gave, and views of JavaScript memory that have an
 * address. Memory that nobody looked at takes no room, so that large mappings cost nothing.
 *
 * @module
 */

import { PROT_READ, PROT_WRITE } from "../sys/constant.ts";

/** mmap'd memory, or a file's content that several mmaps share. */
export class ModelMemory {
  /** Bytes. */
  readonly size: bigint;
  #buffer: ArrayBuffer | undefined;
  // What a device wrote before the first view, by page.
  readonly #pages = new Map<bigint, Uint8Array>();

  /** Zeroed memory. */
  constructor(size: bigint) {
    this.size = size;
  }

  /** All bytes, as one buffer; a detached one is made anew, empty. */
  get buffer(): ArrayBuffer {
    if (this.#buffer === undefined) {
      this.#buffer = new ArrayBuffer(Number(this.size));
      const bytes = new Uint8Array(this.#buffer);
      for (const [offset, page] of this.#pages) bytes.set(page, Number(offset));
      this.#pages.clear();
    }
    return this.#buffer;
  }

  /** Whether a buffer is the one that {@link buffer} gave. */
  owns(buffer: ArrayBufferLike): boolean {
    return this.#buffer === buffer;
  }

  /** Copies out of the memory. */
  read(offset: bigint, into: Uint8Array): void {
    this.#each(offset, into, (page, part) => part.set(page));
  }

  /** Copies into the memory. */
  write(offset: bigint, from: Uint8Array): void {
    this.#each(offset, from, (page, part) => page.set(part));
  }

  #each(
    offset: bigint,
    bytes: Uint8Array,
    copy: (page: Uint8Array, part: Uint8Array) => void,
  ): void {
    if (this.#buffer !== undefined) {
      return copy(new Uint8Array(this.#buffer, Number(offset), bytes.length), bytes);
    }
    for (let done = 0; done < bytes.length;) {
      const at = offset + BigInt(done);
      const start = Number(at % PAGE);
      const length = Math.min(bytes.length - done, Number(PAGE) - start);
      const page = this.#page(at - at % PAGE);
      copy(page.subarray(start, start + length), bytes.subarray(done, done + length));
      done += length;
    }
  }

  #page(offset: bigint): Uint8Array {
    let page = this.#pages.get(offset);
    if (page === undefined) {
      const rest = this.size - offset;
      page = new Uint8Array(Number(rest < PAGE ? rest : PAGE));
      this.#pages.set(offset, page);
    }
    return page;
  }
}

const PAGE = 4096n;
const FIRST_ADDRESS = 0x7f00_0000_0000n;
/** Addresses of JavaScript memory, apart from what mmap gives. */
const FIRST_FOREIGN = 0x5500_0000_0000n;

interface Area {
  readonly address: bigint;
  readonly size: bigint;
  readonly memory: ModelMemory;
  readonly offset: bigint;
  /** PROT_READ, PROT_WRITE. */
  readonly protection: number;
}

/** How memory is used: to read it, or to write it too. */
export type Use = "read" | "write";

/** The address space of the process. */
export class AddressSpace {
  readonly #areas: Area[] = []; // by rising address: they are only ever appended
  readonly #foreign = new WeakMap<ArrayBufferLike, bigint>();
  readonly #byAddress = new Map<bigint, WeakRef<ArrayBufferLike>>();
  #next = FIRST_ADDRESS;
  #nextForeign = FIRST_FOREIGN;

  /** How many mappings there are. */
  get count(): number {
    return this.#areas.length;
  }

  /** Puts memory at a new address; an area may be longer than what is in it, as that of a file. */
  map(
    memory: ModelMemory,
    offset: bigint,
    size: bigint,
    protection: number = PROT_READ | PROT_WRITE,
  ): bigint {
    const address = this.#next;
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
    let base = this.#foreign.get(view.buffer);
    if (base === undefined) {
      base = this.#nextForeign;
      this.#foreign.set(view.buffer, base);
      this.#byAddress.set(base, new WeakRef(view.buffer));
      this.#nextForeign += (BigInt(view.buffer.byteLength) + 2n * PAGE - 1n) / PAGE * PAGE;
    }
    return base + BigInt(view.byteOffset);
  }

  /** Whether every byte of a range is there, and may be used so. */
  has(address: bigint, size: bigint, use: Use = "read"): boolean {
    return this.#reach(address, size, use) === size;
  }

  /** Copies from an address; false, as EFAULT, if not all of it is there. */
  read(address: bigint, into: Uint8Array): boolean {
    return this.#copy(address, into, "read");
  }

  /** Copies to an address, as far as it can; false, as EFAULT, if not all of it can be written. */
  write(address: bigint, from: Uint8Array): boolean {
    return this.#copy(address, from, "write");
  }

  #copy(address: bigint, bytes: Uint8Array, use: Use): boolean {
    const foreign = this.#findForeign(address, BigInt(bytes.length));
    if (foreign !== undefined) {
      if (use === "write") foreign.set(bytes);
      else bytes.set(foreign);
      return true;
    }
    const length = Number(this.#reach(address, BigInt(bytes.length), use));
    const area = this.#find(address);
    if (area !== undefined && length > 0) {
      const at = area.offset + address - area.address;
      const part = bytes.subarray(0, length);
      if (use === "write") area.memory.write(at, part);
      else area.memory.read(at, part);
    }
    return length === bytes.length;
  }

  /** How many bytes from an address on can be used, at most `size`. */
  #reach(address: bigint, size: bigint, use: Use): bigint {
    if (this.#findForeign(address, size) !== undefined) return size;
    const area = this.#find(address);
    if (area === undefined) return 0n;
    const need = use === "write" ? PROT_WRITE : PROT_READ;
    if ((area.protection & need) === 0) return 0n;
    // A file's last page is there as a whole, and nothing behind it.
    const inside = (area.memory.size + PAGE - 1n) / PAGE * PAGE - area.offset;
    const end = area.address + (inside < area.size ? inside : area.size);
    const rest = end > address ? end - address : 0n;
    return rest < size ? rest : size;
  }

  #find(address: bigint): Area | undefined {
    return this.#areas.find((area) =>
      area.address <= address && address < area.address + area.size
    );
  }

  #findForeign(address: bigint, size: bigint): Uint8Array | undefined {
    for (const [base, reference] of this.#byAddress) {
      const buffer = reference.deref();
      if (buffer === undefined) this.#byAddress.delete(base);
      else if (base <= address && address + size <= base + BigInt(buffer.byteLength)) {
        return new Uint8Array(buffer, Number(address - base), Number(size));
      }
    }
    return undefined;
  }
}
