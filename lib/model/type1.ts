import { ERRNO } from "../base/errno.ts";
import { ExtentSet } from "../base/extent.ts";
import type { IovaRange } from "../rules/iova.ts";
import { mapRefusal } from "../rules/map.ts";
import type { ProposalV9 } from "../rules/proposal.ts";
import { unmapRefusal, type UnmapRequest } from "../rules/unmap.ts";
import { VFIO_DMA_MAP_FLAG_WRITE, VFIO_DMA_UNMAP_FLAG_ALL } from "../uapi/flag.ts";
import type { MemlockAccount } from "./account.ts";
import { Dma } from "./dma.ts";
import type { AddressSpace, Use } from "./memory.ts";

/** What a mapping with these rights does with its memory. */
const useOf = (rights: number): Use => (rights & VFIO_DMA_MAP_FLAG_WRITE) !== 0 ? "write" : "read";

/** A group as type1 sees it. */
export interface AttachedGroup {
  /** Mediated devices only: there is no IOMMU between device and memory. */
  readonly emulated: boolean;
  /** Whether its driver has pinned since the group joined: it declares its dirty scope with that. */
  hasPinned: boolean;
  /** Whether there is one device in it. */
  readonly isSingleton: boolean;
  /** Tells the drivers that a range is about to be unmapped. */
  dmaUnmap(iova: bigint, size: bigint): void;
}

/** The host around a type1 container. */
export interface Type1Host {
  readonly memory: AddressSpace;
  readonly account: MemlockAccount;
  readonly pageSize: bigint;
  readonly ranges: readonly IovaRange[];
  readonly entryLimit: number;
  /** How it speaks the v9 series, if it does. */
  readonly proposal?: ProposalV9 | undefined;
}

/**
 * The type1 IOMMU of one container: mappings, pins and what they cost.
 *
 * @see drivers/vfio/vfio_iommu_type1.c
 */
export class Type1 {
  /** Mappings by rising address. */
  readonly mappings: ExtentSet<Dma> = new ExtentSet();
  /** Groups that are attached. */
  readonly groups: Set<AttachedGroup> = new Set();
  /** Version 2: an unmap takes whole mappings, and there are dirty pages. */
  readonly v2: boolean;
  /** Whether dirty tracking is on. */
  tracking = false;
  /** Mappings that may still be made. */
  entriesLeft: number;
  readonly #host: Type1Host;
  #hadIommu = false;

  /** A container's IOMMU without groups. */
  constructor(host: Type1Host, v2: boolean) {
    this.#host = host;
    this.v2 = v2;
    this.entriesLeft = host.entryLimit;
  }

  /** Smallest page of the IOMMU, in bytes. */
  get pageSize(): bigint {
    return this.#host.pageSize;
  }

  /** How it speaks the v9 series, if it does. */
  get proposal(): ProposalV9 | undefined {
    return this.#host.proposal;
  }

  /** Whether a group behind an IOMMU is attached. */
  get hasIommu(): boolean {
    return [...this.groups].some((group) => !group.emulated);
  }

  /** Whether a group makes every mapped page dirty: one behind an IOMMU that has never pinned. */
  get allDirty(): boolean {
    return [...this.groups].some((group) => !group.emulated && !group.hasPinned);
  }

  /** What GET_INFO gives: nothing before the first IOMMU, everything after the last has left. */
  get ranges(): readonly IovaRange[] | undefined {
    if (this.hasIommu) return this.#host.ranges;
    return this.#hadIommu ? [{ start: 0n, end: (1n << 64n) - 1n }] : undefined;
  }

  /** Attaches a group; the first one behind an IOMMU pins all that is mapped. */
  attach(group: AttachedGroup): number {
    if (!group.emulated && !this.hasIommu) {
      const refusal = this.#pinAll();
      if (refusal !== 0) return refusal;
      this.#hadIommu = true;
    }
    group.hasPinned = false;
    this.groups.add(group);
    return 0;
  }

