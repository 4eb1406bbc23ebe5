import { checkKind } from "../base/argument.ts";
import type { Extent } from "../base/extent.ts";
import type { PlannedMap } from "../pins/forecast.ts";
import { forecastIommufd, type IommufdForecast } from "../pins/iommufd_forecast.ts";
import type { PinBook, PinMode } from "../pins/pin_book.ts";
import type { IovaRange } from "../rules/iova.ts";
import type { HostMemory } from "../sys/memory.ts";
import { IOMMU_OPTION_HUGE_PAGES, IOMMU_OPTION_RLIMIT_MODE } from "../uapi/flag.ts";
import { checkRanges } from "./check.ts";
import type { Hwpt } from "./hwpt.ts";
import { allocateHwpt } from "./hwpt_alloc.ts";
import type { HwptOptions } from "./hwpt_types.ts";
import { IoasMapper } from "./ioas_mapper.ts";
import { type IoasRanges, IoasRequests } from "./ioas_request.ts";
import type { IoasMapFileOptions, IoasMapOptions } from "./map_option.ts";
import { type IoasMapping, sliceOf } from "./mapping.ts";
import { destroy, type IommufdFile, type IommufdObject, Parts } from "./object.ts";
import { getOption, setOption } from "./option.ts";
import { readPins, recorded } from "./recorder.ts";

/** Set by the class, for this folder alone. */
let make: (file: IommufdFile, id: number, onGone: (ioas: Ioas) => void) => Ioas;
let parts: (ioas: Ioas) => Parts;
let forget: (ioas: Ioas) => void;

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
  readonly #mapper: IoasMapper;
  readonly #parts = new Parts();
  readonly #onGone: (ioas: Ioas) => void;
  #gone = false;

  static {
    make = (file, id, onGone) => new Ioas(file, id, onGone);
    parts = (ioas) => ioas.#parts;
    forget = (ioas) => ioas.#forget();
  }

  private constructor(file: IommufdFile, id: number, onGone: (ioas: Ioas) => void) {
    this.id = id;
    this.#file = file;
    const requests = new IoasRequests(file, id);
    this.#requests = requests;
    this.#mapper = new IoasMapper({ file, id, requests, alive: () => this.#alive() });
    this.#onGone = onGone;
  }

  #alive(): void {
    if (this.#gone) throw new ReferenceError(`Cannot use address space ${this.id}: it is gone`);
  }

  /** The mappings, by rising address. */
  get mappings(): readonly IoasMapping[] {
    return [...this.#mapper.mappings];
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
    return this.#mapper.map(memory, options);
  }

  /**
   * Lets devices reach memory of a file, whoever maps it. Since Linux v6.13.
   *
   * @param fd A memfd, as `memory.fd`.
   * @throws {VfioError} ENOTTY: the kernel is older; and as {@link map} does.
   * @see drivers/iommu/iommufd/ioas.c, iommufd_ioas_map_file
   */
  mapFile(fd: number, options: IoasMapFileOptions): IoasMapping {
    return this.#mapper.mapFile(fd, options);
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
    return this.#mapper.copy(from.id, source, options);
  }

  /**
   * Tells whether mappings of host memory will fit, and which limit stops them first, without asking
   * the kernel for them.
   *
   * @param maps The mappings, in the order in which they will be made.
   * @throws {TypeError} If a planned mapping is not one.
   * @throws {RangeError} If a count is not a whole number of at least 1.
   * @throws {VfioError} If /proc cannot be read.
   */
  forecast(maps: readonly PlannedMap[]): IommufdForecast {
    const { ranges, alignment } = this.ranges();
    const pins = readPins(this.#file.kernel);
    const own = getOption(this.#file, IOMMU_OPTION_RLIMIT_MODE, 0) === 1n ? "process" : "user";
    const mode = pins.ipcLock ? "none" : own;
    const hasTable = this.#parts.size > 0;
    const { mappings } = this;
    return forecastIommufd({ ranges, alignment, mappings, hasTable, mode, pins }, maps);
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
    return this.#mapper.unmap(range);
  }

  /**
   * Unmaps everything, in one request.
   *
   * @returns Bytes that were removed.
   */
  unmapAll(): bigint {
    return this.#mapper.unmapAll();
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
    const { mappings, watches } = this.#mapper;
    const init = { file: this.#file, ioas: this, device, mappings, watches, parts: this.#parts };
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
    const what = `address space ${this.id}`;
    recorded(this.#file.recorder, () => destroy(this.#file, this, what), (book) => {
      book.drop(this.id);
      return ["unmap", `everything in ${what}, which is gone`];
    });
    this.#forget();
  }

  /** Notes that the kernel has it no more, and lets go of the memory of its mappings. */
  #forget(): void {
    if (this.#gone) return;
    this.#gone = true;
    using stack = new DisposableStack();
    stack.defer(() => this.#onGone(this));
    stack.defer(() => this.#mapper.forget(this.mappings));
  }
}

/** Makes the object of an address space that the kernel has. */
export function newIoas(file: IommufdFile, id: number, onGone: (ioas: Ioas) => void): Ioas {
  return make(file, id, onGone);
}

/** Notes that an address space went with the file of its iommufd. */
export function forgetIoas(ioas: Ioas): void {
  forget(ioas);
}

/** What goes before an address space. */
export function partsOf(ioas: Ioas): Parts {
  return parts(ioas);
}

/** Enters what an address space has into a ledger that begins. */
export function enterIn(book: PinBook, ioas: Ioas, mode: PinMode): void {
  for (const mapping of ioas.mappings) book.add(ioas.id, mapping, sliceOf(mapping), mode);
  book.setTables(ioas.id, partsOf(ioas).size);
}
