import { checkKind, checkOptions, type Kinds } from "../base/argument.ts";
import { formatSize } from "../base/format.ts";
import type { Forecast, PlannedMap } from "../pins/forecast.ts";
import type { Ledger } from "../pins/ledger.ts";
import type { PinSnapshot } from "../pins/snapshot.ts";
import type { Kernel } from "../sys/kernel.ts";
import { linux } from "../sys/libc.ts";
import { hasExtension } from "./attach.ts";
import { ContainerCore } from "./core.ts";
import { EventFd } from "./event.ts";
import type { Group } from "./group.ts";
import type { IommuInfo } from "./iommu_info.ts";
import type { IommuType } from "./iommu_type.ts";
import type { MapOptions } from "./mapper.ts";
import type { Mapping } from "./mapping.ts";
import { HostMemory, type MemoryOptions } from "../sys/memory.ts";
import {
  beginHistory,
  beginHistoryAside,
  checkPinRead,
  type PinHistory,
  type PinReadOptions,
} from "./pin_history.ts";
import { type PinnedPages, readPinned, readPinnedAside } from "./pinned.ts";
import { type ContainerRequest, explainRequest, type Explanation } from "./preflight.ts";
import { probeScope, probeScopeAside } from "./probe.ts";
import { rawIoctl } from "./raw_ioctl.ts";
import type { ScopeReport } from "./scope.ts";
import type { DirtyTracker } from "../track/tracker.ts";

/** How to open a container. */
export interface ContainerOptions {
  /** The kernel to talk to: the running one by default, or a model of one. */
  readonly kernel?: Kernel | undefined;
  /**
   * The type of IOMMU: `v2` by default. `v1` lets an unmap cut mappings in its own way, and has no
   * dirty pages at all: every DIRTY_PAGES request is refused with EACCES.
   */
  readonly type?: IommuType;
}

const OPTIONS: Kinds<ContainerOptions> = { kernel: "object", type: ["v1", "v2"] };

/**
 * A VFIO container: groups of devices that share mappings, and the dirty pages of those.
 *
 * Everything that it made is released when it is disposed, in the order that the kernel wants:
 * tracking, mappings, devices, groups, the container.
 *
 * @example Set up, map, read dirty pages
 * ```ts
 * import { Container } from "@pinscope/vfio";
 * import { ModelKernel } from "@pinscope/vfio/model";
 *
 * using container = Container.open({ kernel: new ModelKernel() });
 * using _group = container.attach("0000:00:10.0");
 * using memory = container.allocate(1n << 20n);
 * using _mapping = container.map(memory, { iova: 0x1000_0000n });
 * using tracker = container.trackDirty();
 * const runs = [...tracker.runs()];
 * if (runs.length !== 1 || runs[0]?.label !== "all-mapped") throw new Error("all is dirty");
 * ```
 *
 * @see drivers/vfio/container.c
 */
export class Container implements Disposable {
  readonly #core: ContainerCore;

  private constructor(core: ContainerCore) {
    this.#core = core;
  }

  /**
   * Opens a container without groups.
   *
   * @param options The kernel and the type of IOMMU: the running kernel, and v2, by default.
   * @returns The container; dispose closes it, with all that it made.
   * @throws {TypeError} If an option is not known or of the wrong kind.
   * @throws {VfioError} ENOENT or ENODEV: VFIO is not loaded; EACCES: no right to open it.
   * @see drivers/vfio/container.c, vfio_fops_open
   */
  static open(options?: ContainerOptions): Container {
    const { kernel = linux, type = "v2" } = checkOptions(options, OPTIONS);
    return new Container(new ContainerCore(kernel, type));
  }

