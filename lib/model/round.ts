import type { Extent } from "../base/extent.ts";
import { VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP } from "../uapi/flag.ts";
import { vfio_iommu_type1_dirty_bitmap } from "../uapi/proposal_v9.ts";
import { dirty_bitmap_get_request } from "../uapi/type1.ts";
import type { ContainerFile } from "./container.ts";
import type { IoctlArgument } from "./file.ts";

function rangeOf(argument: IoctlArgument): Extent | undefined {
  if (!(argument instanceof Uint8Array)) return undefined;
  if (argument.length < dirty_bitmap_get_request.size) return undefined;
  const { flags, iova, size } = dirty_bitmap_get_request.over(argument).fields;
  return flags === VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP ? { iova, size } : undefined;
}

function rangeV9Of(argument: IoctlArgument): Extent | undefined {
  if (!(argument instanceof Uint8Array)) return undefined;
  if (argument.length < vfio_iommu_type1_dirty_bitmap.size) return undefined;
  const { iova, size } = vfio_iommu_type1_dirty_bitmap.over(argument).fields;
  return { iova, size };
}

/**
 * Tells when the devices of the model work. It has no clock: time passes for it while a script waits,
 * and a device does its next piece of work when dirty pages are read from the beginning after that. So
 * a run gives the same result each time.
 */
export class Round {
  readonly #ends = new WeakMap<object, bigint>();
  #hasWaited = true;

  /** Whether a request is a read from the beginning, and the script has waited since the last. */
  begins(container: ContainerFile, argument: IoctlArgument): boolean {
    const range = container.iommu?.proposal === undefined ? rangeOf(argument) : rangeV9Of(argument);
    return range !== undefined && this.beginsAt(container, range);
  }

  /** The same of what is read in ranges, whatever it is. */
  beginsAt(read: object, { iova, size }: Extent): boolean {
    const last = this.#ends.get(read);
    this.#ends.set(read, iova + size);
    if (!this.#hasWaited || (last !== undefined && iova >= last)) return false;
    this.#hasWaited = false;
    // Runs as soon as the script awaits anything.
    queueMicrotask(() => this.#hasWaited = true);
    return true;
  }
}
