import { ERRNO } from "../base/errno.ts";
import type { IovaRange } from "../rules/iova.ts";
import { type DirtyRead, FoundBits, HwptDirty } from "./hwpt_dirty.ts";
import type { Hardware } from "./iommufd_device.ts";
import { type IoasObject, IommufdObject } from "./iommufd_object.ts";
import type { Domain } from "./iopt.ts";
import type { Area } from "./iopt_area.ts";
import type { Process } from "./process.ts";

/** A page table of an IOMMU. @see drivers/iommu/iommufd/hw_pagetable.c */
export class HwptObject extends IommufdObject implements Domain {
  readonly kind = "hwpt";
  /** Whose mappings it has. */
  readonly ioas: IoasObject;
  /** Whether the kernel made it for a device that was attached to an address space. */
  readonly isAuto: boolean;
  /** Whether it was made with dirty tracking. */
  readonly tracksDirty: boolean;
  readonly dirty: HwptDirty;
  readonly #hardware: Hardware;

  /** A page table without mappings: `ioas.iopt.addDomain` gives it those. */
  constructor(
    ioas: IoasObject,
    hardware: Hardware,
    how: { readonly isAuto: boolean; readonly tracksDirty: boolean },
  ) {
    super();
    this.ioas = ioas;
    this.#hardware = hardware;
    this.isAuto = how.isAuto;
    this.tracksDirty = how.tracksDirty;
    this.dirty = new HwptDirty(this.pageSize, (area, iova) => this.#entryAt(area, iova));
    ioas.users += 1;
  }

  /** Smallest entry, in bytes. */
  get pageSize(): bigint {
    return this.#hardware.entries[0]!;
  }

  /** Where it can translate. */
  get aperture(): IovaRange {
    return this.#hardware.aperture;
  }

  /** Whether a device's IOMMU can use it. */
  fits({ make, tracksDirty }: Hardware): boolean {
    return make === this.#hardware.make && (tracksDirty || !this.tracksDirty);
  }

  /** The largest entry that holds an address: as far as mapping and memory go together. */
  #entryAt(area: Area, iova: bigint): bigint {
    const { entries } = this.#hardware;
    if (!this.ioas.iopt.hugePages) return this.pageSize;
    const { memory } = area.pages.owner;
    for (let i = entries.length - 1; i > 0; i -= 1) {
      const size = entries[i]!;
      const head = iova - iova % size;
      if (head < area.iova || head + size > area.iova + area.size) continue;
      const vaddr = area.vaddr(head);
      if (vaddr % size === 0n && memory.togetherAt(vaddr) >= size) return size;
    }
    return this.pageSize;
  }

  forget(area: Area): void {
    this.dirty.forget(area.iova, area.size);
  }

  /** Switches tracking on, with nothing dirty, or off. */
  setTracking(on: boolean): void {
    if (on) this.dirty.clear();
    this.dirty.tracking = on;
  }

  /** Reads bits for a process. The walk ends at the first hole, and without tracking at once. */
  read(read: DirtyRead, current: Process): void {
    const { iova, size, clear } = read;
    const found = new FoundBits(read);
    if (!this.dirty.tracking || size === 0n) return;
    let at = iova;
    for (const area of this.ioas.iopt.areas.inRange(iova, size)) {
      if (area.iova > at) break;
      const areaEnd = area.iova + area.size;
      const end = areaEnd < iova + size ? areaEnd : iova + size;
      this.dirty.walk(area, at, end, clear, found);
      at = end;
    }
    found.store(current);
  }

  /** Reads or writes memory as a device does: 0, or -EFAULT for a fault, and nothing is transferred. */
  access(iova: bigint, bytes: Uint8Array, write: boolean): number {
    const parts: (() => void)[] = [];
    for (let done = 0; done < bytes.length;) {
      const address = iova + BigInt(done);
      const area = this.ioas.iopt.areas.overlapping(address, 1n);
      if (area === undefined || !(write ? area.canWrite : area.canRead)) return -ERRNO.EFAULT;
      const rest = area.iova + area.size - address;
      const end = rest < BigInt(bytes.length - done) ? done + Number(rest) : bytes.length;
      const part = bytes.subarray(done, end);
      const { memory } = area.pages.owner;
      const vaddr = area.vaddr(address);
      parts.push(() => {
        if (!write) return void memory.read(vaddr, part);
        memory.write(vaddr, part);
        this.dirty.note(address, BigInt(part.length));
      });
      done = end;
    }
    for (const transfer of parts) transfer();
    return 0;
  }

  override destroy(): void {
    this.ioas.iopt.removeDomain(this);
    this.ioas.users -= 1;
  }
}
