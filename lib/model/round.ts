import { VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP } from "../uapi/flag.ts";
import { dirty_bitmap_get_request } from "../uapi/type1.ts";
import type { ContainerFile } from "./container.ts";
import type { IoctlArgument } from "./file.ts";

/**
 * Tells when a script begins to read dirty pages anew. The model has no clock: its devices work then,
 * so that a run gives the same result each time.
 */
export class Round {
  readonly #ends = new WeakMap<ContainerFile, bigint>();

  /** Whether a request is a read that does not go on behind the last one. */
  begins(container: ContainerFile, argument: IoctlArgument): boolean {
    if (!(argument instanceof Uint8Array)) return false;
    if (argument.length < dirty_bitmap_get_request.size) return false;
    const { flags, iova, size } = dirty_bitmap_get_request.over(argument).fields;
    if (flags !== VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP) return false;
    const last = this.#ends.get(container);
    this.#ends.set(container, iova + size);
    return last === undefined || iova < last;
  }
}
