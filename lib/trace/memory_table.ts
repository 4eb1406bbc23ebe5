import {
  MAP_ANONYMOUS,
  MAP_HUGETLB,
  MAP_NORESERVE,
  PROT_READ,
  PROT_WRITE,
} from "../sys/constant.ts";
import type { Kernel } from "../sys/kernel.ts";

/** A file that memory may lie in. */
export interface BackingFile {
  /** Bytes, where that is known: a look past the end would end the process. */
  size?: bigint;
}

/** Memory that the script has, by the number that the trace gives it. */
export interface TracedMemory {
  readonly id: number;
  readonly address: bigint;
  readonly length: bigint;
}

/** Where an address leads. */
export interface Place {
  readonly memory: TracedMemory;
  readonly offset: bigint;
}

interface Area extends TracedMemory {
  readonly writable: boolean;
  /** How much of it, from the start, may be looked at just now. */
  readonly readable: () => bigint;
  /** Parts that were unmapped: first byte, and one past the last. */
  readonly holes: [bigint, bigint][];
  /** The script's own view: never kept alive from here. */
  view?: WeakRef<ArrayBufferLike>;
  /** It is memory of the script itself, and gone when nobody holds it. */
  readonly lent?: true;
}

/** What an mmap was asked for. */
export interface MmapArguments {
  readonly length: bigint;
  readonly protection: number;
  readonly flags: number;
  readonly offset: bigint;
  /** The file behind it. */
  readonly file: BackingFile | undefined;
}

const overlaps = (area: TracedMemory, address: bigint, length: bigint): boolean =>
  area.address < address + length && address < area.address + area.length;

/** The memory of a script that is traced: which addresses mean what, and what stands there. */
export class MemoryTable {
  readonly #kernel: Kernel;
  readonly #areas: Area[] = [];
  #last = 0;

  /** Knows no memory yet. */
  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Notes what mmap gave. */
  map(address: bigint, given: MmapArguments): TracedMemory {
    const readable = readableOf(given);
    const writable = (given.protection & PROT_WRITE) !== 0;
    const { length } = given;
    return this.#add({ id: this.#next(), address, length, readable, writable, holes: [] });
  }

