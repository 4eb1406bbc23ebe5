/** Where checks work: a kernel, devices that are ready, and memory. */

import { errnoName } from "../base/errno.ts";
import { VFIO_GROUP_FLAGS_VIABLE } from "../uapi/flag.ts";
import { vfio_group_status } from "../uapi/group.ts";
import { VFIO_GROUP_GET_STATUS } from "../uapi/request.ts";
import type { Kernel } from "../sys/kernel.ts";
import type { Need } from "./check.ts";
import { counter, hasIpcLock } from "./status.ts";
import { type Member, openContainer, openGroup, RawContainer, type RawGroup } from "./container.ts";
import { type Devices, findDevices } from "./devices.ts";
import { type Facts, factsOf } from "./facts.ts";
import { findNodes } from "./node.ts";
import { Pinner } from "./pinner.ts";
import { Places } from "./place.ts";
import { answer, Unprepared } from "./raw.ts";

/** Where checks map: an address that devices of all sizes reach. */
const LOW = 0x100_0000n;
/** The page until a container has said another one. */
const USUAL_PAGE = 4096n;
/** Mappings that the suite makes one by one to reach the limit, at most. */
const SMALL_LIMIT = 1000;

/** See the file. */
export class Bench implements Disposable {
  readonly kernel: Kernel;
  readonly devices: Devices;
  /** What the container of the first PCI device says; undefined where there is none. */
  readonly facts: Facts | undefined;
  /** Smallest page of the IOMMU, in bytes. */
  readonly page: bigint;
  readonly places: Places;
  /** Nodes of PCI devices, as /dev/vfio/devices/vfio0, in the order of the devices. */
  readonly nodes: readonly string[];
  readonly #missing: ReadonlyMap<Need, string>;
  readonly #nonViable: Member | undefined;
  readonly #stack: DisposableStack;

  /**
   * Looks at the host.
   *
   * @param kernel The kernel to ask.
   * @param only Names of devices to keep to; all that are ready where it is empty.
   */
  constructor(kernel: Kernel, only: readonly string[] = []) {
    using stack = new DisposableStack();
    stack.use(kernel.retain());
    this.kernel = kernel;
    const found = findDevices(kernel, only);
    const state = new Map(
      Object.values(found).flat()
        .map((member) => [member, stateOf(kernel, member)] as const),
    );
    const ready = (list: readonly Member[]): Member[] =>
      list.filter((member) => state.get(member) === "ready");
    this.devices = {
      pci: ready(found.pci),
      mdev: ready(found.mdev),
      noUnmap: ready(found.noUnmap),
      logging: ready(found.logging),
      migrating: ready(found.migrating),
      vendorPci: ready(found.vendorPci),
    };
    this.#nonViable = found.pci.find((member) => state.get(member) === "not viable");
    const missing = new Map<Need, string>();
    const [pci, second] = [...this.devices.pci, ...this.devices.vendorPci];
    const why = [...state].map(([{ name }, is]) => `${name} is ${is}`).join(", ");
    if (this.devices.pci.length === 0) {
      const which = only.length === 0 ? "no PCI device" : "no PCI device of those named";
      missing.set("device", `${which} is bound to vfio-pci and free${why && `: ${why}`}`);
    }
    if (second === undefined) missing.set("second", "there is no second PCI device in a group");
    this.facts = this.#probe(missing, this.devices.pci[0] === undefined ? undefined : pci);
    if ((this.facts?.ranges?.length ?? 0) < 2) missing.set("hole", "the IOVA ranges have no hole");
    if ((this.facts?.available ?? Infinity) > SMALL_LIMIT) {
      missing.set("entry-limit", `vfio_iommu_type1's dma_entry_limit is above ${SMALL_LIMIT}`);
    }
    if (this.#nonViable === undefined) {
      missing.set("non-viable", "no group holds a device of the host beside one of VFIO");
    }
    if (hasIpcLock(kernel)) {
      missing.set("memory-limit", "the process has CAP_IPC_LOCK, and no limit counts");
    } else missing.set("ipc-lock", "the process has no CAP_IPC_LOCK");
    const driver = "the lab's vendor driver is not loaded, or has no such device that is free";
    const [mdev, mdev2] = this.devices.mdev;
    if (mdev === undefined) missing.set("mdev", driver);
    if (mdev2 === undefined) missing.set("mdev2", driver);
    if (this.devices.noUnmap.length === 0) missing.set("no-unmap", driver);
    if (this.devices.logging.length === 0) missing.set("log", driver);
    if (this.devices.migrating.length === 0) missing.set("migrates", driver);
    if (this.devices.vendorPci.length === 0) missing.set("vendor-pci", driver);
    this.nodes = findNodes(kernel, this.devices.pci, missing);
    this.#missing = missing;
    this.page = this.facts?.page ?? USUAL_PAGE;
    this.places = stack.use(new Places(kernel, this.page));
    this.#stack = stack.move();
  }

