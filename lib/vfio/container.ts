import { ERRNO } from "../base/errno.ts";
import { check, VfioError } from "../base/error.ts";
import { formatSize } from "../base/format.ts";
import { Ledger } from "../pins/ledger.ts";
import type { PinSnapshot } from "../pins/snapshot.ts";
import { startRefusal } from "../rules/dirty.ts";
import { O_CLOEXEC, O_RDWR } from "../sys/constant.ts";
import type { Kernel } from "../sys/kernel.ts";
import { linux } from "../sys/libc.ts";
import { OwnedFd } from "../sys/owned_fd.ts";
import { VFIO_UNMAP_ALL } from "../uapi/flag.ts";
import { VFIO_GET_API_VERSION } from "../uapi/request.ts";
import { EventFd } from "./event.ts";
import { attachGroup, hasExtension } from "./attach.ts";
import { Group } from "./group.ts";
import { dirtyInfo, type IommuInfo, readIommuInfo } from "./iommu_info.ts";
import { type MapOptions, Mapper } from "./mapper.ts";
import type { Mapping } from "./mapping.ts";
import { HostMemory, type MemoryOptions } from "./memory.ts";
import { PinHistory, type PinnedPages, readPinned } from "./pinned.ts";
import { pinsOf } from "./pins.ts";
import { probeScope } from "./probe.ts";
import { Recorder } from "./recorder.ts";
import { ScopeKeeper, type ScopeReport } from "./scope.ts";
import { type GroupId, isEmulated } from "./topology.ts";
import type { IommuType } from "./iommu_type.ts";
import { DirtyTracker } from "./tracker.ts";
import { Type1Source } from "./type1_source.ts";

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

