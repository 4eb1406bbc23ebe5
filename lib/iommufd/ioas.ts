import { checkKind, checkOptions, given, type Kinds } from "../base/argument.ts";
import { type Extent, ExtentSet } from "../base/extent.ts";
import { formatSize, hex } from "../base/format.ts";
import type { IovaRange } from "../rules/iova.ts";
import { holdMemory, HostMemory } from "../sys/memory.ts";
import { IOMMU_OPTION_HUGE_PAGES } from "../uapi/flag.ts";
import { checkPart, checkPlace, checkRanges, checkUnmap } from "./check.ts";
import { allocateHwpt, type Hwpt, type HwptOptions } from "./hwpt.ts";
import { type IoasRanges, IoasRequests, type Place } from "./ioas_request.ts";
import {
  type IoasAccess,
  IoasMapping,
  type IoasMappingInit,
  newMapping,
  releaseMapping,
} from "./mapping.ts";
import { destroy, type IommufdFile, type IommufdObject, Parts } from "./object.ts";
import { getOption, setOption } from "./option.ts";

/** How to map. */
export interface IoasMapOptions {
  /** The address that devices use; by default the kernel chooses one. */
  readonly iova?: bigint;
  /** What devices may do; both by default, of a copy what its source allows. */
  readonly access?: IoasAccess;
  /** Where in the memory, the file or the source to begin, in bytes; 0 by default. */
  readonly offset?: bigint;
  /** How much to map, in bytes; all from the offset on by default. */
  readonly size?: bigint;
}

/** How to map memory of a file: its size cannot be asked for, so it is given. */
export interface IoasMapFileOptions extends IoasMapOptions {
  /** How much to map, in bytes. */
  readonly size: bigint;
}

const OPTIONS: Kinds<IoasMapOptions> = {
  iova: "bigint",
  access: ["r", "w", "rw"],
  offset: "bigint",
  size: "bigint",
};

/** Set by the class, for this folder alone. */
let make: (file: IommufdFile, id: number, onGone: (ioas: Ioas) => void) => Ioas;
let parts: (ioas: Ioas) => Parts;

/**
 * An I/O address space: what devices see of memory, whatever the page tables behind it.
 *
 * Nothing is pinned or charged before a device or a page table is there: until then a mapping is a
 * promise, and the memory limit is met at the attach.
 *
 * @see drivers/iommu/iommufd/ioas.c
 */
export class Ioas implements Disposable, IommufdObject {
  /** The kernel's number of it. */
  readonly id: number;
  readonly #file: IommufdFile;
  readonly #requests: IoasRequests;
  readonly #mappings = new ExtentSet<IoasMapping>();
  readonly #parts = new Parts();
  readonly #onGone: (ioas: Ioas) => void;
  #gone = false;

  static {
    make = (file, id, onGone) => new Ioas(file, id, onGone);
    parts = (ioas) => ioas.#parts;
  }

  private constructor(file: IommufdFile, id: number, onGone: (ioas: Ioas) => void) {
    this.id = id;
    this.#file = file;
    this.#requests = new IoasRequests(file, id);
    this.#onGone = onGone;
  }

  #alive(): void {
    if (this.#gone) throw new ReferenceError(`Cannot use address space ${this.id}: it is gone`);
  }

