import { checkKind, checkOptions } from "../base/argument.ts";
import { formatSize } from "../base/format.ts";
import type { BoundDevice } from "../iommufd/device.ts";
import type { Hwpt } from "../iommufd/hwpt.ts";
import type { Ioas } from "../iommufd/ioas.ts";
import { Iommufd } from "../iommufd/iommufd.ts";
import type { IoasMapOptions } from "../iommufd/map_option.ts";
import type { IoasMapping } from "../iommufd/mapping.ts";
import type { TrackOptions } from "../iommufd/tracking.ts";
import type { PlannedMap } from "../pins/forecast.ts";
import type { IommufdForecast } from "../pins/iommufd_forecast.ts";
import type { IommufdLedger } from "../pins/iommufd_ledger.ts";
import type { PinSnapshot } from "../pins/snapshot.ts";
import type { MemoryOptions } from "../sys/host_pages.ts";
import type { Kernel } from "../sys/kernel.ts";
import { linux } from "../sys/libc.ts";
import type { HostMemory } from "../sys/memory.ts";
import type { DirtyTracker } from "../track/tracker.ts";
import { deviceOf } from "./bound_device.ts";
import { EventFd } from "./event.ts";
import {
  type IommufdContainerOptions,
  type IommufdMember,
  isMediated,
  OPTIONS,
  unseenError,
} from "./iommufd_option.ts";
import { pinsOf } from "./pins.ts";

export type { IommufdContainerOptions, IommufdMember };

/**
 * Devices that share mappings, over iommufd: what {@link Container} is over type1, so that a script
 * changes one line to go from one to the other.
 *
 * Where the two cannot mean the same, the members differ. There are no groups: a device is attached by
 * itself. Mappings are there before the first device and stay after the last one. Memory is pinned
 * when a device is attached, not when it is mapped. No unmap gives dirty bits, because what is dirty
 * of a mapping that goes comes with the next drain. And there is nothing that tells pinned pages:
 * iommufd reports what a device wrote, never what a driver pinned.
 *
 * @example Which pages a device wrote
 * ```ts
 * import { IommufdContainer } from "@pinscope/vfio";
 * import { ModelKernel } from "@pinscope/vfio/model";
 *
 * const kernel = new ModelKernel();
 * using container = IommufdContainer.open({ kernel });
 * using _device = container.attach("0000:00:10.0");
 * using memory = container.allocate(1n << 20n);
 * using _mapping = container.map(memory, { iova: 0x1000_0000n });
 * using tracker = container.trackDirty();
 * kernel.dma("0000:00:10.0").write(0x1000_9000n, Uint8Array.of(1)); // the model's device works
 * const runs = [...tracker.runs()];
 * if (!runs.some(({ iova }) => iova === 0x1000_9000n)) throw new Error("page 9 is dirty");
 * if (!runs.every(({ label }) => label === "written")) throw new Error("the IOMMU tells of writes");
 * ```
 *
 * @see drivers/iommu/iommufd/main.c
 */
export class IommufdContainer implements Disposable {
  /** What it is made of, for what a container has no name for. */
  readonly iommufd: Iommufd;
  /** The address space that its devices share. */
  readonly space: Ioas;
  readonly #kernel: Kernel;
  readonly #members = new Map<IommufdMember, BoundDevice>();
  #table: Hwpt | undefined;
  #tracker: DirtyTracker | undefined;

  private constructor(
    kernel: Kernel,
    options: Pick<IommufdContainerOptions, "account" | "hugePages">,
  ) {
    const { account, hugePages } = options;
    using undo = new DisposableStack();
    this.#kernel = kernel;
    this.iommufd = undo.use(Iommufd.open({ kernel }));
    if (account !== undefined) this.iommufd.account = account;
    this.space = this.iommufd.addressSpace(hugePages === undefined ? {} : { hugePages });
    undo.move();
  }

  /**
   * Opens a container without devices.
   *
   * @returns The container; dispose closes it, with all that it made.
   * @throws {TypeError} If an option is not known or of the wrong kind.
   * @throws {VfioError} ENOENT: the kernel has no iommufd; EACCES: no right to open it; EPERM: no
   *   right to choose the account.
   * @see drivers/iommu/iommufd/main.c, iommufd_fops_open
   */
  static open(options?: IommufdContainerOptions): IommufdContainer {
    const { kernel = linux, ...rest } = checkOptions(options, OPTIONS);
    return new IommufdContainer(kernel, rest);
  }

