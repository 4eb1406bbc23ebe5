import type { Extent } from "../base/extent.ts";
import type { PinSlice } from "../pins/pin_book.ts";
import type { HostMemory } from "../sys/memory.ts";

/** What the device may do; a mapping is for reading, writing, or both. */
export type IoasAccess = "r" | "w" | "rw";

/** What an {@link IoasMapping} is made from. */
export interface IoasMappingInit extends Extent {
  readonly access: IoasAccess;
  readonly memory: HostMemory | undefined;
  readonly held: Disposable | undefined;
  readonly unmap: (mapping: IoasMapping) => void;
  /** What of which memory it leads to; the memory is the same for all copies. */
  readonly slice: PinSlice;
}

/** Set by the class, for this folder alone. */
let make: (init: IoasMappingInit) => IoasMapping;
let release: (mapping: IoasMapping) => void;
let slice: (mapping: IoasMapping) => PinSlice;

/** Memory that devices reach at an IOVA of an address space. Dispose unmaps it. */
export class IoasMapping implements Disposable, Extent {
  /** The address that devices use, in bytes. */
  readonly iova: bigint;
  /** Length in bytes. */
  readonly size: bigint;
  /** What devices may do. */
  readonly access: IoasAccess;
  /** The host memory behind it; undefined for memory of a file. The mapping keeps it alive. */
  readonly memory: HostMemory | undefined;
  readonly #unmap: (mapping: IoasMapping) => void;
  readonly #slice: PinSlice;
  #held: Disposable | undefined;
  #mapped = true;

  static {
    make = (init) => new IoasMapping(init);
    slice = (mapping) => mapping.#slice;
    release = (mapping) => {
      const held = mapping.#held;
      mapping.#held = undefined;
      mapping.#mapped = false;
      held?.[Symbol.dispose]();
    };
  }

  private constructor(init: IoasMappingInit) {
    this.iova = init.iova;
    this.size = init.size;
    this.access = init.access;
    this.memory = init.memory;
    this.#held = init.held;
    this.#unmap = init.unmap;
    this.#slice = init.slice;
  }

  /** Whether the kernel still has it: it goes with its address space too. */
  get isMapped(): boolean {
    return this.#mapped;
  }

  /**
   * Unmaps; a second time does nothing. What is dirty of it comes with the next drain of each tracker
   * of the address space; `readDirty` alone loses it.
   *
   * @throws {PartialUnmapError} If the kernel removed another amount.
   */
  [Symbol.dispose](): void {
    if (this.#mapped) this.#unmap(this);
  }
}

/** What a mapping leads to. */
export function sliceOf(mapping: IoasMapping): PinSlice {
  return slice(mapping);
}

/** Makes a mapping that the kernel has. */
export function newMapping(init: IoasMappingInit): IoasMapping {
  return make(init);
}

/** Notes that the kernel has a mapping no more, and lets go of the memory. */
export function releaseMapping(mapping: IoasMapping): void {
  release(mapping);
}