  /** The mappings, by rising address. */
  get mappings(): readonly IoasMapping[] {
    return [...this.#mappings];
  }

  /** Reads the usable addresses and their alignment; both change with the devices. */
  ranges(): IoasRanges {
    this.#alive();
    return this.#requests.ranges();
  }

  /**
   * Allows the kernel's choice of addresses these ranges only, and keeps devices out that reserve
   * addresses in them. A mapping at a fixed address needs none. An empty list allows all.
   *
   * @param ranges Both ends included.
   * @throws {RangeError} If a range is empty, or two overlap.
   * @throws {VfioError} EADDRINUSE, if a device reserves addresses there.
   * @see drivers/iommu/iommufd/io_pagetable.c, iopt_set_allow_iova
   */
  allow(ranges: readonly IovaRange[]): void {
    this.#alive();
    checkRanges(ranges);
    this.#requests.allow(ranges);
  }

  /** Whether page tables use huge entries; a dirty bit then stands for a whole entry. */
  get hugePages(): boolean {
    this.#alive();
    return getOption(this.#file, IOMMU_OPTION_HUGE_PAGES, this.id) === 1n;
  }

  /**
   * Lets page tables use huge entries, or not.
   *
   * @throws {VfioError} EINVAL, if they are switched off with page tables and mappings there.
   * @see drivers/iommu/iommufd/io_pagetable.c, iopt_disable_large_pages
   */
  set hugePages(on: boolean) {
    this.#alive();
    checkKind("hugePages", on, "boolean");
    setOption(this.#file, IOMMU_OPTION_HUGE_PAGES, this.id, on ? 1n : 0n);
  }

  /**
   * Lets devices reach host memory.
   *
   * @param memory What `allocate` gave; it stays with the host until its last mapping goes.
   * @param options Where and how; addresses and lengths are bytes, multiples of `ranges().alignment`.
   * @returns The mapping; dispose unmaps it.
   * @throws {TypeError} If an option is not known or of the wrong kind.
   * @throws {RangeError} If it is not aligned, not in a usable range, or overlaps a mapping.
   * @throws {VfioError} ENOSPC: no address is free; ENOMEM: the memory limit, EFAULT: the memory,
   *   both only with a page table there.
   * @see drivers/iommu/iommufd/ioas.c, iommufd_ioas_map
   */
  map(memory: HostMemory, options?: IoasMapOptions): IoasMapping {
    if (!(memory instanceof HostMemory)) {
      throw new TypeError(`memory must be host memory, as allocate gives; got ${given(memory)}`);
    }
    const { offset = 0n, access = "rw", ...rest } = checkOptions(options, OPTIONS);
    const size = rest.size ?? memory.size - offset;
    checkPart("A mapping", offset, size, memory.size);
    // Held before the call: memory that was given back must not reach the kernel.
    using undo = new DisposableStack();
    const held = undo.use(holdMemory(memory));
    const place = this.#place({ iova: rest.iova, size, access });
    const iova = this.#requests.map(memory.address + offset, place);
    undo.move();
    return this.#add({ iova, size, access, memory, held });
  }

  /**
   * Lets devices reach memory of a file, whoever maps it. Since Linux v6.13.
   *
   * @param fd A memfd, as `memory.fd`.
   * @throws {VfioError} ENOTTY: the kernel is older; and as {@link map} does.
   * @see drivers/iommu/iommufd/ioas.c, iommufd_ioas_map_file
   */
  mapFile(fd: number, options: IoasMapFileOptions): IoasMapping {
    checkKind("fd", fd, "number");
    const { offset = 0n, access = "rw", size, iova } = checkOptions<IoasMapOptions>(
      options,
      OPTIONS,
    );
    checkKind("size", size, "bigint");
    checkPart("A mapping", offset, size!, 1n << 63n);
    const place = this.#place({ iova, size: size!, access });
    const at = this.#requests.mapFile(fd, offset, place);
    return this.#add({ iova: at, size: size!, access, memory: undefined, held: undefined });
  }

  /**
   * Maps here what another address space maps, or this one elsewhere: pinned and charged once.
   *
   * @throws {RangeError} As {@link map} does.
   * @throws {ReferenceError} If the source is not mapped any more.
   * @throws {VfioError} EPERM, to write what was mapped for reading only.
   * @see drivers/iommu/iommufd/ioas.c, iommufd_ioas_copy
   */
  copy(from: Ioas, source: IoasMapping, options?: IoasMapOptions): IoasMapping {
    if (!(source instanceof IoasMapping)) {
      throw new TypeError(`source must be a mapping of an address space; got ${given(source)}`);
    }
    if (!source.isMapped) throw new ReferenceError("Cannot copy a mapping: it is gone already");
    const { offset = 0n, access = source.access, ...rest } = checkOptions(options, OPTIONS);
    const size = rest.size ?? source.size - offset;
    checkPart("A copy", offset, size, source.size);
    const { memory } = source;
    using undo = new DisposableStack();
    const held = memory === undefined ? undefined : undo.use(holdMemory(memory));
    const place = this.#place({ iova: rest.iova, size, access });
    const iova = this.#requests.copy({ id: from.id, iova: source.iova + offset }, place);
    undo.move();
    return this.#add({ iova, size, access, memory, held });
  }

  #place(place: Place): Place {
    this.#alive();
    checkPlace(place, this.#requests.ranges(), this.#mappings);
    return place;
  }

  #add(init: Omit<IoasMappingInit, "unmap">): IoasMapping {
    const mapping = newMapping({ ...init, unmap: (gone) => void this.unmap(gone) });
    this.#mappings.add(mapping);
    return mapping;
  }

  /**
   * Unmaps all mappings of a range, in one request.
   *
   * @returns Bytes that were removed.
   * @throws {RangeError} If the range cuts a mapping, or has none.
   * @throws {PartialUnmapError} If the kernel removed another amount.
   * @see drivers/iommu/iommufd/io_pagetable.c, iopt_unmap_iova
   */
  unmap(range: Extent): bigint {
    this.#alive();
    checkUnmap(range, this.#mappings);
    const inside = this.#mappings.inRange(range.iova, range.size);
    return this.#remove(range, inside, `${formatSize(range.size)} at iova ${hex(range.iova)}`);
  }

  /**
   * Unmaps everything, in one request.
   *
   * @returns Bytes that were removed.
   */
  unmapAll(): bigint {
    this.#alive();
    return this.#remove({ iova: 0n, size: (1n << 64n) - 1n }, this.mappings, "everything");
  }

  #remove(range: Extent, inside: readonly IoasMapping[], what: string): bigint {
    const wanted = inside.reduce((sum, { size }) => sum + size, 0n);
    const removed = this.#requests.unmap(range, wanted, `unmap ${what}`);
    this.#forget(inside);
    return removed;
  }

  #forget(mappings: readonly IoasMapping[]): void {
    using stack = new DisposableStack(); // each is forgotten, whatever happens to another's memory
    for (const mapping of mappings) {
      this.#mappings.delete(mapping);
      stack.defer(() => releaseMapping(mapping));
    }
  }

  /**
   * Makes a page table of this address space for the IOMMU of a device. Its mappings are pinned and
   * charged now.
   *
   * @param device A bound device: its IOMMU is meant. It is not attached by this.
   * @param options Whether it tracks dirty pages.
   * @returns The page table; dispose destroys it.
   * @throws {VfioError} EOPNOTSUPP, if the IOMMU does not track dirty pages; ENOMEM: the memory limit.
   * @see drivers/iommu/iommufd/hw_pagetable.c, iommufd_hwpt_alloc
   */
  pageTable(device: IommufdObject, options?: HwptOptions): Hwpt {
    this.#alive();
    const mappings = this.#mappings;
    const init = { file: this.#file, ioas: this, device, mappings, parts: this.#parts };
    return allocateHwpt({ ...init, alignment: () => this.ranges().alignment }, options);
  }

  /**
   * Detaches devices, destroys page tables, unmaps, and destroys the address space; twice does
   * nothing.
   *
   * @throws {VfioError} EBUSY, if something that Pinscope did not make still uses it.
   */
  [Symbol.dispose](): void {
    if (this.#gone) return;
    this.#parts[Symbol.dispose]();
    destroy(this.#file, this, `address space ${this.id}`);
    this.#gone = true;
    using stack = new DisposableStack();
    stack.defer(() => this.#onGone(this));
    stack.defer(() => this.#forget(this.mappings));
  }
}

/** Makes the object of an address space that the kernel has. */
export function newIoas(file: IommufdFile, id: number, onGone: (ioas: Ioas) => void): Ioas {
  return make(file, id, onGone);
}

/** What goes before an address space. */
export function partsOf(ioas: Ioas): Parts {
  return parts(ioas);
}