  /** The devices that are attached, in the order they came. */
  get devices(): readonly IommufdMember[] {
    return [...this.#members.keys()];
  }

  /** The mappings, by rising address. */
  get mappings(): readonly IoasMapping[] {
    return this.space.mappings;
  }

  /** The tracker that runs, if one does. */
  get tracker(): DirtyTracker | undefined {
    return this.#tracker?.isOn === true ? this.#tracker : undefined;
  }

  /** The unit of addresses, lengths and dirty pages, in bytes. */
  get pageSize(): bigint {
    const { alignment } = this.space.ranges();
    return alignment > 4096n ? alignment : 4096n;
  }

  /**
   * Attaches a device, with dirty tracking where its IOMMU has it. All that is mapped is pinned for
   * the first one.
   *
   * @param target A PCI address `0000:00:10.0`, or the UUID of a mediated device.
   * @returns The device; dispose takes it out again.
   * @throws {TypeError} If it is neither.
   * @throws {ReferenceError} If pages are tracked and the device would write unseen.
   * @throws {VfioError} EBUSY: its group is open; ENOMEM: the memory limit; EINVAL: its IOMMU does not
   *   fit that of the other devices; and as {@link Iommufd.bind} does.
   * @see drivers/vfio/device_cdev.c, vfio_df_ioctl_attach_pt
   */
  attach(target: string): IommufdMember {
    using undo = new DisposableStack();
    const bound = undo.use(this.iommufd.bind(target));
    const { name } = bound;
    const tracksDirty = !isMediated(name) && this.iommufd.hardwareInfo(bound).dirtyTracking;
    if (!tracksDirty && this.tracker !== undefined) {
      throw new ReferenceError(
        `Cannot attach ${name}: dirty pages are tracked, and what it writes would not be seen`,
      );
    }
    if (tracksDirty && this.#table === undefined) {
      this.#table = this.space.pageTable(bound, { dirtyTracking: true });
      undo.defer(() => this.#dropTable());
    }
    bound.attach(tracksDirty ? this.#table! : this.space);
    const member: IommufdMember = {
      name,
      tracksDirty,
      device: () => deviceOf(bound),
      [Symbol.dispose]: () => this.#leave(member),
    };
    this.#members.set(member, bound);
    undo.move();
    return member;
  }

  #leave(member: IommufdMember): void {
    const bound = this.#members.get(member);
    if (bound === undefined) return;
    this.#members.delete(member);
    using stack = new DisposableStack();
    if (!this.devices.some(({ tracksDirty }) => tracksDirty)) stack.defer(() => this.#dropTable());
    stack.use(bound);
  }

  #dropTable(): void {
    const table = this.#table;
    this.#table = undefined;
    table?.[Symbol.dispose]();
  }

  /** Takes zeroed host memory that can be mapped, as {@link Iommufd.allocate} does. */
  allocate(size: bigint, options?: MemoryOptions): HostMemory {
    return this.iommufd.allocate(size, options);
  }

  /** Makes an eventfd that an interrupt of a device can signal. */
  event(): EventFd {
    return new EventFd(this.#kernel);
  }

  /** Lets the devices reach host memory, as {@link Ioas.map} does. */
  map(memory: HostMemory, options?: IoasMapOptions): IoasMapping {
    return this.space.map(memory, options);
  }

  /**
   * Unmaps everything, in one request.
   *
   * @returns Bytes that were removed.
   */
  unmapAll(): bigint {
    return this.space.unmapAll();
  }

  /**
   * Starts to track dirty pages. Dispose of the result stops it.
   *
   * @throws {ReferenceError} If the container is tracking already, or has no device.
   * @throws {VfioError} EOPNOTSUPP, if the IOMMU of a device does not track dirty pages.
   * @see drivers/iommu/iommufd/io_pagetable.c, iopt_set_dirty_tracking
   */
  trackDirty(options?: TrackOptions): DirtyTracker {
    if (options !== undefined) checkKind("options", options, "object");
    const action = "track dirty pages";
    if (this.#members.size === 0) {
      throw new ReferenceError(`Cannot ${action}: the container has no device; attach one first`);
    }
    const unseen = this.devices.filter(({ tracksDirty }) => !tracksDirty).map(({ name }) => name);
    if (unseen.length > 0 || this.#table === undefined) {
      throw unseenError(action, unseen);
    }
    this.#tracker = this.#table.trackDirty(options);
    return this.#tracker;
  }

  /** Keeps a ledger from now on, as {@link Iommufd.keepLedger} does. */
  keepLedger(): IommufdLedger {
    return this.iommufd.keepLedger();
  }

  /** Tells whether mappings will fit, as {@link Ioas.forecast} does. */
  forecast(maps: readonly PlannedMap[]): IommufdForecast {
    return this.space.forecast(maps);
  }

  /** Takes a snapshot of what this process has locked and pinned. */
  pins(): PinSnapshot {
    return pinsOf("self", this.#kernel);
  }

  /** One line for logs. */
  toString(): string {
    const names = this.devices.map(({ name }) => name).join(", ");
    const mapped = this.mappings.reduce((sum, { size }) => sum + size, 0n);
    return `iommufd container of [${names}], ${formatSize(mapped)} mapped`;
  }

  /** Ends tracking, detaches and closes devices, unmaps, closes; twice does nothing. */
  [Symbol.dispose](): void {
    using stack = new DisposableStack();
    stack.use(this.iommufd);
    for (const member of this.#members.keys()) stack.use(member);
    const { tracker } = this;
    if (tracker !== undefined) stack.use(tracker);
  }
}