  /** The groups that are attached, in the order they came. */
  get groups(): readonly Group[] {
    return [...this.#core.groups.keys()];
  }

  /** The mappings, by rising address. */
  get mappings(): readonly Mapping[] {
    return this.#core.mapper.mappings();
  }

  /** The tracker that runs, if one does. */
  get tracker(): DirtyTracker | undefined {
    return this.#core.tracker;
  }

  /** The smallest page of the IOMMU, in bytes: the unit of addresses, lengths and dirty pages. */
  get pageSize(): bigint {
    return this.#core.iommu.pageSize;
  }

  /**
   * Reads the container's page sizes, IOVA ranges and limits.
   *
   * @throws {ReferenceError} As long as no group is attached.
   */
  info(): IommuInfo {
    return this.#core.info();
  }

  /**
   * Asks for an extension. Some answers change once a group is attached.
   *
   * @param extension `VFIO_UNMAP_ALL` and others of `@pinscope/vfio/uapi`.
   */
  supports(extension: number): boolean {
    checkKind("extension", extension, "number");
    return hasExtension(this.#core.kernel, this.#core.fd, extension);
  }

  /**
   * Attaches the group of a device; the first one also sets the type of IOMMU.
   *
   * @param target A PCI address `0000:00:10.0`, the UUID of a mediated device, or `group:12`.
   * @returns The group; dispose takes it out again. When the last one leaves, the kernel drops all
   *   mappings and tracking with it.
   * @throws {TypeError} If the target is none of these.
   * @throws {ReferenceError} If the container has the group already.
   * @throws {VfioError} With what stands in the way: no such device, no driver of VFIO, no right,
   *   in use, not viable, no interrupt remapping, mappings that do not fit.
   * @see drivers/vfio/group.c, vfio_group_ioctl_set_container
   */
  attach(target: string): Group {
    return this.#core.attach(target);
  }

  /**
   * Keeps a ledger from now on: what each operation should cost, and what the kernel charges. Each
   * operation then reads /proc twice. A second call gives the same ledger. It is no `using` matter: it
   * holds nothing, and is read when everything else is released.
   */
  keepLedger(): Ledger {
    return this.#core.keepLedger();
  }

  /**
   * Tells whether mappings will fit, and which limit stops them first, without making them.
   *
   * @param maps In the order they will be made.
   * @throws {RangeError} If a count is not a whole number of at least 1.
   */
  forecast(maps: readonly PlannedMap[]): Forecast {
    return this.#core.forecast(maps);
  }

  /**
   * Enters in the ledger what a driver does meanwhile, with the pages that it should cost.
   *
   * @param subject What it does, in words.
   * @param pages Pages that it pins anew; negative for pages that it releases.
   * @param body Lets the driver do it.
   * @throws {ReferenceError} If no ledger is kept.
   */
  recordDriver<T>(subject: string, pages: number, body: () => T): T {
    return this.#core.recordDriver(subject, pages, body);
  }

  /**
   * Tells what the dirty bits of this container mean, by the groups in it and by what reads have
   * shown so far; asks nothing of the kernel.
   */
  scope(): ScopeReport {
    return this.#core.scope.report();
  }

  /**
   * Finds out what the dirty bits mean at this moment, where the groups alone do not tell: a page
   * that no driver can know of is mapped, read and unmapped. If it is dirty, every mapped page is.
   *
   * @throws {RangeError} If no address is free for the page.
   * @throws {VfioError} As {@link map} and {@link trackDirty} do.
   */
  probeScope(): ScopeReport {
    return this.#core.scope.label === "unknown" ? probeScope(this) : this.scope();
  }

  /**
   * Finds it out as {@link probeScope} does, and reads the page on a thread of its own: nothing is held
   * up, should the kernel not answer.
   */
  async probeScopeAsync(): Promise<ScopeReport> {
    return this.#core.scope.label === "unknown" ? await probeScopeAside(this) : this.scope();
  }

  /**
   * Finds which pages drivers have pinned now; a tracker that is on loses nothing by it.
   *
   * @throws {VfioError} As {@link trackDirty} and its reads do.
   */
  pinned(): PinnedPages {
    return readPinned(this);
  }

  /**
   * Finds them as {@link pinned} does, and reads on a thread of its own.
   *
   * @param options A signal that ends it, once a read that is under way has come back.
   * @throws As {@link pinned} does, and the reason of the signal.
   */
  async pinnedAsync(options?: PinReadOptions): Promise<PinnedPages> {
    return await readPinnedAside(this, checkPinRead(options).signal);
  }

  /**
   * Follows pins over time.
   *
   * @throws {VfioError} EOPNOTSUPP, if a group makes every mapped page dirty.
   */
  pinHistory(): PinHistory {
    return beginHistory(this);
  }

  /**
   * Follows them as {@link pinHistory} does, and begins with reads on a thread of its own.
   *
   * @param options A signal that ends it, once a read that is under way has come back.
   * @throws As {@link pinHistory} does, and the reason of the signal.
   */
  async pinHistoryAsync(options?: PinReadOptions): Promise<PinHistory> {
    return await beginHistoryAside(this, checkPinRead(options).signal);
  }

  /**
   * Takes zeroed host memory that can be mapped. Dispose gives it back, with its last mapping.
   *
   * @param size Bytes, a multiple of 4096 or of the huge page size.
   * @param options Huge pages, or a file behind the memory.
   * @returns The memory.
   * @throws {TypeError} If the size is no bigint, or an option is not known.
   * @throws {RangeError} If the size is not such a multiple.
   * @throws {VfioError} ENOMEM, where the host has not enough memory or huge pages.
   */
  allocate(size: bigint, options?: MemoryOptions): HostMemory {
    return HostMemory.allocate(this.#core.kernel, size, options);
  }

  /** Makes an eventfd that an interrupt of a device can signal. */
  event(): EventFd {
    return new EventFd(this.#core.kernel);
  }

  /**
   * Lets the devices reach host memory at an IOVA. With a group behind an IOMMU the memory is pinned
   * and counted against RLIMIT_MEMLOCK now; with mediated devices only, when their driver pins.
   *
   * @param memory What {@link allocate} gave; it stays with the host until its last mapping goes.
   * @param options Where and how: all of the memory, read and write, at the lowest free address of a
   *   multiple of 64 pages by default. Addresses and lengths are bytes, multiples of the page size.
   * @returns The mapping; dispose unmaps it.
   * @throws {ReferenceError} If no group is attached, or the memory was given back.
   * @throws {TypeError} If an option is not known or of the wrong kind, as a number for a bigint.
   * @throws {RangeError} If address or size are not multiples of the page size, overlap a mapping,
   *   or lie outside the usable ranges; nothing was asked of the kernel then.
   * @throws {VfioError} ENOMEM: the memory limit; ENOSPC: dma_entry_limit; EFAULT: the memory.
   * @see drivers/vfio/vfio_iommu_type1.c, vfio_dma_do_map
   */
  map(memory: HostMemory, options?: MapOptions): Mapping {
    void this.#core.iommu; // a container without groups cannot map
    return this.#core.mapper.map(memory, options);
  }

  /**
   * Says why the kernel would refuse a request, without asking it: every rule that the request
   * breaks, in the order in which the kernel tests them, and those that only the kernel can decide.
   *
   * @param request Any values: nothing is done with them.
   * @throws {ReferenceError} As long as no group is attached.
   * @see drivers/vfio/vfio_iommu_type1.c; each refusal names its function
   */
  explain(request: ContainerRequest): Explanation {
    return explainRequest(this.#core, request);
  }

  /**
   * Unmaps everything, in one request where the kernel can.
   *
   * @returns Bytes that were removed.
   * @throws {PartialUnmapError} If the kernel removed another amount than was mapped.
   */
  unmapAll(): bigint {
    void this.#core.iommu;
    return this.#core.mapper.unmapAll();
  }

  /**
   * Starts to track dirty pages. Dispose of the result stops it.
   *
   * @throws {ReferenceError} If the container is tracking already: one STOP would end both.
   * @throws {RangeError} If a mapping has more than 2^31 - 1 pages.
   * @throws {VfioError} EACCES on a v1 container, ENOTTY where the kernel has no dirty pages, ENOMEM
   *   when it has no room for its bitmaps.
   * @see drivers/vfio/vfio_iommu_type1.c, vfio_dma_bitmap_alloc_all
   */
  trackDirty(): DirtyTracker {
    return this.#core.trackDirty();
  }

  /** Takes a snapshot of what this process has locked, and of the mappings the container has left. */
  pins(): PinSnapshot {
    return this.#core.pins();
  }

  /** What answers the system calls. Nothing checks what is asked of it: see {@link Kernel}. */
  get rawKernel(): Kernel {
    return this.#core.kernel;
  }

  /**
   * Makes an ioctl on the container that nothing checks: the kernel reads and writes as much memory
   * as the struct claims, and Pinscope does not learn what changed.
   *
   * @param argument A struct, a value, or nothing.
   * @returns The kernel's answer, or -errno.
   */
  rawIoctl(request: number, argument?: Uint8Array | bigint): number {
    return rawIoctl(this.#core, request, argument);
  }

  /** One line for logs. */
  toString(): string {
    const numbers = this.groups.map((group) => group.number).join(", ");
    return `container of groups [${numbers}], ${formatSize(this.#core.mapped)} mapped`;
  }

  /** Ends tracking, unmaps, closes devices and groups, closes the container; twice does nothing. */
  [Symbol.dispose](): void {
    this.#core[Symbol.dispose]();
  }
}
