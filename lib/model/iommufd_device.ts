import { ERRNO } from "../base/errno.ts";
import type { IovaRange } from "../rules/iova.ts";
import { HwptObject } from "./iommufd_hwpt.ts";
import { IoasObject, IommufdObject, type Objects } from "./iommufd_object.ts";

/** The IOMMU of a device. */
export interface Hardware {
  /** Page tables fit all devices of one make. */
  readonly make: string;
  /** Sizes of its entries, the smallest first. */
  readonly entries: readonly bigint[];
  /** Where it can translate. */
  readonly aperture: IovaRange;
  /** What a device reserves of that, as its interrupts. */
  readonly reserved: readonly IovaRange[];
  /** Whether it tracks dirty pages. */
  readonly tracksDirty: boolean;
  /** Whether it nests page tables. */
  readonly nests: boolean;
  /** What GET_HW_INFO tells. */
  readonly type: number;
  /** The struct of that type. */
  readonly data: Uint8Array;
}

/** The devices of an IOMMU group in one iommufd: they share a page table. */
export interface BoundGroup {
  hwpt: HwptObject | undefined;
  readonly attached: Set<BoundObject>;
}

/** A device that is bound to an iommufd. @see drivers/iommu/iommufd/device.c */
export class BoundObject extends IommufdObject {
  readonly kind = "device";
  readonly hardware: Hardware;
  readonly group: BoundGroup;
  readonly #objects: Objects;

  /** A device that is attached to nothing; the driver that bound it keeps it. */
  constructor(objects: Objects, hardware: Hardware, group: BoundGroup) {
    super();
    this.users = 1;
    this.#objects = objects;
    this.hardware = hardware;
    this.group = group;
  }

  /** Whether it is attached to a page table. */
  get isAttached(): boolean {
    return this.group.attached.has(this);
  }

  /** Attaches to an address space or a page table, or moves there: the page table's number, or -errno. */
  attach(id: number): number {
    const target = this.#objects.get(id);
    if (target === undefined) return -ERRNO.ENOENT;
    const result = target instanceof HwptObject
      ? this.#join(target)
      : target instanceof IoasObject
      ? this.#joinAny(target)
      : -ERRNO.EINVAL;
    if (result < 0) return result;
    return this.#objects.idOf(this.group.hwpt!);
  }

  #join(hwpt: HwptObject): number {
    return this.isAttached ? this.#replace(hwpt) : this.#attach(hwpt);
  }

  /** A page table that the kernel made itself is taken, or made. @see iommufd_device_auto_get_domain */
  #joinAny(ioas: IoasObject): number {
    for (const domain of ioas.iopt.domains) {
      if (!(domain instanceof HwptObject) || !domain.isAuto) continue;
      const result = this.#join(domain);
      if (result !== -ERRNO.EINVAL) return result;
    }
    const hwpt = new HwptObject(ioas, this.hardware, { isAuto: true, tracksDirty: false });
    this.#objects.add(hwpt);
    // A new attachment comes before the mappings, a replaced one after them.
    const replaces = this.isAttached;
    let result = replaces ? 0 : this.#attach(hwpt);
    if (result === 0) {
      result = ioas.iopt.addDomain(hwpt);
      if (result < 0 && !replaces) this.#leave();
    }
    if (result === 0 && replaces) result = this.#replace(hwpt);
    if (result < 0) this.#objects.remove(hwpt);
    return result;
  }

  /** @see iommufd_hw_pagetable_attach */
  #attach(hwpt: HwptObject): number {
    const { group } = this;
    if (group.hwpt !== undefined && group.hwpt !== hwpt) return -ERRNO.EINVAL;
    const result = this.#reserve(hwpt);
    if (result < 0) return result;
    if (group.attached.size === 0 && !hwpt.fits(this.hardware)) {
      hwpt.ioas.iopt.release(this);
      return -ERRNO.EINVAL;
    }
    group.hwpt = hwpt;
    group.attached.add(this);
    hwpt.users += 1;
    this.users += 1;
    return 0;
  }

  #reserve({ ioas: { iopt } }: HwptObject): number {
    for (const { start, end } of this.hardware.reserved) {
      const result = iopt.reserve(start, end, this);
      if (result === 0) continue;
      iopt.release(this);
      return result;
    }
    return 0;
  }

  /** The whole group moves. @see iommufd_device_do_replace */
  #replace(hwpt: HwptObject): number {
    const { group } = this;
    const old = group.hwpt!;
    if (old === hwpt) return 0;
    const moves = hwpt.ioas !== old.ioas;
    for (const device of moves ? group.attached : []) {
      const result = device.#reserve(hwpt);
      if (result === 0) continue;
      for (const other of group.attached) hwpt.ioas.iopt.release(other);
      return result;
    }
    if (!hwpt.fits(this.hardware)) {
      for (const device of moves ? group.attached : []) hwpt.ioas.iopt.release(device);
      return -ERRNO.EINVAL;
    }
    for (const device of moves ? group.attached : []) old.ioas.iopt.release(device);
    group.hwpt = hwpt;
    hwpt.users += group.attached.size;
    old.users -= group.attached.size;
    this.#putAuto(old);
    return 0;
  }

  #putAuto(hwpt: HwptObject): void {
    if (hwpt.isAuto && hwpt.users === 0) this.#objects.remove(hwpt);
  }

  /** Detaches, if it is attached. */
  detach(): void {
    if (!this.isAttached) return;
    const hwpt = this.group.hwpt!;
    this.#leave();
    this.#putAuto(hwpt);
  }

  #leave(): void {
    const { group } = this;
    const hwpt = group.hwpt!;
    group.attached.delete(this);
    if (group.attached.size === 0) group.hwpt = undefined;
    hwpt.ioas.iopt.release(this);
    hwpt.users -= 1;
    this.users -= 1;
  }

  /** Detaches and takes the device out of the iommufd. */
  unbind(): void {
    this.detach();
    this.users -= 1;
    this.#objects.remove(this);
  }
}

/** A mediated device in an iommufd: its driver reaches memory with the processor. */
export class AccessObject extends IommufdObject {
  readonly kind = "access";
  /** What it is attached to. */
  ioas: IoasObject | undefined;
  readonly #objects: Objects;

  /** A device that is attached to nothing. */
  constructor(objects: Objects) {
    super();
    this.users = 1;
    this.#objects = objects;
  }

  /** Attaches to an address space, or moves there: its number, or -errno. */
  attach(id: number): number {
    const ioas = this.#objects.find(id, IoasObject);
    if (ioas === undefined) return -ERRNO.ENOENT;
    if (ioas === this.ioas) return id;
    if (ioas.iopt.hasOdd(4096n)) return -ERRNO.EADDRINUSE;
    this.detach();
    ioas.iopt.accesses.add(this);
    ioas.iopt.align();
    ioas.users += 1;
    this.ioas = ioas;
    return id;
  }

  /** Detaches, if it is attached. */
  detach(): void {
    if (this.ioas === undefined) return;
    this.ioas.iopt.accesses.delete(this);
    this.ioas.iopt.align();
    this.ioas.users -= 1;
    this.ioas = undefined;
  }

  /** Detaches and takes the device out of the iommufd. */
  unbind(): void {
    this.detach();
    this.users -= 1;
    this.#objects.remove(this);
  }
}
