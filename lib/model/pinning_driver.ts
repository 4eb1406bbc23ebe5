import { ERRNO } from "../base/errno.ts";
import type { Extent } from "../base/extent.ts";
import { PIN_PAGES_MAX, PIN_RULES } from "../rules/pin.ts";
import { firstRefusal } from "../rules/refusal.ts";
import { DeviceLog } from "./device_log.ts";
import { DeviceMigration } from "./device_migration.ts";
import type { MemoryPlace } from "./memory.ts";
import { PAGE } from "./page.ts";
import type { Process } from "./process.ts";
import type { AttachedGroup, Type1, UnmapListener } from "./type1.ts";
import { VendorDriver, type Workload } from "./vendor_driver.ts";
import { CommandRegion } from "./vendor_region.ts";

/** Where a driver's device is: the container's IOMMU, and its own group in it. */
export interface DriverPlace {
  readonly iommu: Type1;
  readonly group: AttachedGroup;
}

/** What a driver can besides. */
export interface DriverTalents {
  /** Whether it is told of unmaps; without that it may not pin. */
  readonly hasUnmapCallback?: boolean;
  /** Whether its device keeps a log of its writes. */
  readonly logs?: boolean | undefined;
  /** VFIO_MIGRATION flags of its device; undefined, if it does not migrate. */
  readonly migration?: number | undefined;
}

/** What a driver holds of a page. */
interface Held {
  count: number;
  mayWrite: boolean;
  readonly place: MemoryPlace;
}

const WRITE = 2;

/**
 * A driver that pins: for a script that plays its device, and for a program that commands it through
 * its region, as it commands the driver of Pinscope's lab.
 *
 * @see tests/lab/vendor/pins.c
 */
export class PinningDriver implements UnmapListener {
  /** What a script plays the device with. */
  readonly script: VendorDriver = new VendorDriver(this);
  /** Its command region. */
  readonly region: CommandRegion;
  /** Whether it is told of unmaps; without that it may not pin. */
  readonly hasUnmapCallback: boolean;
  /** The log of the device's writes. */
  readonly log: DeviceLog | undefined;
  /** The migration states of the device. */
  readonly migration: DeviceMigration | undefined;
  readonly #place: () => DriverPlace | undefined;
  readonly #workload: Workload | undefined;
  // What this driver holds, to be given back when the memory is unmapped or the device closed.
  readonly #held = new Map<bigint, Held>();
  #pins = 0;
  #round = 0;

  /** Made by the model. */
  constructor(
    place: () => DriverPlace | undefined,
    workload: Workload | undefined,
    { hasUnmapCallback = true, logs = false, migration }: DriverTalents = {},
  ) {
    this.#place = place;
    this.#workload = workload;
    this.hasUnmapCallback = hasUnmapCallback;
    if (logs) this.log = new DeviceLog();
    this.region = new CommandRegion(this);
    if (migration !== undefined) this.migration = new DeviceMigration(this.region, migration);
  }

  /** What the container of the device has mapped. */
  mappings(): readonly Extent[] {
    const iommu = this.#place()?.iommu;
    return iommu === undefined ? [] : [...iommu.mappings];
  }

  /** What the driver holds: pages, and pins, a page as often as it was pinned. */
  get pinned(): { readonly pages: number; readonly pins: number } {
    return { pages: this.#held.size, pins: this.#pins };
  }

  /** One vfio_pin_pages with rights of its own. */
  pinOnce(iova: bigint, pages: number, rights: number): number {
    const place = this.#place();
    if (place === undefined) return -ERRNO.ENODEV;
    // Type1 would take such an address, and not find the page again.
    if (iova % PAGE !== 0n || pages <= 0) return -ERRNO.EINVAL;
    const { iommu, group } = place;
    const { hasUnmapCallback } = this;
    const { behaviour } = iommu;
    const refusal = firstRefusal(PIN_RULES, { pages }, { hasUnmapCallback, behaviour });
    if (refusal !== undefined) return -refusal.errno;
    // A script may play a device that no file has open; it must hear of unmaps all the same.
    if (hasUnmapCallback && !iommu.listeners.includes(this)) iommu.listeners.unshift(this);
    const result = iommu.pin({ iova, pages, rights }, group);
    for (let i = 0; i < result; i += 1) this.#hold(iommu, pageAt(iova, i), (rights & WRITE) !== 0);
    return result;
  }

  #hold(iommu: Type1, page: bigint, mayWrite: boolean): void {
    this.#pins += 1;
    const held = this.#held.get(page);
    if (held !== undefined) {
      held.count += 1;
      held.mayWrite ||= mayWrite;
      return;
    }
    const dma = iommu.mappings.find(page, iommu.pageSize)!;
    const { place } = dma.pins.get(Number((page - dma.iova) / iommu.pageSize))!;
    this.#held.set(page, { count: 1, mayWrite, place });
  }

