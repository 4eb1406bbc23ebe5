import { VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP } from "../uapi/flag.ts";
import { dirty_bitmap_get_request } from "../uapi/type1.ts";
import type { ContainerFile } from "./container.ts";
import type { IoctlArgument } from "./file.ts";

/**
 * Tells when the devices of the model work. It has no clock: time passes for it while a script waits,
 * and a device does its next piece of work when dirty pages are read from the beginning after that. So
 * a run gives the same result each time.
 */
export class Round {
  readonly #ends = new WeakMap<ContainerFile, bigint>();
  #hasWaited = true;

  /** Whether a request is a read from the beginning, and the script has waited since the last. */
  begins(container: ContainerFile, argument: IoctlArgument): boolean {
    if (!(argument instanceof Uint8Array)) return false;
    if (argument.length < dirty_bitmap_get_request.size) return false;
    const { flags, iova, size } = dirty_bitmap_get_request.over(argument).fields;
    if (flags !== VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP) return false;
    const last = this.#ends.get(container);
    this.#ends.set(container, iova + size);
    if (!this.#hasWaited || (last !== undefined && iova >= last)) return false;
    this.#hasWaited = false;
    // Runs as soon as the script awaits anything.
    queueMicrotask(() => this.#hasWaited = true);
    return true;
  }
}
