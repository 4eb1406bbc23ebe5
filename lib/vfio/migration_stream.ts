import { given } from "../base/argument.ts";
import { ERRNO } from "../base/errno.ts";
import { check, VfioError } from "../base/error.ts";
import type { Kernel } from "../sys/kernel.ts";
import { OwnedFd } from "../sys/owned_fd.ts";
import { vfio_precopy_info } from "../uapi/feature.ts";
import { VFIO_MIG_GET_PRECOPY_INFO } from "../uapi/request.ts";

/** How much is left to read before the device is stopped. */
export interface PrecopyInfo {
  /** Bytes that the other side should have before the device is stopped. */
  readonly initialBytes: bigint;
  /** Bytes that have changed since they were read. */
  readonly dirtyBytes: bigint;
}

/** What a stream comes from. */
interface StreamInit {
  readonly kernel: Kernel;
  readonly fd: number;
  readonly device: string;
  readonly direction: "save" | "load";
}

/** Set by the class, for this module alone. */
let make: (init: StreamInit) => MigrationStream;

/** Bytes of one read. */
const CHUNK = 1 << 20;

/**
 * The data of a migration: the state of a device, as its driver writes it. A change of state opens it,
 * dispose closes it. The driver ends it when the device leaves the states that it belongs to.
 *
 * @see include/uapi/linux/vfio.h, VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE
 */
export class MigrationStream implements Disposable {
  /** The device, as sysfs names it. */
  readonly device: string;
  /** "save": it is read; "load": it is written. */
  readonly direction: "save" | "load";
  readonly #kernel: Kernel;
  readonly #file: OwnedFd;
  #atEnd = false;

  static {
    make = (init) => new MigrationStream(init);
  }

  private constructor({ kernel, fd, device, direction }: StreamInit) {
    this.device = device;
    this.direction = direction;
    this.#kernel = kernel;
    this.#file = new OwnedFd(kernel, fd, `the migration data of ${device}`);
  }

  /** The file, while it is open. */
  get fd(): number {
    return this.#file.fd;
  }

  /** Whether all was read: nothing more can come. */
  get isAtEnd(): boolean {
    return this.#atEnd;
  }

  /**
   * Reads until nothing is left for now: in `stop-copy` that is the end, in `pre-copy` more may come,
   * as the device changes.
   *
   * @param chunk Most bytes of a piece.
   * @returns The pieces, each in memory of its own.
   * @throws {VfioError} ENODEV, if the device has left the states that the stream belongs to.
   */
  *chunks(chunk: number = CHUNK): Generator<Uint8Array<ArrayBuffer>, void> {
    this.#expect("save", "read");
    if (!Number.isSafeInteger(chunk) || chunk < 1) {
      throw new RangeError(`A piece has a whole number of at least 1 bytes; got ${given(chunk)}`);
    }
    const into = new Uint8Array(chunk);
    for (;;) {
      const read = this.#kernel.read(this.fd, into);
      if (read === -ERRNO.ENOMSG) return;
      check(read, "read", `read the migration data of ${this.device}`, explain);
      if (read === 0) {
        this.#atEnd = true;
        return;
      }
      yield into.slice(0, read);
    }
  }

  /** Reads as {@link chunks} does, all in one piece. */
  readAll(): Uint8Array<ArrayBuffer> {
    const pieces = [...this.chunks()];
    const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const piece of pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  }

  /**
   * Writes data that was read from another device of the same kind.
   *
   * @throws {TypeError} If it is no Uint8Array.
   * @throws {VfioError} EINVAL, if the driver finds that it is no state of such a device; ENOSPC, if
   *   it takes no more.
   */
  write(bytes: Uint8Array): void {
    this.#expect("load", "write");
    if (!(bytes instanceof Uint8Array)) {
      throw new TypeError(`bytes must be a Uint8Array; got ${given(bytes)}`);
    }
    const action = `write the migration data of ${this.device}`;
    for (let at = 0; at < bytes.length;) {
      const written = this.#kernel.write(this.fd, bytes.subarray(at));
      if (written === 0) {
        const hint = `its driver takes no more than ${at} of ${bytes.length} bytes`;
        throw new VfioError({ operation: "write", errno: ERRNO.ENOSPC, action, hint });
      }
      at += check(written, "write", action, explain);
    }
  }

  /**
   * Tells how much there is to read while the device runs on.
   *
   * @throws {VfioError} EINVAL, when the device is not in `pre-copy`; ENOTTY, if it never is.
   * @see include/uapi/linux/vfio.h, VFIO_MIG_GET_PRECOPY_INFO
   */
  precopyInfo(): PrecopyInfo {
    this.#expect("save", "ask how much is left of");
    const { bytes, fields } = vfio_precopy_info.create();
    fields.argsz = vfio_precopy_info.size;
    check(
      this.#kernel.ioctlBuffer(this.fd, VFIO_MIG_GET_PRECOPY_INFO, bytes),
      "VFIO_MIG_GET_PRECOPY_INFO",
      `ask how much is left of the migration data of ${this.device}`,
      (errno) => errno === ERRNO.EINVAL ? "the device is not in a state pre-copy" : explain(errno),
    );
    return { initialBytes: fields.initial_bytes, dirtyBytes: fields.dirty_bytes };
  }

  #expect(direction: "save" | "load", verb: string): void {
    if (this.direction === direction) return;
    const why = direction === "save"
      ? "it loads a state, and is written"
      : "it saves a state, and is read";
    throw new TypeError(`Cannot ${verb} the migration data of ${this.device}: ${why}`);
  }

  /** Closes the file; twice does nothing. The device's state stays as it is. */
  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}

function explain(errno: number): string | undefined {
  switch (errno) {
    case ERRNO.ENODEV:
      return "the device has left the states that this stream belongs to";
    case ERRNO.EINVAL:
      return "its driver does not know this as a state of such a device";
    case ERRNO.ENOTTY:
      return "the device cannot be saved while it runs";
    default:
      return undefined;
  }
}

/** Takes over the file that a change of state has opened. */
export function adoptStream(init: StreamInit): MigrationStream {
  return make(init);
}