  /** Pins any number of pages in calls of at most 512: all or none. */
  pinBatches(iova: bigint, pages: bigint, rights: number): number {
    if (iova % PAGE !== 0n) return -ERRNO.EINVAL;
    let done = 0;
    while (BigInt(done) < pages) {
      const rest = pages - BigInt(done);
      const batch = rest < PIN_PAGES_MAX ? Number(rest) : PIN_PAGES_MAX;
      const result = this.pinOnce(pageAt(iova, done), batch, rights);
      if (result < 0) {
        this.unpin(iova, done);
        return result;
      }
      done += batch;
    }
    return done;
  }

  /** Gives pins back. Pages that this driver has not pinned are left alone. */
  unpin(iova: bigint, pages: number): void {
    for (let i = 0; i < pages; i += 1) {
      const page = pageAt(iova, i);
      const held = this.#held.get(page);
      if (held === undefined) continue;
      this.#pins -= 1;
      held.count -= 1;
      if (held.count === 0) this.#held.delete(page);
      this.#place()?.iommu.unpin(page, 1);
    }
  }

  /** Gives back pages that must all be pinned: their count or -errno. */
  unpinAll(iova: bigint, pages: bigint): number {
    const first = iova - iova % PAGE;
    for (let i = 0; BigInt(i) < pages; i += 1) {
      if (!this.#held.has(pageAt(first, i))) return -ERRNO.ENOENT;
    }
    this.unpin(first, Number(pages));
    return Number(pages);
  }

  /** vfio_dma_rw, in the name of a process or of the driver's own thread: 0 or -errno. */
  access(iova: bigint, bytes: Uint8Array, write: boolean, current?: Process): number {
    const result = this.#place()?.iommu.access(iova, bytes, { write, current }) ?? -ERRNO.ENODEV;
    if (result >= 0 && write) this.log?.write(iova, BigInt(bytes.length));
    return result;
  }

  /** Writes into a page that is pinned, which VFIO does not see: bytes or -errno. */
  writePinned(iova: bigint, length: number, data: Uint8Array): number {
    const offset = Number(iova % PAGE);
    const held = this.#held.get(iova - iova % PAGE);
    if (held === undefined) return -ERRNO.ENOENT;
    if (!held.mayWrite) return -ERRNO.EPERM;
    if (length > Number(PAGE) - offset) return -ERRNO.EINVAL;
    held.place.write(offset, data.subarray(0, length));
    this.log?.write(iova, BigInt(length));
    return length;
  }

  /** Does the next round of the workload of its scene. */
  work(): void {
    if (this.migration?.runs === false) return;
    this.#workload?.(this.script, this.#round);
    this.#round += 1;
  }

  /** The callback dma_unmap: pins in the range are given back. */
  dmaUnmap(iova: bigint, size: bigint): void {
    this.region.noteUnmap(iova, size, this.#drop(iova, size));
  }

  #drop(iova: bigint, size: bigint): number {
    let pages = 0;
    for (const [page, { count }] of [...this.#held]) {
      if (page < iova || page >= iova + size) continue;
      for (let i = 0; i < count; i += 1) this.unpin(page, 1);
      pages += 1;
    }
    return pages;
  }

  /** Gives everything back, when the device is closed. */
  close(): void {
    this.#drop(0n, 1n << 64n);
    const { listeners = [] } = this.#place()?.iommu ?? {};
    const index = listeners.indexOf(this);
    if (index >= 0) listeners.splice(index, 1);
    this.log?.reset();
    this.migration?.restart();
    this.region.reset();
    this.#round = 0;
  }

  /** A reset of the device: it runs, and its data is gone. */
  reset(): void {
    this.migration?.restart();
    this.region.load(new Uint8Array(this.region.data.length));
  }
}

const pageAt = (iova: bigint, page: number): bigint =>
  BigInt.asUintN(64, iova + BigInt(page) * PAGE);