const PATH = "/dev/vfio/vfio";

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
  readonly #kernel: Kernel;
  readonly #retained: Disposable;
  readonly #file: OwnedFd;
  readonly #type: IommuType;
  readonly #groups = new Map<Group, GroupId>();
  readonly #mapper: Mapper;
  readonly #scope = new ScopeKeeper();
  #iommu: IommuInfo | undefined;
  #tracker: DirtyTracker | undefined;
  #recorder: Recorder | undefined;

  private constructor(kernel: Kernel, retained: Disposable, file: OwnedFd, type: IommuType) {
    this.#kernel = kernel;
    this.#retained = retained;
    this.#file = file;
    this.#type = type;
    // deno-lint-ignore no-this-alias -- the getters below need the container, not their own object
    const self = this;
    this.#mapper = new Mapper({
      kernel,
      get fd() {
        return file.fd;
      },
      get iommu() {
        return self.#attached();
      },
      get unmapsAll() {
        return self.supports(VFIO_UNMAP_ALL);
      },
      get recorder() {
        return self.#recorder;
      },
      get tracker() {
        return self.#tracker;
      },
    });
  }

  /**
   * Opens a container without groups.
   *
   * @throws {VfioError} ENOENT or ENODEV: VFIO is not loaded; EACCES: no right to open it.
   * @see drivers/vfio/container.c, vfio_fops_open
   */
  static open(options: ContainerOptions = {}): Container {
    const { kernel = linux, type = "v2" } = options;
    if (type !== "v1" && type !== "v2") {
      throw new TypeError(`The type of IOMMU is "v1" or "v2"; got ${JSON.stringify(type)}`);
    }
    using stack = new DisposableStack();
    const retained = stack.use(kernel.retain());
    const action = "open a VFIO container";
    const fd = check(kernel.open(PATH, O_RDWR | O_CLOEXEC), "open", action, whyNotOpen);
    const file = stack.use(new OwnedFd(kernel, fd, "the container"));
    const version = check(kernel.ioctl(fd, VFIO_GET_API_VERSION), "VFIO_GET_API_VERSION", action);
    if (version !== 0) {
      throw new VfioError({
        operation: "VFIO_GET_API_VERSION",
        errno: ERRNO.EOPNOTSUPP,
        action,
        hint: `Pinscope knows version 0 of the VFIO API; the kernel has ${version}`,
      });
    }
    stack.move();
    return new Container(kernel, retained, file, type);
  }

  /** The groups that are attached, in the order they came. */
  get groups(): readonly Group[] {
    return [...this.#groups.keys()];
  }

  /** The mappings, by rising address. */
  get mappings(): readonly Mapping[] {
    return this.#mapper.mappings();
  }

  /** The tracker that runs, if one does. */
  get tracker(): DirtyTracker | undefined {
    return this.#tracker;
  }

  /** The smallest page of the IOMMU, in bytes: the unit of addresses, lengths and dirty pages. */
  get pageSize(): bigint {
    return this.#attached().pageSize;
  }

  /**
   * Reads the container's page sizes, IOVA ranges and limits.
   *
   * @throws {ReferenceError} As long as no group is attached.
   */
  info(): IommuInfo {
    this.#attached();
    return readIommuInfo(this.#kernel, this.#file.fd);
  }

  /**
   * Asks for an extension. Some answers change once a group is attached.
   *
   * @param extension `VFIO_UNMAP_ALL` and others of `@pinscope/vfio/uapi`.
   */
  supports(extension: number): boolean {
    return hasExtension(this.#kernel, this.#file.fd, extension);
  }

  /**
   * Attaches the group of a device; the first one also sets the type of IOMMU.
   *
   * @param target A PCI address `0000:00:10.0`, the UUID of a mediated device, or `group:12`.
   * @returns The group; dispose takes it out again. When the last one leaves, the kernel drops all
   *   mappings and tracking with it.
   * @throws {TypeError} If the target is none of these.
   * @throws {VfioError} With what stands in the way: no such device, no driver of VFIO, no right,
   *   in use, not viable, no interrupt remapping, mappings that do not fit.
   * @see drivers/vfio/group.c, vfio_group_ioctl_set_container
   */
  attach(target: string): Group {
    const kernel = this.#kernel;
    this.#recorder?.begin();
    const { file, id, device, info } = attachGroup({
      kernel,
      fd: this.#file.fd,
      type: this.#type,
      isFirst: this.#groups.size === 0,
      mapped: this.#mapped(),
    }, target);
    this.#iommu = info;
    const onLeaving = (): void => this.#recorder?.begin();
    const onLeave = (left: Group): void => this.#left(left);
    const group = new Group({ kernel, file, id, device, onLeaving, onLeave });
    this.#groups.set(group, id);
    this.#scope.attached(id);
    this.#record("attach", id);
    return group;
  }

  #mapped(): bigint {
    let total = 0n;
    for (const { size } of this.#mapper.pieces) total += size;
    return total;
  }

  #left(group: Group): void {
    const id = this.#groups.get(group);
    if (id === undefined) return;
    this.#groups.delete(group);
    const reportsAll = this.#scope.left(id);
    if (this.#groups.size === 0) {
      this.#iommu = undefined;
      this.#tracker?.end();
      this.#mapper.forgetAll();
    } else {
      this.#iommu = readIommuInfo(this.#kernel, this.#file.fd);
      if (reportsAll !== "no") this.#tracker?.noteGroupLeft(reportsAll === "yes");
    }
    this.#record("detach", id);
  }

  #record(kind: "attach" | "detach", id: GroupId): void {
    const operation = { kind, emulated: isEmulated(id) };
    const devices = id.devices.map(({ name }) => name).join(", ");
    this.#recorder?.end({ operation, subject: `group ${id.number} (${devices})` });
  }

  /**
   * Keeps a ledger from now on: what each operation should cost, and what the kernel charges. Each
   * operation then reads /proc twice. A second call gives the same ledger.
   */
  keepLedger(): Ledger {
    if (this.#recorder === undefined) {
      const ids = [...this.#groups.values()];
      const iommuGroups = ids.filter((id) => !isEmulated(id)).length;
      const state = { groups: ids.length, iommuGroups, mapped: this.#mapped(), driverLocked: 0n };
      const snapshot = (): PinSnapshot => this.pins();
      this.#recorder = new Recorder(new Ledger(state, snapshot()), snapshot);
    }
    return this.#recorder.ledger;
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
    const recorder = this.#recorder;
    if (recorder === undefined) throw new ReferenceError("No ledger is kept: see keepLedger");
    recorder.begin();
    const result = body();
    const size = BigInt(pages) * this.pageSize;
    recorder.end({ operation: { kind: "driver", size }, subject });
    return result;
  }

  /**
   * Tells what the dirty bits of this container mean, by the groups in it and by what reads have
   * shown so far; asks nothing of the kernel.
   */
  scope(): ScopeReport {
    return this.#scope.report();
  }

  /**
   * Finds out what the dirty bits mean at this moment, where the groups alone do not tell: a page
   * that no driver can know of is mapped, read and unmapped. If it is dirty, every mapped page is.
   *
   * @throws {RangeError} If no address is free for the page.
   * @throws {VfioError} As {@link map} and {@link trackDirty} do.
   */
  probeScope(): ScopeReport {
    return this.#scope.label === "unknown" ? probeScope(this) : this.scope();
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
   * Follows pins over time.
   *
   * @throws {VfioError} EOPNOTSUPP, if a group makes every mapped page dirty.
   */
  pinHistory(): PinHistory {
    return new PinHistory(this);
  }

  #attached(): IommuInfo {
    if (this.#iommu !== undefined) return this.#iommu;
    throw new ReferenceError("The container has no group yet: attach a device first");
  }

  /**
   * Takes zeroed host memory that can be mapped. Dispose gives it back.
   *
   * @param size Bytes, a multiple of 4096.
   * @throws {RangeError} If it is not.
   */
  allocate(size: bigint, options: MemoryOptions = {}): HostMemory {
    return HostMemory.allocate(this.#kernel, size, options);
  }

  /** Makes an eventfd that an interrupt of a device can signal. */
  event(): EventFd {
    return new EventFd(this.#kernel);
  }

  /**
   * Lets the devices reach host memory at an IOVA. With a group behind an IOMMU the memory is pinned
   * and counted against RLIMIT_MEMLOCK now; with mediated devices only, when their driver pins.
   *
   * @throws {RangeError} If address or size are not multiples of the page size, overlap a mapping,
   *   or lie outside the usable ranges; nothing was asked of the kernel then.
   * @throws {VfioError} ENOMEM: the memory limit; ENOSPC: dma_entry_limit; EFAULT: the memory.
   * @see drivers/vfio/vfio_iommu_type1.c, vfio_dma_do_map
   */
  map(memory: HostMemory, options: MapOptions = {}): Mapping {
    this.#attached();
    return this.#mapper.map(memory, options);
  }

  /**
   * Unmaps everything, in one request where the kernel can.
   *
   * @returns Bytes that were removed.
   * @throws {PartialUnmapError} If the kernel removed another amount than was mapped.
   */
  unmapAll(): bigint {
    this.#attached();
    return this.#mapper.unmapAll();
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
    if (this.#tracker !== undefined) {
      throw new ReferenceError(
        "The container is tracking dirty pages already: a second tracker's end would stop both",
      );
    }
    const { pageSize, migration } = dirtyInfo(this.#attached(), this.#type);
    const refusal = startRefusal(this.#mapper.pieces, pageSize);
    if (refusal !== undefined) throw new RangeError(`Cannot track dirty pages: ${refusal.reason}`);
    const source = new Type1Source({
      kernel: this.#kernel,
      fd: this.#file.fd,
      pageSize,
      maxBitmapBytes: Number(migration.maxBitmapBytes),
      scope: this.#scope,
    });
    this.#tracker = new DirtyTracker({
      kernel: this.#kernel,
      source,
      pieces: this.#mapper.pieces,
      onEnd: () => this.#tracker = undefined,
    });
    return this.#tracker;
  }

  /** Takes a snapshot of what this process has locked, and of the mappings the container has left. */
  pins(): PinSnapshot {
    const pins = pinsOf("self", this.#kernel);
    const dmaAvailable = this.#iommu === undefined ? undefined : this.info().dmaAvailable;
    return pins.with({ dmaAvailable });
  }

  /** What answers the system calls. Nothing checks what is asked of it: see {@link Kernel}. */
  get rawKernel(): Kernel {
    return this.#kernel;
  }

  /**
   * Makes an ioctl on the container that nothing checks: the kernel reads and writes as much memory
   * as the struct claims, and Pinscope does not learn what changed.
   *
   * @param argument A struct, a value, or nothing.
   * @returns The kernel's answer, or -errno.
   */
  rawIoctl(request: number, argument?: Uint8Array | bigint): number {
    const { fd } = this.#file;
    if (argument === undefined) return this.#kernel.ioctl(fd, request);
    if (typeof argument === "bigint") return this.#kernel.ioctlValue(fd, request, argument);
    return this.#kernel.ioctlBuffer(fd, request, argument);
  }

  /** One line for logs. */
  toString(): string {
    const numbers = this.groups.map((group) => group.number).join(", ");
    return `container of groups [${numbers}], ${formatSize(this.#mapped())} mapped`;
  }

  /** Ends tracking, unmaps, closes devices and groups, closes the container; twice does nothing. */
  [Symbol.dispose](): void {
    if (!this.#file.isOpen) return;
    using stack = new DisposableStack();
    stack.use(this.#retained);
    stack.use(this.#file);
    for (const group of this.#groups.keys()) stack.use(group);
    for (const mapping of this.mappings) stack.use(mapping);
    if (this.#tracker !== undefined) stack.use(this.#tracker);
  }
}

function whyNotOpen(errno: number): string | undefined {
  switch (errno) {
    case ERRNO.ENOENT:
    case ERRNO.ENODEV:
      return `${PATH} is missing or has no driver: VFIO is not loaded; as root: modprobe vfio-pci`;
    case ERRNO.EACCES:
      return `this user may not open ${PATH}; as root: chmod 666 ${PATH} (it gives no device away)`;
    default:
      return undefined;
  }
}
