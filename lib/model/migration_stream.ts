import { ERRNO } from "../base/errno.ts";
import { vfio_precopy_info } from "../uapi/feature.ts";
import { VFIO_MIG_GET_PRECOPY_INFO } from "../uapi/request.ts";
import { type IoctlArgument, ModelFile } from "./file.ts";

/** What is saved: the device's state, and how often it has changed. */
export interface SavedState {
  readonly data: Uint8Array;
  readonly changes: number;
}

const MAGIC = 0x524e4950; // "PINR"
const DATA = 1;
const END = 2;
const HEAD = 16;

function record(kind: number, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEAD + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, kind, true);
  view.setBigUint64(8, BigInt(data.length), true);
  bytes.set(data, HEAD);
  return bytes;
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

/**
 * The data of a migration: records of the device's state, the last one without any.
 *
 * @see tests/lab/vendor/stream.c
 */
abstract class StreamFile extends ModelFile {
  override path = "anon_inode:pinscope-migration";
  /** Whether the device has left the states that the stream belongs to. */
  ended = false;
}

/** A stream that is read. */
export class SavingFile extends StreamFile {
  readonly #state: SavedState;
  readonly #hasPreCopy: boolean;
  #pending: Uint8Array = new Uint8Array();
  #changes = -1;
  /** Bytes of the first record that were not read. */
  #first: number;
  #whole = false;

  /** Begins with the state as it is now. */
  constructor(state: SavedState, hasPreCopy: boolean) {
    super();
    this.#state = state;
    this.#hasPreCopy = hasPreCopy;
    this.#append();
    this.#first = this.#pending.length;
  }

  #append(): void {
    this.#pending = join(this.#pending, record(DATA, this.#state.data));
    this.#changes = this.#state.changes;
  }

  get #hasNews(): boolean {
    return !this.#whole && this.#changes !== this.#state.changes;
  }

  get #news(): number {
    return this.#hasNews ? HEAD + this.#state.data.length : 0;
  }

  /** Adds what is new, and the end. */
  finish(): void {
    if (this.#hasNews) this.#append();
    this.#pending = join(this.#pending, record(END, new Uint8Array()));
    this.#whole = true;
  }

  /** Bytes until all is saved. */
  get left(): number {
    return this.#pending.length + this.#news + (this.#whole ? 0 : HEAD);
  }

  override read(into: Uint8Array): number {
    if (this.ended) return -ERRNO.ENODEV;
    if (this.#pending.length === 0 && this.#hasNews) this.#append();
    const part = this.#pending.subarray(0, into.length);
    if (part.length === 0) return this.#whole || into.length === 0 ? 0 : -ERRNO.ENOMSG;
    into.set(part);
    this.#pending = this.#pending.subarray(part.length);
    this.#first -= Math.min(this.#first, part.length);
    return part.length;
  }

  override write(): number {
    return -ERRNO.EBADF;
  }

  override ioctl(request: number, argument: IoctlArgument): number {
    if (this.ended) return -ERRNO.ENODEV;
    if (request !== VFIO_MIG_GET_PRECOPY_INFO || !this.#hasPreCopy) return -ERRNO.ENOTTY;
    const { size } = vfio_precopy_info;
    if (!(argument instanceof Uint8Array) || argument.length < size) return -ERRNO.EFAULT;
    const { fields } = vfio_precopy_info.over(argument);
    if (fields.argsz < size || this.#whole) return -ERRNO.EINVAL;
    fields.flags = 0;
    fields.initial_bytes = BigInt(this.#first);
    fields.dirty_bytes = BigInt(this.#pending.length - this.#first + this.#news);
    return 0;
  }
}

/** A stream that is written. */
export class LoadingFile extends StreamFile {
  readonly #size: number;
  #bytes: Uint8Array = new Uint8Array();
  #state: Uint8Array | undefined;
  #whole = false;

  /** Nothing written yet; `size` are the bytes of a state. */
  constructor(size: number) {
    super();
    this.#size = size;
  }

  /** What was written, if it is a whole state. */
  get state(): Uint8Array | undefined {
    return this.#whole ? this.#state : undefined;
  }

  override read(): number {
    return -ERRNO.EBADF;
  }

  override ioctl(): number {
    return this.ended ? -ERRNO.ENODEV : -ERRNO.ENOTTY;
  }

  override write(from: Uint8Array): number {
    if (this.ended) return -ERRNO.ENODEV;
    if (from.length === 0) return 0;
    if (this.#whole) return -ERRNO.EINVAL;
    const wanted = this.#bytes.length < HEAD ? HEAD : HEAD + this.#size;
    const part = from.slice(0, wanted - this.#bytes.length);
    this.#bytes = join(this.#bytes, part);
    if (this.#bytes.length === HEAD && !this.#head()) return -ERRNO.EINVAL;
    if (this.#bytes.length === HEAD + this.#size) {
      this.#state = this.#bytes.slice(HEAD);
      this.#bytes = new Uint8Array();
    }
    return part.length;
  }

  /** Looks at a head that is there as a whole: whether it is one. */
  #head(): boolean {
    const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset);
    const length = view.getBigUint64(8, true);
    const kind = view.getUint32(0, true) === MAGIC ? view.getUint32(4, true) : 0;
    this.#whole = kind === END && length === 0n;
    if (this.#whole || (kind === DATA && length === BigInt(this.#size))) return true;
    this.#bytes = new Uint8Array();
    this.#state = undefined;
    return false;
  }
}