  /**
   * Notes memory of the script itself.
   *
   * @returns It, and whether it is new here.
   */
  lend(view: Uint8Array, address: bigint): { memory: TracedMemory; isNew: boolean } {
    const length = BigInt(view.buffer.byteLength);
    const start = address - BigInt(view.byteOffset);
    const known = this.#areas.find((area) => overlaps(area, address, 1n));
    const same = known?.lent !== true || known.view?.deref() === view.buffer;
    if (known !== undefined && same) return { memory: known, isNew: false };
    const reference = new WeakRef(view.buffer);
    const readable = (): bigint => BigInt(reference.deref()?.byteLength ?? 0);
    const place = { id: this.#next(), address: start, length };
    const memory = { ...place, readable, writable: true, holes: [], view: reference };
    return { memory: this.#add({ ...memory, lent: true }), isNew: true };
  }

  #next(): number {
    this.#last += 1;
    return this.#last;
  }

  #add(area: Area): Area {
    // What lay there before is gone: an address is only given once.
    for (let i = this.#areas.length - 1; i >= 0; i -= 1) {
      if (overlaps(this.#areas[i]!, area.address, area.length)) this.#areas.splice(i, 1);
    }
    this.#areas.push(area);
    return area;
  }

  /** Remembers the script's own view of memory. */
  viewed(address: bigint, view: ArrayBuffer): void {
    const area = this.#areas.find((one) => one.address === address);
    if (area !== undefined && BigInt(view.byteLength) === area.length) {
      area.view = new WeakRef(view);
    }
  }

  /** Notes that a range is gone. */
  unmap(address: bigint, length: bigint): void {
    for (let i = this.#areas.length - 1; i >= 0; i -= 1) {
      const area = this.#areas[i]!;
      if (!overlaps(area, address, length)) continue;
      const [from, to] = [address - area.address, address + length - area.address];
      if (from <= 0n && to >= area.length) this.#areas.splice(i, 1);
      else area.holes.push([from, to]);
    }
  }

  /** Where an address leads, if it is memory that is still there. */
  find(address: bigint): Place | undefined {
    const area = this.#areas.find((one) => overlaps(one, address, 1n));
    return area === undefined || isGone(area) ? undefined : placeIn(area, address);
  }

  /** The same for memory that is about to be unmapped: its view was detached before. */
  findLast(address: bigint): Place | undefined {
    const area = this.#areas.find((one) => overlaps(one, address, 1n));
    return area === undefined ? undefined : placeIn(area, address);
  }

  /** Whether all of a range is memory that is still there. */
  covers(address: bigint, length: bigint): boolean {
    const area = this.#areas.find((one) => overlaps(one, address, 1n));
    return area !== undefined && !isGone(area) && isWhole(area, address, length);
  }

  /**
   * Copies what stands at an address.
   *
   * @returns Undefined where looking could fault: outside, in a hole, past a file's end.
   */
  peek(address: bigint, length: bigint): Uint8Array<ArrayBuffer> | undefined {
    return this.#part(address, length, false)?.slice();
  }

  /** Writes to an address; false where that could fault. */
  poke(address: bigint, bytes: Uint8Array): boolean {
    const part = this.#part(address, BigInt(bytes.length), true);
    part?.set(bytes);
    return part !== undefined;
  }

  /** The bytes themselves: whoever gets them lets go of them before the next call. */
  #part(address: bigint, length: bigint, writes: boolean): Uint8Array | undefined {
    const area = this.#areas.find((one) => overlaps(one, address, 1n));
    if (area === undefined || isGone(area) || !isWhole(area, address, length)) return undefined;
    const offset = address - area.address;
    if (offset + length > area.readable() || (writes && !area.writable)) return undefined;
    const own = area.view?.deref();
    const [start, count] = [Number(offset), Number(length)];
    if (own !== undefined) return new Uint8Array(own, start, count);
    return count === 0 ? new Uint8Array(0) : viewPart(this.#kernel, area, start, count);
  }
}

/** A part of mmap'd memory; undefined where a kernel can show only the whole, and that is too large. */
function viewPart(
  kernel: Kernel,
  area: TracedMemory,
  start: number,
  count: number,
): Uint8Array<ArrayBuffer> | undefined {
  try {
    return new Uint8Array(kernel.viewOf(area.address + BigInt(start), count));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  try {
    return new Uint8Array(kernel.viewOf(area.address, Number(area.length)), start, count);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return undefined;
  }
}

function isWhole(area: Area, address: bigint, length: bigint): boolean {
  const offset = address - area.address;
  const end = offset + length;
  return end <= area.length && !area.holes.some(([from, to]) => from < end && offset < to);
}

function placeIn(area: Area, address: bigint): Place | undefined {
  const offset = address - area.address;
  if (area.holes.some(([from, to]) => from <= offset && offset < to)) return undefined;
  return { memory: area, offset };
}

/** Whether nobody can reach it any more, or its one view was detached because it is about to go. */
function isGone({ view, lent }: Area): boolean {
  const own = view?.deref();
  return own === undefined ? lent === true : own.byteLength === 0;
}

function readableOf(given: MmapArguments): () => bigint {
  const { length, protection, flags, offset, file } = given;
  if ((protection & PROT_READ) === 0) return () => 0n;
  // Huge pages that are not reserved may be missing when they are touched.
  if ((flags & MAP_HUGETLB) !== 0 && (flags & MAP_NORESERVE) !== 0) return () => 0n;
  if ((flags & MAP_ANONYMOUS) !== 0) return () => length;
  return () => file?.size === undefined || file.size < offset ? 0n : file.size - offset;
}
