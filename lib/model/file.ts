import { ERRNO } from "../base/errno.ts";
import { POLLIN } from "../sys/constant.ts";
import type { AreaSource } from "./memory.ts";
import { ModelMemory } from "./model_memory.ts";
import type { Process } from "./process.ts";

/** The argument of an ioctl: none, a value, or the bytes that a pointer leads to. */
export type IoctlArgument = bigint | Uint8Array | undefined;

/** An open file of the model. What it does not have is answered as Linux does. */
export abstract class ModelFile {
  /** How many descriptors and mappings keep it open. */
  users = 0;
  /** What /proc shows as the target of a descriptor. */
  path = "anon_inode:[model]";

  /** Answers an ioctl. */
  ioctl(_request: number, _argument: IoctlArgument, _current: Process): number {
    return -ERRNO.ENOTTY;
  }

  /** Reads at an offset; without one, where the last read ended. */
  read(_into: Uint8Array, _offset: bigint | undefined): number {
    return -ERRNO.EINVAL;
  }

  /** Writes at an offset; without one, where the last write ended. */
  write(_from: Uint8Array, _offset: bigint | undefined, _current: Process): number {
    return -ERRNO.EINVAL;
  }

  /** The memory to map at an offset. */
  map(_offset: bigint, _size: bigint, _shared: boolean): AreaSource | number {
    return -ERRNO.ENODEV;
  }

  /** Changes the length. */
  truncate(_size: bigint): number {
    return -ERRNO.EINVAL;
  }

  /** Which of the wanted events are there. */
  poll(wanted: number): number {
    return wanted & POLLIN;
  }

  /** One user less; the file goes with the last. */
  drop(): void {
    this.users -= 1;
    if (this.users === 0) this.release();
  }

  /** Called when the last user is gone. */
  release(): void {}
}

/** /dev/null. */
export class NullFile extends ModelFile {
  override read(): number {
    return 0;
  }

  override write(from: Uint8Array): number {
    return from.length;
  }
}

/** A text of /proc or /sys, made when it is opened. */
export class TextFile extends ModelFile {
  readonly #bytes: Uint8Array;
  readonly #store: ((text: string) => number) | undefined;
  #position = 0;

  /** A text, and what a write does; without that it is read-only. */
  constructor(text: string, store: ((text: string) => number) | undefined) {
    super();
    this.#bytes = new TextEncoder().encode(text);
    this.#store = store;
  }

  override read(into: Uint8Array, offset: bigint | undefined): number {
    const start = offset === undefined ? this.#position : Number(offset);
    const part = this.#bytes.subarray(start, start + into.length);
    into.set(part);
    if (offset === undefined) this.#position += part.length;
    return part.length;
  }

  override write(from: Uint8Array): number {
    if (this.#store === undefined) return -ERRNO.EACCES;
    const result = this.#store(new TextDecoder().decode(from));
    return result < 0 ? result : from.length;
  }
}

/** A file without a name, for memory that is shared. */
export class MemoryFile extends ModelFile {
  #memory = new ModelMemory(0n);

  override truncate(size: bigint): number {
    this.#memory = new ModelMemory(size);
    return 0;
  }

  override map(offset: bigint): AreaSource {
    return { memory: this.#memory, offset }; //  also where it ends before the mapping does
  }

  override read(into: Uint8Array, offset: bigint | undefined): number {
    const at = offset ?? 0n;
    const length = Number(this.#memory.size - at);
    const part = into.subarray(0, Math.max(0, Math.min(length, into.length)));
    this.#memory.read(at, part);
    return part.length;
  }

  override write(from: Uint8Array, offset: bigint | undefined): number {
    const at = offset ?? 0n;
    if (at + BigInt(from.length) > this.#memory.size) return -ERRNO.EFBIG;
    this.#memory.write(at, from);
    return from.length;
  }
}

/** An eventfd: a counter that is taken as a whole. */
export class EventFile extends ModelFile {
  #count: bigint;

  /** Begins at a count. */
  constructor(initial: number) {
    super();
    this.#count = BigInt(initial);
  }

  /** Adds one event, as an interrupt does. */
  signal(): void {
    this.#count += 1n;
  }

  override read(into: Uint8Array): number {
    if (into.length < 8) return -ERRNO.EINVAL;
    if (this.#count === 0n) return -ERRNO.EAGAIN;
    new DataView(into.buffer, into.byteOffset).setBigUint64(0, this.#count, true);
    this.#count = 0n;
    return 8;
  }

  override write(from: Uint8Array): number {
    if (from.length < 8) return -ERRNO.EINVAL;
    this.#count += new DataView(from.buffer, from.byteOffset).getBigUint64(0, true);
    return 8;
  }

  override poll(wanted: number): number {
    return this.#count > 0n ? wanted & POLLIN : 0;
  }
}
