import { ERRNO } from "../base/errno.ts";
import type { RegionPart } from "./region_part.ts";
import type { ScenePciDevice } from "./scene.ts";

const SIZE = 256;
const COMMAND = 0x04;
const STATUS = 0x06;
const BAR0 = 0x10;
const MEMORY = 2;
const MASTER = 4;
const CAPABILITY = 0x40;
const MSI_FLAGS = CAPABILITY + 2;
/** Bits that VFIO takes over from a write; all others keep their value. */
const WRITABLE: ReadonlyMap<number, number> = new Map([
  [COMMAND, 0x07],
  [COMMAND + 1, 0x05],
  [0x0c, 0xff], // cache line
  [0x0d, 0xff], // latency
  [0x3c, 0xff], // interrupt line
  ...Array.from({ length: 10 }, (_, i): [number, number] => [CAPABILITY + 4 + i, 0xff]),
]);

/**
 * The configuration space of a PCI device as vfio-pci shows it: for edu that of QEMU's device, with
 * one BAR and MSI.
 *
 * @see drivers/vfio/pci/vfio_pci_config.c
 */
export class PciConfig implements RegionPart {
  readonly size: number = SIZE;
  readonly canMap = false;
  /** Bytes of BAR 0, or 0. */
  readonly barSize: number;
  readonly #bytes = new Uint8Array(SIZE);
  readonly #view = new DataView(this.#bytes.buffer);
  readonly #device: ScenePciDevice;
  /** Whether MSI is on: then the guest may see it enabled. */
  msiOn: () => boolean = () => false;

  /** The space of a device after power-on. */
  constructor(device: ScenePciDevice, barSize: number) {
    this.#device = device;
    this.barSize = barSize;
    this.reset();
  }

  /** As firmware left it. */
  reset(): void {
    const view = this.#view;
    this.#bytes.fill(0);
    const { id, class: code, name, model } = this.#device;
    view.setUint16(0, id[0], true);
    view.setUint16(2, id[1], true);
    view.setUint16(COMMAND, 0x0103, true);
    view.setUint32(0x08, code << 8, true);
    if (model !== "edu") return;
    view.setUint16(STATUS, 0x0010, true); // there are capabilities
    view.setUint8(0x08, 0x10); // revision
    const slot = Number.parseInt(name.slice(8, 10), 16);
    view.setUint32(BAR0, 0xfe80_0000 + (slot - 15) * this.barSize, true);
    view.setUint32(0x2c, 0x1100_1af4, true); // QEMU's subsystem
    view.setUint8(0x34, CAPABILITY);
    view.setUint16(0x3c, 0x010a, true); // interrupt line 10, pin A
    view.setUint32(CAPABILITY, 0x0080_0005, true); // MSI, 64 bit
  }

  /** Whether the device may do DMA. */
  get isBusMaster(): boolean {
    return (this.#bytes[COMMAND]! & MASTER) !== 0;
  }

  /** Whether the device answers on its BARs. */
  get hasMemory(): boolean {
    return (this.#bytes[COMMAND]! & MEMORY) !== 0;
  }

  /** Reads; beyond the space there is nothing, which is EFAULT here. */
  read(offset: number, into: Uint8Array): number {
    if (offset + into.length > SIZE) return -ERRNO.EFAULT;
    into.set(this.#bytes.subarray(offset, offset + into.length));
    return into.length;
  }

  /** Writes what may be written. */
  write(offset: number, from: Uint8Array): number {
    const inside = from.subarray(0, Math.max(0, SIZE - offset));
    inside.forEach((byte, i) => this.#writeByte(offset + i, byte));
    this.#maskBar();
    return inside.length === from.length ? from.length : -ERRNO.EFAULT;
  }

  #writeByte(at: number, byte: number): void {
    const old = this.#bytes[at]!;
    const isBar = this.barSize > 0 && at >= BAR0 && at < BAR0 + 4;
    // MSI is turned on by SET_IRQS, and has one vector.
    const msi = this.msiOn() ? 0x81 : 0x80;
    const hasMsi = this.#device.model === "edu";
    const mask = isBar ? 0xff : hasMsi && at === MSI_FLAGS ? 0x8f & (msi | 0x0e) : WRITABLE.get(at);
    if (mask === undefined) return;
    this.#bytes[at] = at === MSI_FLAGS ? byte & mask : (old & ~mask) | (byte & mask);
  }

  #maskBar(): void {
    if (this.barSize === 0) return;
    const mask = ~(this.barSize - 1);
    this.#view.setUint32(BAR0, (this.#view.getUint32(BAR0, true) & mask) >>> 0, true);
  }
}