  #pinAll(): number {
    const { ranges, memory } = this.#host;
    for (const { iova, size, vaddr, rights } of this.mappings) {
      const fits = ranges.some(({ start, end }) => start <= iova && iova + size - 1n <= end);
      if (!fits) return -ERRNO.EINVAL;
      if (!memory.has(vaddr, size, useOf(rights))) return -ERRNO.EFAULT;
    }
    let charged = 0n;
    for (const dma of this.mappings) {
      const cost = dma.size - this.#pinnedBytes(dma);
      if (!this.#host.account.charge(cost)) {
        this.#host.account.uncharge(charged);
        return -ERRNO.ENOMEM;
      }
      charged += cost;
    }
    for (const dma of this.mappings) dma.iommuMapped = true;
    return 0;
  }

  /** Detaches a group; what the last one behind an IOMMU had pinned is given back. */
  detach(group: AttachedGroup): void {
    this.groups.delete(group);
    if (group.emulated) return;
    if (!this.hasIommu) {
      for (const dma of this.mappings) {
        dma.iommuMapped = false;
        this.#host.account.uncharge(dma.size - this.#pinnedBytes(dma));
      }
    }
    // What the group did since the last read is not known any more.
    if (this.tracking && !group.hasPinned) { for (const dma of this.mappings) dma.markAll(); }
  }

  #pinnedBytes(dma: Dma): bigint {
    return BigInt(dma.pins.size) * this.pageSize;
  }

  /** MAP: 0, or -errno. */
  map(flags: number, vaddr: bigint, iova: bigint, size: bigint): number {
    const { memory, account } = this.#host;
    const ranges = this.hasIommu ? this.#host.ranges : undefined;
    const space = { ...this, pageSize: this.pageSize, ranges };
    const refusal = mapRefusal({ flags, vaddr, iova, size }, space);
    if (refusal !== undefined) return -refusal.errno;
    const dma = new Dma(iova, size, vaddr, flags);
    if (this.hasIommu) {
      if (!memory.has(vaddr, size, useOf(flags))) return -ERRNO.EFAULT;
      if (!account.charge(size)) return -ERRNO.ENOMEM;
      dma.iommuMapped = true;
    }
    this.mappings.add(dma);
    this.entriesLeft -= 1;
    return 0;
  }

  /**
   * UNMAP: bytes removed, or a negative error number.
   *
   * @param each Called with each mapping before it goes; its pins are still there.
   */
  unmap(request: UnmapRequest, each: (dma: Dma) => number = () => 0): bigint {
    const space = { mappings: this.mappings, pageSize: this.pageSize, ranges: this.ranges };
    const refusal = unmapRefusal(request, space, this.tracking);
    // A v1 container takes a range that cuts a mapping, and removes what begins inside it.
    const cut = !this.v2 && refusal?.rule === "unmap.cut";
    if (refusal !== undefined && !cut) return BigInt(-refusal.errno);
    const all = (request.flags & VFIO_DMA_UNMAP_FLAG_ALL) !== 0;
    const targets = all
      ? [...this.mappings]
      : this.mappings.inRange(request.iova, request.size).filter((dma) => dma.iova >= request.iova);
    let removed = 0n;
    for (const dma of targets) {
      // Drivers give back their pins first, and the bits of those pins are read after that.
      const before = new Set(dma.pins.keys());
      for (const group of this.groups) group.dmaUnmap(dma.iova, dma.size);
      if (this.tracking) { for (const page of before) dma.mark(page); }
      const result = each(dma);
      if (result < 0) return BigInt(result);
      if (dma.iommuMapped) this.#host.account.uncharge(dma.size);
      this.mappings.delete(dma);
      this.entriesLeft += 1;
      removed += dma.size;
    }
    return removed;
  }

  /** Drops everything, as when the last group leaves. */
  release(): void {
    this.unmap({ flags: VFIO_DMA_UNMAP_FLAG_ALL, iova: 0n, size: 0n });
    this.tracking = false;
  }

  /** Pins pages for a driver; see `VendorDriver.pin`. */
  pin(iova: bigint, pages: number, write: boolean, group: AttachedGroup): number {
    const scope = this.proposal?.scope;
    if (scope === "singleton" && !group.isSingleton) return -ERRNO.EINVAL;
    const size = BigInt(pages) * this.pageSize;
    const done: bigint[] = [];
    for (let at = iova; at < iova + size; at += this.pageSize) {
      const result = this.#pinPage(at, write);
      if (result === 0) done.push(at);
      else {
        for (const page of done) this.unpin(page);
        return result;
      }
    }
    if (scope !== "never") group.hasPinned = true;
    return pages;
  }

  #pinPage(iova: bigint, write: boolean): number {
    const { memory, account } = this.#host;
    const dma = this.mappings.overlapping(iova, this.pageSize);
    if (dma === undefined) return -ERRNO.EINVAL;
    if (write && (dma.rights & VFIO_DMA_MAP_FLAG_WRITE) === 0) return -ERRNO.EPERM;
    const vaddr = dma.vaddr + iova - dma.iova;
    if (!memory.has(vaddr, this.pageSize, write ? "write" : "read")) return -ERRNO.EFAULT;
    const page = Number((iova - dma.iova) / this.pageSize);
    const count = dma.pins.get(page) ?? 0;
    if (count === 0 && !dma.iommuMapped && !account.charge(this.pageSize)) return -ERRNO.ENOMEM;
    dma.pins.set(page, count + 1);
    if (this.tracking) dma.mark(page);
    return 0;
  }

  /** Gives back one pin of a page; its dirty bit stays. */
  unpin(iova: bigint): void {
    const dma = this.mappings.overlapping(iova, this.pageSize);
    if (dma === undefined) return;
    const page = Number((iova - dma.iova) / this.pageSize);
    const count = dma.pins.get(page);
    if (count === undefined) return;
    if (count > 1) dma.pins.set(page, count - 1);
    else {
      dma.pins.delete(page);
      if (!dma.iommuMapped) this.#host.account.uncharge(this.pageSize);
    }
  }

  /** Reads or writes memory for a device or its driver, across mappings; 0 or -errno. */
  access(iova: bigint, bytes: Uint8Array, write: boolean, mark: boolean = write): number {
    for (let done = 0; done < bytes.length;) {
      const at = iova + BigInt(done);
      const dma = this.mappings.overlapping(at, 1n);
      if (dma === undefined) return -ERRNO.EFAULT;
      if (write && (dma.rights & VFIO_DMA_MAP_FLAG_WRITE) === 0) return -ERRNO.EPERM;
      const rest = dma.iova + dma.size - at;
      const length = Math.min(bytes.length - done, rest > 1n << 30n ? 1 << 30 : Number(rest));
      const part = bytes.subarray(done, done + length);
      const vaddr = dma.vaddr + at - dma.iova;
      const { memory } = this.#host;
      if (!(write ? memory.write(vaddr, part) : memory.read(vaddr, part))) return -ERRNO.EFAULT;
      if (mark && this.tracking) this.#markBytes(dma, at, length);
      done += length;
    }
    return 0;
  }

  #markBytes(dma: Dma, iova: bigint, length: number): void {
    const first = Number((iova - dma.iova) / this.pageSize);
    const last = Number((iova - dma.iova + BigInt(length) - 1n) / this.pageSize);
    for (let page = first; page <= last; page += 1) dma.mark(page);
  }
}
