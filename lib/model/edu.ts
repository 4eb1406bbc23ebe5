import type { ModelMemory } from "./memory.ts";
import type { RegionPart } from "./device_part.ts";
import type { Type1 } from "./type1.ts";

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
const COMMAND_REGISTER = 4;
const BUS_MASTER = 4;

/** QEMU's edu device: it computes factorials, and copies between memory and a buffer of its own. */
export class EduDevice implements RegionPart {
  /** Bytes of its BAR 0. */
  readonly size = 1 << 20;
  /** Registers are no plain memory. */
  readonly memory: ModelMemory | undefined = undefined;
  readonly #iommu: () => Type1 | undefined;
  readonly #config: RegionPart;
  readonly #interrupt: () => void;
  readonly #buffer = new Uint8Array(BUFFER_SIZE);
  readonly #registers = new Map<number, bigint>();

  /** A device after power-on; its DMA goes through the IOMMU that the container has then. */
  constructor(iommu: () => Type1 | undefined, config: RegionPart, interrupt: () => void) {
    this.#iommu = iommu;
    this.#config = config;
    this.#interrupt = interrupt;
  }

  /** Back to power-on. */
  reset(): void {
    this.#registers.clear();
    this.#buffer.fill(0);
  }

  /** Reads a register of 4 or 8 bytes. */
  read(offset: number, into: Uint8Array): void {
    const value = offset === IDENT ? BigInt(IDENTITY) : this.#registers.get(offset) ?? 0n;
    for (let i = 0; i < into.length; i += 1) into[i] = Number(value >> BigInt(8 * i) & 0xffn);
  }

  /** Writes a register of 4 or 8 bytes, and does what it asks for. */
  write(offset: number, from: Uint8Array): void {
    let value = 0n;
    from.forEach((byte, i) => value |= BigInt(byte) << BigInt(8 * i));
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
    if (inside && this.#isBusMaster()) {
      // An address that is not mapped is a fault of the IOMMU: nothing is transferred. Type1 does
      // not see the writes of a real device, so that no page is marked.
      const part = this.#buffer.subarray(own, own + count);
      this.#iommu()?.access(iova, part, toMemory, false);
    }
    this.#set(DMA_COMMAND, BigInt(command & ~DMA_RUN));
    if ((command & DMA_INTERRUPT) !== 0) this.#raise(BigInt(DMA_IRQ));
  }

  #isBusMaster(): boolean {
    const command = new Uint8Array(2);
    this.#config.read(COMMAND_REGISTER, command);
    return (command[0]! & BUS_MASTER) !== 0;
  }
}

/** In 32 bits, as the device computes it. */
function factorial(of: bigint): bigint {
  let result = 1n;
  for (let i = 2n; i <= of && i < 64n; i += 1n) result = result * i & 0xffff_ffffn;
  return result;
}
