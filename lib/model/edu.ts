import type { PciConfig } from "./pci_config.ts";
import type { RegionPart } from "./region_part.ts";

// Registers of QEMU's educational device. @see QEMU docs/specs/edu.rst
const IDENT = 0x00;
const LIVENESS = 0x04;
const FACTORIAL = 0x08;
const IRQ_STATUS = 0x24;
const IRQ_RAISE = 0x60;
const IRQ_ACK = 0x64;
const DMA_SOURCE = 0x80;
const DMA_TARGET = 0x88;
const DMA_COUNT = 0x90;
const DMA_COMMAND = 0x98;
const DMA_RUN = 1;
const DMA_TO_MEMORY = 2;
const DMA_INTERRUPT = 4;
const DMA_IRQ = 0x100;
const BUFFER = 0x40000n;
const BUFFER_SIZE = 4096;
const IDENTITY = 0x0100_00ed;
/** Registers below take accesses of 4 bytes only, those above of 4 and 8. */
const WIDE = 0x80;

/** Reads or writes memory through the IOMMU that the device has then: 0, or -EFAULT for a fault. */
export type DmaAccess = (iova: bigint, bytes: Uint8Array, write: boolean) => number;

/** QEMU's edu device: it computes factorials, and copies between memory and a buffer of its own. */
export class EduDevice implements RegionPart {
  /** Bytes of its BAR 0. */
  readonly size = 1 << 20;
  readonly canMap = true;
  readonly #access: DmaAccess;
  readonly #config: PciConfig;
  readonly #interrupt: () => void;
  readonly #buffer = new Uint8Array(BUFFER_SIZE);
  readonly #registers = new Map<number, bigint>();

  /** A device after power-on. */
  constructor(access: DmaAccess, config: PciConfig, interrupt: () => void) {
    this.#access = access;
    this.#config = config;
    this.#interrupt = interrupt;
  }

  /** Whether it holds its interrupt line up. */
  get raises(): boolean {
    return this.#get(IRQ_STATUS) !== 0n;
  }

  /** Reads from the registers; of those that are not as wide nothing sensible comes. */
  read(offset: number, into: Uint8Array): number {
    forEachAccess(offset, into, (at, part) => {
      let value = at === IDENT ? BigInt(IDENTITY) : this.#get(at);
      if (part.length < 4) value = 0n;
      else if (at < WIDE && part.length !== 4) value = ~0n;
      for (let i = 0; i < part.length; i += 1) part[i] = Number(value >> BigInt(8 * i) & 0xffn);
    });
    return into.length;
  }

  /** What a mapping of the registers shows; nothing can be done through one. */
  snapshot(offset: number, into: Uint8Array): void {
    for (let at = 0; at < Math.min(into.length, WIDE - offset); at += 4) {
      this.read(offset + at, into.subarray(at, at + 4));
    }
  }

  /** Writes to the registers, and does what they ask for. */
  write(offset: number, from: Uint8Array): number {
    forEachAccess(offset, from, (at, part) => {
      if (part.length < 4 || (at < WIDE && part.length !== 4)) return;
      let value = 0n;
      part.forEach((byte, i) => value |= BigInt(byte) << BigInt(8 * i));
      this.#write(at, value);
    });
    return from.length;
  }

  #write(offset: number, value: bigint): void {
    switch (offset) {
      case IDENT:
        return;
      case LIVENESS:
        return this.#set(offset, ~value & 0xffff_ffffn);
      case FACTORIAL:
        return this.#set(offset, factorial(value));
      case IRQ_RAISE:
        return this.#raise(value);
      case IRQ_ACK:
        return this.#set(IRQ_STATUS, this.#get(IRQ_STATUS) & ~value);
      case DMA_COMMAND:
        return this.#dma(Number(value));
      default:
        return this.#set(offset, value);
    }
  }

  #get(offset: number): bigint {
    return this.#registers.get(offset) ?? 0n;
  }

  #set(offset: number, value: bigint): void {
    this.#registers.set(offset, value);
  }

  #raise(bits: bigint): void {
    this.#set(IRQ_STATUS, this.#get(IRQ_STATUS) | bits);
    this.#interrupt();
  }

  #dma(command: number): void {
    if ((command & DMA_RUN) === 0) return this.#set(DMA_COMMAND, BigInt(command));
    const toMemory = (command & DMA_TO_MEMORY) !== 0;
    const own = Number(this.#get(toMemory ? DMA_SOURCE : DMA_TARGET) - BUFFER);
    const iova = this.#get(toMemory ? DMA_TARGET : DMA_SOURCE);
    const count = Number(this.#get(DMA_COUNT));
    const inside = own >= 0 && own + count <= BUFFER_SIZE;
    if (inside && this.#config.isBusMaster) {
      // An address that is not mapped is a fault of the IOMMU: nothing is transferred.
      this.#access(iova, this.#buffer.subarray(own, own + count), toMemory);
    }
    this.#set(DMA_COMMAND, BigInt(command & ~DMA_RUN));
    if ((command & DMA_INTERRUPT) !== 0) this.#raise(BigInt(DMA_IRQ));
  }
}

/** Cuts an access to registers as VFIO does: into the widest that the address allows. */
function forEachAccess(
  offset: number,
  bytes: Uint8Array,
  access: (offset: number, part: Uint8Array) => void,
): void {
  for (let done = 0; done < bytes.length;) {
    const rest = bytes.length - done;
    const width = [8, 4, 2].find((size) => rest >= size && (offset + done) % size === 0) ?? 1;
    access(offset + done, bytes.subarray(done, done + width));
    done += width;
  }
}

/** In 32 bits, as the device computes it. */
function factorial(of: bigint): bigint {
  let result = 1n;
  for (let i = 2n; i <= of && i < 64n; i += 1n) result = result * i & 0xffff_ffffn;
  return result;
}
