import { checkKind } from "../base/argument.ts";
import { ERRNO } from "../base/errno.ts";
import { check, RuleError, VfioError } from "../base/error.ts";
import type { AccountState } from "../pins/cost.ts";
import { type Forecast, forecast, type PlannedMap } from "../pins/forecast.ts";
import { Ledger } from "../pins/ledger.ts";
import type { PinSnapshot } from "../pins/snapshot.ts";
import { startRefusal } from "../rules/dirty.ts";
import { O_CLOEXEC, O_RDWR } from "../sys/constant.ts";
import type { Kernel } from "../sys/kernel.ts";
import { OwnedFd } from "../sys/owned_fd.ts";
import { VFIO_UNMAP_ALL } from "../uapi/flag.ts";
import { VFIO_GET_API_VERSION } from "../uapi/request.ts";
import { attachGroup, hasExtension } from "./attach.ts";
import { type Group, newGroup } from "./group.ts";
import { dirtyInfo, type IommuInfo, readIommuInfo } from "./iommu_info.ts";
import type { IommuType } from "./iommu_type.ts";
import { Mapper, type MapperHost } from "./mapper.ts";
import { pinsOf } from "./pins.ts";
import { Recorder } from "./recorder.ts";
import { ScopeKeeper } from "./scope.ts";
import { type GroupId, isEmulated } from "./topology.ts";
import { coreOf, type DirtyTracker, startTracking } from "../track/tracker.ts";
import { Type1Source } from "./type1_source.ts";

const PATH = "/dev/vfio/vfio";

/**
 * What a container consists of, and what happens when groups come and go. `Container` is its public
 * face; the mapper, the tracker and the ledger meet here.
 */
export class ContainerCore implements MapperHost, Disposable {
  /** What answers the system calls. */
  readonly kernel: Kernel;
  /** The version of type1 that is, or will be, set. */
  readonly type: IommuType;
  /** Groups in the order they came. */
  readonly groups: Map<Group, GroupId> = new Map();
  /** What is mapped. */
  readonly mapper: Mapper;
  /** What dirty bits mean. */
  readonly scope: ScopeKeeper = new ScopeKeeper();
  /** The tracker that runs. */
  tracker: DirtyTracker | undefined;
  /** Who enters operations in the ledger, if one is kept. */
  recorder: Recorder | undefined;
  readonly #retained: Disposable;
  readonly #file: OwnedFd;
  #iommu: IommuInfo | undefined;
  #hadGroup = false;

  /** Opens a container without groups. */
  constructor(kernel: Kernel, type: IommuType) {
    this.kernel = kernel;
    this.type = type;
    using stack = new DisposableStack();
    this.#retained = stack.use(kernel.retain());
    const action = "open a VFIO container";
    const fd = check(kernel.open(PATH, O_RDWR | O_CLOEXEC), "open", action, whyNotOpen);
    this.#file = stack.use(new OwnedFd(kernel, fd, "the container"));
    const version = check(
      kernel.ioctl(fd, VFIO_GET_API_VERSION),
      "VFIO_GET_API_VERSION",
      action,
      (errno) => errno === ERRNO.ENOTTY ? `${PATH} is a file of another kind` : undefined,
    );
    if (version !== 0) {
      throw new VfioError({
        operation: "VFIO_GET_API_VERSION",
        errno: ERRNO.EOPNOTSUPP,
        action,
        hint: `Pinscope knows version 0 of the VFIO API; the kernel has ${version}`,
      });
    }
    this.mapper = new Mapper(this);
    stack.move();
  }

  /** The container's file, while it is open. */
  get fd(): number {
    return this.#file.fd;
  }

  /** Whether UNMAP knows the flag ALL. */
  get unmapsAll(): boolean {
    return hasExtension(this.kernel, this.fd, VFIO_UNMAP_ALL);
  }

