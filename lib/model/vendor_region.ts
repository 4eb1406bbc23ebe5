import { ERRNO } from "../base/errno.ts";
import type { Process } from "./process.ts";
import type { RegionPart } from "./region_part.ts";
import { AT, DATA, FLAG, LOG, MAGIC, OP, REGION_SIZE } from "./vendor_layout.ts";
import type { PinningDriver } from "./pinning_driver.ts";

const RIGHTS = FLAG.PROT_READ | FLAG.PROT_WRITE;
/** Most pages of one vfio_pin_pages that the driver tries. */
const ONE_CALL_MAX = 1024n;

/** The command region: what is read from it, and what a write makes the driver do. */
export class CommandRegion implements RegionPart {
  readonly size: number = REGION_SIZE;
  readonly canMap = false;
  readonly #driver: PinningDriver;
  readonly #bytes = new Uint8Array(REGION_SIZE);
  readonly #view = new DataView(this.#bytes.buffer);
  #unmaps = 0n;
  #returned = 0n;

  /** The region of a driver. */
  constructor(driver: PinningDriver) {
    this.#driver = driver;
    this.reset();
  }

  /** As after loading: the next user finds nothing of the last one. */
  reset(): void {
    this.#bytes.fill(0);
    this.#unmaps = 0n;
    this.#returned = 0n;
    this.#view.setUint32(AT.magic, MAGIC, true);
    this.#view.setUint32(AT.logSize, LOG, true);
  }

  /** Notes a callback dma_unmap, and how many pages it gave back. */
  noteUnmap(iova: bigint, size: bigint, pages: number): void {
    const at = AT.log + Number(this.#unmaps % BigInt(LOG)) * 16;
    this.#view.setBigUint64(at, iova, true);
    this.#view.setBigUint64(at + 8, size, true);
    this.#unmaps += 1n;
    this.#returned += BigInt(pages);
  }

  /** Reads what lies whole inside the region. */
  read(offset: number, into: Uint8Array): number {
    if (offset + into.length > REGION_SIZE) return -ERRNO.EINVAL;
    const { pages, pins } = this.#driver.pinned;
    this.#view.setBigUint64(AT.pinned, BigInt(pages), true);
    this.#view.setBigUint64(AT.pins, BigInt(pins), true);
    this.#view.setBigUint64(AT.unmaps, this.#unmaps, true);
    this.#view.setBigUint64(AT.returned, this.#returned, true);
    into.set(this.#bytes.subarray(offset, offset + into.length));
    return into.length;
  }

  /** Writes the command or the data; a write that ends with the doorbell runs the command. */
  write(offset: number, from: Uint8Array, current: Process): number {
    const end = offset + from.length;
    const inCommand = end <= AT.result;
    if (!inCommand && (offset < AT.data || end > REGION_SIZE)) return -ERRNO.EINVAL;
    this.#bytes.set(from, offset);
    if (from.length > 0 && end === AT.result) {
      this.#view.setBigInt64(AT.result, BigInt(this.#run(current)), true);
    }
    return from.length;
  }

  #run(current: Process): number {
    const op = this.#view.getUint32(AT.op, true);
    const flags = this.#view.getUint32(AT.flags, true);
    const iova = this.#view.getBigUint64(AT.iova, true);
    const length = this.#view.getBigUint64(AT.length, true);
    switch (op) {
      case OP.PIN:
        return this.#pin(iova, length, flags);
      case OP.UNPIN:
        return this.#driver.unpinAll(iova, length);
      case OP.WRITE:
      case OP.READ:
      case OP.WRITE_PINNED:
        return this.#move(op, iova, length, current);
      case OP.CLEAR:
        this.#unmaps = 0n;
        this.#returned = 0n;
        this.#bytes.fill(0, AT.log, AT.log + LOG * 16);
        return 0;
      default:
        return -ERRNO.EOPNOTSUPP;
    }
  }

  #pin(iova: bigint, pages: bigint, flags: number): number {
    const rights = flags & RIGHTS;
    if ((flags & FLAG.ONE_CALL) === 0) return this.#driver.pinBatches(iova, pages, rights);
    if (pages > ONE_CALL_MAX) return -ERRNO.EINVAL;
    return this.#driver.pinOnce(iova, Number(pages), rights);
  }

  #move(op: number, iova: bigint, length: bigint, current: Process): number {
    if (op !== OP.WRITE_PINNED && length > BigInt(DATA)) return -ERRNO.EINVAL;
    const size = length > BigInt(DATA) ? DATA + 1 : Number(length);
    const data = this.#bytes.subarray(AT.data);
    if (op === OP.WRITE_PINNED) return this.#driver.writePinned(iova, size, data);
    const part = data.subarray(0, size);
    const result = this.#driver.access(iova, part, op === OP.WRITE, current);
    return result === 0 ? size : result;
  }
}
