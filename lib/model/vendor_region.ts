import { ERRNO } from "../base/errno.ts";
import type { MigratingDevice } from "./device_migration.ts";
import type { Process } from "./process.ts";
import type { RegionPart } from "./region_part.ts";
import { AT, DATA, FLAG, LOG, MAGIC, OP, REGION_SIZE } from "./vendor_layout.ts";
import type { PinningDriver } from "./pinning_driver.ts";

const RIGHTS = FLAG.PROT_READ | FLAG.PROT_WRITE;
/** Most pages of one vfio_pin_pages that the driver tries. */
const ONE_CALL_MAX = 1024n;

/** What a stopped device does not do. */
const MOVES: ReadonlySet<number> = new Set([OP.WRITE, OP.READ, OP.WRITE_PINNED, OP.DIRTY]);
/** Most pages of 4 KiB that DIRTY takes. */
const DIRTY_MAX = 1n << 18n;

/** The command region: what is read from it, and what a write makes the driver do. */
export class CommandRegion implements RegionPart, MigratingDevice {
  readonly size: number = REGION_SIZE;
  readonly canMap = false;
  readonly #driver: PinningDriver;
  readonly #bytes = new Uint8Array(REGION_SIZE);
  readonly #view = new DataView(this.#bytes.buffer);
  /** How often the data has changed. */
  changes = 0;
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

  /** The device's own bytes: its state, as far as it migrates. */
  get data(): Uint8Array {
    return this.#bytes.subarray(AT.data);
  }

  /** Takes a state over. */
  load(data: Uint8Array): void {
    this.data.set(data);
    this.changes += 1;
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
    const { log, migration } = this.#driver;
    this.#view.setBigUint64(AT.logPage, log?.pageSize ?? 0n, true);
    this.#view.setBigUint64(AT.logDirty, BigInt(log?.dirty ?? 0), true);
    this.#view.setUint32(AT.logRanges, log?.ranges ?? 0, true);
    this.#view.setUint32(AT.state, migration?.state ?? 0, true);
    this.#view.setBigUint64(AT.path, migration?.path ?? 0n, true);
    into.set(this.#bytes.subarray(offset, offset + into.length));
    return into.length;
  }

  /** Writes the command or the data; a write that ends with the doorbell runs the command. */
  write(offset: number, from: Uint8Array, current: Process): number {
    const end = offset + from.length;
    const inCommand = end <= AT.result;
    if (!inCommand && (offset < AT.data || end > REGION_SIZE)) return -ERRNO.EINVAL;
    this.#bytes.set(from, offset);
    if (!inCommand) this.changes += 1;
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
    const { log, migration } = this.#driver;
    if (migration?.runs === false && MOVES.has(op)) return -ERRNO.EBUSY;
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
      case OP.DIRTY:
        if (length > DIRTY_MAX) return log === undefined ? -ERRNO.EOPNOTSUPP : -ERRNO.EINVAL;
        return log?.write(iova, length << 12n) ?? -ERRNO.EOPNOTSUPP;
      case OP.LOG_SIZES:
        return log?.setSizes(iova, length) ?? -ERRNO.EOPNOTSUPP;
      case OP.LOG_SPACE:
        return log?.setSpace(iova, length) ?? -ERRNO.EOPNOTSUPP;
      case OP.LOG_FAIL: {
        const errno = length > 0xffffn ? 0xffff : Number(length);
        return log?.fail(errno) ?? -ERRNO.EOPNOTSUPP;
      }
      case OP.FAIL:
        if (migration === undefined) return -ERRNO.EOPNOTSUPP;
        migration.fails = true;
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
    if (op === OP.READ && result === 0) this.changes += 1;
    return result === 0 ? size : result;
  }
}
