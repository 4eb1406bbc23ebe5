import type { Extent } from "../base/extent.ts";
import type { DirtyWindow } from "../dirty/window.ts";
import type { HostMemory } from "../sys/memory.ts";

/**
 * What the device may do: read memory, write it, or both.
 *
 * It may not write what is only `r`. What is only `w` an IOMMU may let it read as well: Intel's
 * driver sets the bit for reading in every entry.
 *
 * @see drivers/iommu/intel/iommu.c, __domain_mapping
 */
export type Access = "r" | "w" | "rw";

/** The part of a container that a mapping talks to. */
export interface MappingOwner {
  unmap(mapping: Mapping): void;
  unmapWithBitmap(mapping: Mapping): DirtyWindow;
}

/** What a {@link Mapping} is made from. */
export interface MappingInit extends Extent {
  readonly vaddr: bigint;
  readonly access: Access;
  readonly memory: HostMemory;
  /** Keeps the memory from being given back. */
  readonly held: Disposable;
  readonly pieces: readonly Extent[];
  readonly owner: MappingOwner;
}

/** Set by the class, for this module alone: what a script has no use for is no method of it. */
let make: (init: MappingInit) => Mapping;
let release: (mapping: Mapping) => void;

/** Host memory that a device reaches at an IOVA. Dispose unmaps it. */
export class Mapping implements Disposable, Extent {
  /** The address that the device uses, in bytes. */
  readonly iova: bigint;
  /** Length in bytes. */
  readonly size: bigint;
  /** The address of the memory in this process. */
  readonly vaddr: bigint;
  /** What the device may do. */
  readonly access: Access;
  /** The memory behind it; the mapping keeps it alive. */
  readonly memory: HostMemory;
  /** The mappings that the kernel knows: one, or several where `pieceSize` was given. */
  readonly pieces: readonly Extent[];
  readonly #owner: MappingOwner;
  #held: Disposable | undefined;

  static {
    make = (init) => new Mapping(init);
    release = (mapping) => {
      const held = mapping.#held;
      mapping.#held = undefined;
      held?.[Symbol.dispose]();
    };
  }

  private constructor(init: MappingInit) {
    this.iova = init.iova;
    this.size = init.size;
    this.vaddr = init.vaddr;
    this.access = init.access;
    this.memory = init.memory;
    this.pieces = init.pieces;
    this.#owner = init.owner;
    this.#held = init.held;
  }

  /** Whether the kernel still has it: it goes with the last group of the container too. */
  get isMapped(): boolean {
    return this.#held !== undefined;
  }

  /**
   * Unmaps and reads the dirty bits that go with the mapping: the only way to have them.
   *
   * @returns A window of its own memory.
   * @throws {ReferenceError} If it is not mapped any more, or dirty tracking is off.
   * @throws {PartialUnmapError} If the kernel removed less than the mapping.
   * @throws {VfioError} EFAULT and others; the mapping's pages are then all to be taken as dirty.
   * @see drivers/vfio/vfio_iommu_type1.c, vfio_dma_do_unmap
   */
  unmapWithBitmap(): DirtyWindow {
    if (!this.isMapped) throw new ReferenceError("Cannot unmap: the mapping is gone already");
    return this.#owner.unmapWithBitmap(this);
  }

  /**
   * Unmaps; a second time does nothing.
   *
   * @throws {PartialUnmapError} If the kernel removed less than the mapping.
   */
  [Symbol.dispose](): void {
    if (this.isMapped) this.#owner.unmap(this);
  }
}

/** Makes a mapping that the kernel has; `container.map` does. */
export function newMapping(init: MappingInit): Mapping {
  return make(init);
}

/** Notes that the kernel has a mapping no more, and lets go of the memory. */
export function releaseMapping(mapping: Mapping): void {
  release(mapping);
}
