/**
 * What the objects of an iommufd have in common: an id in one file, made and destroyed by requests.
 *
 * @module
 */

import { check } from "../base/error.ts";
import type { Kernel } from "../sys/kernel.ts";
import { iommu_destroy } from "../uapi/iommufd.ts";
import { IOMMU_DESTROY } from "../uapi/request.ts";
import { explainDestroy } from "./explain.ts";
import type { PinRecorder } from "./recorder.ts";

/** The file that requests go to. */
export interface IommufdFile {
  /** What answers the system calls. */
  readonly kernel: Kernel;
  /** The number of the file, while it is open. */
  readonly fd: number;
  /** What writes the ledger, if one is kept. */
  recorder?: PinRecorder | undefined;
}

/** A thing that the kernel knows by a number within one iommufd. */
export interface IommufdObject {
  /** The number. */
  readonly id: number;
}

/** Asks for the request `operation`; `fill` sets what the struct holds besides its size. */
export function request<T extends { size: number }>(
  file: IommufdFile,
  [number, operation]: readonly [number, string],
  struct: { readonly bytes: Uint8Array; readonly fields: T },
  action: string,
  explain?: (errno: number) => string | undefined,
): void {
  struct.fields.size = struct.bytes.byteLength;
  const result = file.kernel.ioctlBuffer(file.fd, number, struct.bytes);
  check(result, operation, action, explain);
}

/**
 * Destroys an object.
 *
 * @throws {VfioError} EBUSY while another object uses it, ENOENT if there is none of this id.
 * @see drivers/iommu/iommufd/main.c, iommufd_object_remove
 */
export function destroy(file: IommufdFile, { id }: IommufdObject, what: string): void {
  const struct = iommu_destroy.create();
  struct.fields.id = id;
  const operation = [IOMMU_DESTROY, "IOMMU_DESTROY"] as const;
  request(file, operation, struct, `destroy ${what}`, explainDestroy);
}

/** What belongs to an object and goes before it, the youngest first. */
export class Parts implements Disposable {
  readonly #parts = new Set<Disposable>();

  /** Adds a part. */
  add(part: Disposable): void {
    this.#parts.add(part);
  }

  /** Takes a part out that is gone by itself. */
  delete(part: Disposable): void {
    this.#parts.delete(part);
  }

  /** How many there are. */
  get size(): number {
    return this.#parts.size;
  }

  /** The parts, the oldest first. */
  [Symbol.iterator](): Iterator<Disposable> {
    return this.#parts.values();
  }

  /** Disposes what is left. */
  [Symbol.dispose](): void {
    using stack = new DisposableStack();
    stack.defer(() => this.#parts.clear()); // at the end, also after a failure
    for (const part of this.#parts) stack.use(part);
  }
}
