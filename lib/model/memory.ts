/**
 * The memory of a process on the model: what mmap gave, and views of JavaScript memory that have an
 * address. Memory that nobody looked at takes no room, so that large mappings cost nothing.
 *
 * @module
 */

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
}

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

  /** Puts memory at a new address. */
  map(memory: ModelMemory, offset: bigint, size: bigint): bigint {
    const address = this.#next;
    this.#areas.push({ address, size, memory, offset });
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

  /** Whether every byte of a range is mapped. */
  has(address: bigint, size: bigint): boolean {
    return this.#find(address, size) !== undefined ||
      this.#findForeign(address, size) !== undefined;
  }

  /** Copies from an address; false, as EFAULT, if not all of it is mapped. */
  read(address: bigint, into: Uint8Array): boolean {
    return this.#copy(address, into, false);
  }

  /** Copies to an address; false, as EFAULT, if not all of it is mapped. */
  write(address: bigint, from: Uint8Array): boolean {
    return this.#copy(address, from, true);
  }

  #copy(address: bigint, bytes: Uint8Array, out: boolean): boolean {
    const area = this.#find(address, BigInt(bytes.length));
    if (area !== undefined) {
      const at = area.offset + address - area.address;
      if (out) area.memory.write(at, bytes);
      else area.memory.read(at, bytes);
      return true;
    }
    const foreign = this.#findForeign(address, BigInt(bytes.length));
    if (foreign === undefined) return false;
    if (out) foreign.set(bytes);
    else bytes.set(foreign);
    return true;
  }

  #find(address: bigint, size: bigint): Area | undefined {
    return this.#areas.find((area) =>
      area.address <= address && address + size <= area.address + area.size
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
