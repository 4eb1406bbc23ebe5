import {
  MAP_ANONYMOUS,
  MAP_HUGETLB,
  MAP_NORESERVE,
  MAP_PRIVATE,
  MAP_SHARED,
  PROT_READ,
  PROT_WRITE,
} from "../sys/constant.ts";
import type { Kernel, ViewAddress } from "../sys/kernel.ts";
import { unpackBytes } from "./bytes.ts";
import { type BackingFile, MemoryTable, type TracedMemory } from "./memory_table.ts";
import type { AddressRecord, MmapRecord, MunmapRecord, PointerRecord } from "./record.ts";

const PAGE = 4096n;
/** Below it no process has memory (vm.mmap_min_addr). */
const LOWEST = 0x1_0000n;
/** From there on addresses are the kernel's, or none at all. */
const TOP = 1n << 47n;
/** An address that faults. */
const NOWHERE = 0x1000n;

// MAP_LOCKED and MAP_POPULATE besides those that are named; a fixed place would hit other memory.
const FLAGS = MAP_SHARED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_HUGETLB | 0xa000 |
  0x3f << 26;
const PROTECTIONS = 7;

/** The memory of a trace, taken again; given back at the end. */
export class ReplayMemory implements Disposable {
  readonly #kernel: Kernel;
  readonly #table: MemoryTable;
  readonly #areas = new Map<number, TracedMemory>();
  /** What keeps lent memory alive. */
  readonly #owners: ViewAddress[] = [];
  readonly #standIns: TracedMemory[] = [];

  /** Has no memory yet. */
  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.#table = new MemoryTable(kernel);
  }

  /** mmap again, on the descriptor that stands for the recorded one. */
  map(record: MmapRecord, fd: number, file: BackingFile | undefined): number {
    const flags = record.flags & FLAGS;
    const protection = record.protection & PROTECTIONS;
    const [length, offset] = [BigInt(record.length), BigInt(record.offset)];
    const address = this.#kernel.mmap(length, protection, flags, fd, offset);
    if (typeof address === "number") return address;
    const area = this.#table.map(address, { length, protection, flags, offset, file });
    if (record.memory === undefined) this.#standIns.push(area);
    else this.#areas.set(record.memory, area);
    return 0;
  }

  /** Lends memory of this process in place of the script's. */
  lend(record: AddressRecord): void {
    const view = this.#kernel.allocate(Number(record.length));
    const given = this.#kernel.addressOf(view);
    this.#owners.push(given);
    this.#areas.set(record.memory, this.#table.lend(view, given.address).memory);
  }

  /** munmap again; undefined where the trace does not say what. */
  unmap(record: MunmapRecord): number | undefined {
    const area = record.memory === undefined ? undefined : this.#areas.get(record.memory);
    if (area === undefined || record.memory === undefined) return undefined;
    const address = area.address + BigInt(record.offset ?? "0x0");
    const length = BigInt(record.length);
    if (!this.#table.covers(address, length)) return undefined;
    const result = this.#kernel.munmap(address, length);
    if (result < 0) return result;
    this.#table.unmap(address, length);
    if (length === area.length) this.#areas.delete(record.memory);
    return result;
  }

  /**
   * The address that stands for a recorded pointer. It never leads into memory of this process that
   * is not the trace's own: a kernel or a device would write there.
   *
   * @param literal The address in the trace.
   * @param result What the call gave: where it went well, something must be there.
   * @returns Undefined where the memory could not be had.
   */
  resolve(pointer: PointerRecord, literal: bigint, result: number): bigint | undefined {
    const length = BigInt(pointer.length);
    if (pointer.memory !== undefined) {
      const area = this.#areas.get(pointer.memory);
      const address = (area?.address ?? 0n) + BigInt(pointer.offset ?? "0x0");
      if (area !== undefined && this.#table.covers(address, length)) return address;
    }
    if (literal < LOWEST || literal >= TOP) return literal;
    if (result < 0) return NOWHERE + literal % PAGE;
    const standIn = this.#standIn(length + literal % PAGE);
    return standIn === undefined ? undefined : standIn.address + literal % PAGE;
  }

  /** Memory for a pointer that led where the trace knows nothing. */
  #standIn(bytes: bigint): TracedMemory | undefined {
    const length = (bytes + PAGE - 1n) / PAGE * PAGE || PAGE;
    const protection = PROT_READ | PROT_WRITE;
    const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    const address = this.#kernel.mmap(length, protection, flags, -1, 0n);
    if (typeof address === "number") return undefined;
    const given = { length, protection, flags, offset: 0n, file: undefined };
    const area = this.#table.map(address, given);
    this.#standIns.push(area);
    return area;
  }

  /** Puts behind a pointer what stood there before the call. */
  fill({ length, before, after }: PointerRecord, address: bigint): void {
    if (after === undefined || address < LOWEST) return;
    const bytes = new Uint8Array(Number(length));
    if (before !== undefined) bytes.set(unpackBytes(before, bytes.length));
    this.#table.poke(address, bytes);
  }

  /** What stands behind a pointer now; undefined where one cannot look. */
  look({ length }: PointerRecord, address: bigint): Uint8Array | undefined {
    return this.#table.peek(address, BigInt(length));
  }

  /** Gives all memory back that the trace did not. */
  [Symbol.dispose](): void {
    for (const { address, length } of [...this.#areas.values(), ...this.#standIns]) {
      const isLent = this.#owners.some((owner) => owner.address === address);
      if (!isLent) this.#kernel.munmap(address, length);
    }
    this.#areas.clear();
    this.#standIns.length = 0;
    this.#owners.length = 0;
  }
}