  /** Asks once whether the device can have an IOMMU. */
  #probe(missing: Map<Need, string>, pci: Member | undefined): Facts | undefined {
    const remapped = "interrupts are remapped, or the risk is taken";
    if (pci === undefined) {
      for (const need of ["container", "unsafe-interrupts"] as const) {
        missing.set(need, missing.get("device")!);
      }
      return undefined;
    }
    try {
      using container = new RawContainer(this.kernel, pci, "v2");
      missing.set("unsafe-interrupts", remapped);
      return factsOf(container);
    } catch (error) {
      if (!(error instanceof Unprepared)) throw error;
      missing.set("container", `${pci.name} gets no IOMMU: ${error.message}`);
      if (error.answer !== "EPERM") missing.set("unsafe-interrupts", remapped);
      return undefined;
    }
  }

  /** Why a check cannot run here; undefined if it can. */
  missing(needs: readonly Need[]): string | undefined {
    return needs.map((need) => this.#missing.get(need)).find((reason) => reason !== undefined);
  }

  /** The device of most checks. */
  get pci(): Member {
    return need(this.devices.pci[0]);
  }

  /** A second device behind an IOMMU. */
  get second(): Member {
    return need([...this.devices.pci, ...this.devices.vendorPci][1]);
  }

  /** A mediated device that pins. */
  get mdev(): Member {
    return need(this.devices.mdev[0]);
  }

  /** Another one. */
  get mdev2(): Member {
    return need(this.devices.mdev[1]);
  }

  /** A mediated device whose driver has no dma_unmap callback. */
  get noUnmap(): Member {
    return need(this.devices.noUnmap[0]);
  }

  /** A mediated device that keeps a log. */
  get logging(): Member {
    return need(this.devices.logging[0]);
  }

  /** A mediated device that migrates only while it is stopped. */
  get migrating(): Member {
    return need(this.devices.migrating[0]);
  }

  /** A PCI device whose driver pins. */
  get vendorPci(): Member {
    return need(this.devices.vendorPci[0]);
  }

  /** A device whose group is not viable. */
  get nonViable(): Member {
    return need(this.#nonViable);
  }

  /** A container with a device: the first PCI device, and type 1 v2, unless told otherwise. */
  container(member: Member = this.pci, type: "v1" | "v2" = "v2"): RawContainer {
    return new RawContainer(this.kernel, member, type);
  }

  /** A container without a group. */
  emptyContainer(): ReturnType<typeof openContainer> {
    return openContainer(this.kernel);
  }

  /** An open group without a container. */
  group(member: Member = this.pci): RawGroup {
    return openGroup(this.kernel, member);
  }

  /** Opens a device of the vendor driver whose group is attached. */
  pinner(group: RawGroup, member: Member): Pinner {
    return new Pinner(group.device(member.name));
  }

  /** That many pages, in bytes. */
  pages(count: number): bigint {
    return BigInt(count) * this.page;
  }

  /** The address of a page, counted from where checks map. */
  at(page: number): bigint {
    return LOW + this.pages(page);
  }

  /** Bytes as a count of pages, as "1 page". */
  count(bytes: bigint): string {
    if (bytes % this.page !== 0n) return `${bytes} bytes`;
    return bytes === this.page ? "1 page" : `${bytes / this.page} pages`;
  }

  /** VmLck in pages. */
  locked(): number {
    return Number(counter(this.kernel, "VmLck") / this.page);
  }

  /** VmPin in pages. */
  pinned(): number {
    return Number(counter(this.kernel, "VmPin") / this.page);
  }

  /** Gives memory and libc back. */
  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}

/** What {@link Bench.missing} has made sure of. */
function need<T>(value: T | undefined): T {
  if (value === undefined) throw new Unprepared("the device", "not there");
  return value;
}

/** Whether a group can be used. */
function stateOf(kernel: Kernel, member: Member): string {
  const path = `/dev/vfio/${member.group}`;
  try {
    using group = openGroup(kernel, member);
    const status = vfio_group_status.create();
    status.fields.argsz = vfio_group_status.size;
    const result = group.ask(VFIO_GROUP_GET_STATUS, status.bytes);
    if (result < 0) return `${answer(result)} at GET_STATUS`;
    return (status.fields.flags & VFIO_GROUP_FLAGS_VIABLE) === 0 ? "not viable" : "ready";
  } catch (error) {
    if (!(error instanceof Unprepared)) throw error;
    return error.answer === errnoName(16)
      ? "in use"
      : `not to be opened (${path}: ${error.answer})`;
  }
}