  /** Properties of the IOMMU, read when the last group came or went. */
  get iommu(): IommuInfo {
    if (this.#iommu !== undefined) return this.#iommu;
    throw new ReferenceError(
      this.#hadGroup
        ? "The container has no group any more: mappings and dirty tracking went with the last " +
          "one; attach a device again"
        : "The container has no group yet: attach a device first",
    );
  }

  /** Reads the properties anew. */
  info(): IommuInfo {
    void this.iommu;
    return readIommuInfo(this.kernel, this.fd);
  }

  /** Waits for a read of dirty pages that is under way: what comes next changes what they mean. */
  quiesce(): void {
    if (this.tracker !== undefined) coreOf(this.tracker).settle();
  }

  /** See `Container.pins`. */
  pins(): PinSnapshot {
    const dmaAvailable = this.#iommu === undefined ? undefined : this.info().dmaAvailable;
    return pinsOf("self", this.kernel).with({ dmaAvailable });
  }

  /** Bytes that are mapped. */
  get mapped(): bigint {
    let total = 0n;
    for (const { size } of this.mapper.pieces) total += size;
    return total;
  }

  /** See `Container.attach`. */
  attach(target: string): Group {
    const { kernel, fd, type, mapped } = this;
    this.quiesce();
    this.recorder?.begin();
    const attached = [...this.groups.keys()].map(({ number }) => number);
    const { info, ...joined } = attachGroup({ kernel, fd, type, attached, mapped }, target);
    this.#iommu = info;
    const onLeaving = (): void => {
      this.quiesce();
      this.recorder?.begin();
    };
    const onLeave = (left: Group): void => this.#left(left);
    const group = newGroup({ kernel, ...joined, onLeaving, onLeave });
    this.groups.set(group, joined.id);
    this.#hadGroup = true;
    this.scope.attached(joined.id);
    this.#record("attach", joined.id);
    return group;
  }

  #left(group: Group): void {
    const id = this.groups.get(group);
    if (id === undefined) return;
    this.groups.delete(group);
    const reportsAll = this.scope.left(id);
    if (this.groups.size === 0) {
      // The kernel has dropped the IOMMU with all mappings and tracking by now.
      this.#iommu = undefined;
      if (this.tracker !== undefined) coreOf(this.tracker).end();
      this.mapper.forgetAll();
    } else {
      this.#iommu = readIommuInfo(this.kernel, this.fd);
      if (reportsAll !== "no" && this.tracker !== undefined) {
        coreOf(this.tracker).noteGroupLeft(reportsAll === "yes");
      }
    }
    this.#record("detach", id);
  }

  #record(kind: "attach" | "detach", id: GroupId): void {
    const operation = { kind, emulated: isEmulated(id) };
    this.recorder?.end({ operation, subject: `group ${id.number}` });
  }

  /** What the accounts depend on, as it is now. */
  accountState(): AccountState {
    const ids = [...this.groups.values()];
    const iommuGroups = ids.filter((id) => !isEmulated(id)).length;
    return { groups: ids.length, iommuGroups, mapped: this.mapped, driverLocked: 0n };
  }

  /** See `Container.keepLedger`. */
  keepLedger(): Ledger {
    if (this.recorder === undefined) {
      const snapshot = (): PinSnapshot => this.pins();
      this.recorder = new Recorder(new Ledger(this.accountState(), snapshot()), snapshot);
    }
    return this.recorder.ledger;
  }

  /** See `Container.recordDriver`. */
  recordDriver<T>(subject: string, pages: number, body: () => T): T {
    checkKind("subject", subject, "string");
    checkKind("pages", pages, "number");
    checkKind("body", body, "function");
    if (!Number.isSafeInteger(pages)) {
      throw new RangeError(`pages must be a whole number; got ${pages}`);
    }
    const { recorder } = this;
    if (recorder === undefined) throw new ReferenceError("No ledger is kept: see keepLedger");
    recorder.begin();
    const result = body();
    const size = BigInt(pages) * this.iommu.pageSize;
    recorder.end({ operation: { kind: "driver", size }, subject });
    return result;
  }

  /** See `Container.forecast`. */
  forecast(maps: readonly PlannedMap[]): Forecast {
    const { pageSize, iovaRanges, dmaAvailable } = this.info();
    return forecast({
      pageSize,
      ranges: iovaRanges,
      dmaAvailable,
      mappings: this.mapper.pieces,
      hasIommu: this.accountState().iommuGroups > 0,
      pins: this.pins(),
    }, maps);
  }

  /** See `Container.trackDirty`. */
  trackDirty(): DirtyTracker {
    if (this.tracker !== undefined) {
      throw new ReferenceError(
        "The container is tracking dirty pages already: a second tracker's end would stop both",
      );
    }
    const { kernel, fd, scope } = this;
    const { pieces } = this.mapper;
    const { pageSize, migration } = dirtyInfo(this.iommu, this.type);
    const refusal = startRefusal(pieces, pageSize);
    if (refusal !== undefined) {
      throw new RuleError(`Cannot track dirty pages: ${refusal.reason}`, refusal);
    }
    const maxBitmapBytes = Number(migration.maxBitmapBytes);
    const source = new Type1Source({ kernel, fd, pageSize, maxBitmapBytes, scope });
    const onEnd = (): void => void (this.tracker = undefined);
    this.tracker = startTracking({ kernel, source, pieces, onEnd });
    return this.tracker;
  }

  /** Ends tracking, unmaps, closes devices and groups, closes the container; twice does nothing. */
  [Symbol.dispose](): void {
    if (!this.#file.isOpen) return;
    using stack = new DisposableStack();
    stack.use(this.#retained);
    stack.use(this.#file);
    for (const group of this.groups.keys()) stack.use(group);
    for (const mapping of this.mapper.mappings()) stack.use(mapping);
    if (this.tracker !== undefined) stack.use(this.tracker);
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
