/**
 * QEMU's educational device, driven through the public API: registers, a factorial unit, DMA through
 * a buffer of 4096 bytes, and an interrupt.
 *
 * @see docs/specs/edu.rst of QEMU
 */

import type { Device, Group, Region } from "../../../mod.ts";

/** Registers of BAR 0. */
export const REGISTER = {
  id: 0x00,
  liveness: 0x04,
  factorial: 0x08,
  status: 0x20,
  irqStatus: 0x24,
  irqRaise: 0x60,
  irqAck: 0x64,
  dmaSource: 0x80,
  dmaDestination: 0x88,
  dmaCount: 0x90,
  dmaCommand: 0x98,
} as const;

/** What the id register reads: version 1.0 of edu. */
export const EDU_ID = 0x010000ed;

/** Where the device's own buffer lies in its addresses. */
const BUFFER = 0x40000;
const RUN = 1;
const TO_MEMORY = 2;
const RAISE = 4;
/** The bit of the interrupt status that the end of a DMA raises. */
export const DMA_DONE = 0x100;

const COMMAND = 4; //  offset of the command register in configuration space
const MEMORY = 2; //   answers on its BARs
const MASTER = 4; //   may do DMA and send MSI

/** One DMA: `count` bytes, at `place` in the device's buffer. */
export interface Transfer {
  iova: bigint;
  count: number;
  place?: number;
  /** Raise the interrupt at the end? */
  raise?: boolean;
}

/** An open edu device that may do DMA. */
export class Edu implements Disposable {
  readonly device: Device;
  /** BAR 0. */
  readonly bar: Region;
  /** The configuration space. */
  readonly config: Region;

  constructor(group: Group, name?: string) {
    using stack = new DisposableStack();
    this.device = stack.use(group.device(name));
    this.bar = this.device.region(0);
    this.config = this.device.region(7);
    this.command(MEMORY | MASTER);
    stack.move();
  }

  /** Sets the command register. */
  command(bits: number): void {
    this.config.write(COMMAND, Uint8Array.of(bits & 0xff, bits >> 8));
  }

  /** Lets the device read memory into its buffer. */
  fromMemory(transfer: Transfer): Promise<void> {
    return this.#run(Number(transfer.iova), BUFFER + (transfer.place ?? 0), transfer, 0);
  }

  /** Lets the device write its buffer into memory. */
  toMemory(transfer: Transfer): Promise<void> {
    return this.#run(BUFFER + (transfer.place ?? 0), Number(transfer.iova), transfer, TO_MEMORY);
  }

  async #run(source: number, destination: number, transfer: Transfer, way: number): Promise<void> {
    this.bar.write32(REGISTER.dmaSource, source);
    this.bar.write32(REGISTER.dmaDestination, destination);
    this.bar.write32(REGISTER.dmaCount, transfer.count);
    const raise = transfer.raise === true ? RAISE : 0;
    this.bar.write32(REGISTER.dmaCommand, RUN | way | raise);
    // The device waits 100 ms of its own before it moves anything.
    await until(() => (this.bar.read32(REGISTER.dmaCommand) & RUN) === 0, "DMA ends");
  }

  [Symbol.dispose](): void {
    this.device[Symbol.dispose]();
  }
}

/** Waits until something is so; gives up only where it never will be. */
export async function until(done: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 5000; i += 1) {
    if (done()) return;
    await new Promise((go) => setTimeout(go, 5));
  }
  throw new Error(`waited in vain until ${what}`);
}
