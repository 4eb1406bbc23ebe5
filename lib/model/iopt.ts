import { ERRNO } from "../base/errno.ts";
import { ExtentSet } from "../base/extent.ts";
import type { IoasState } from "../rules/ioas.ts";
import type { IovaRange } from "../rules/iova.ts";
import { Area, type Slice } from "./iopt_area.ts";
import { findSpace, holes, LAST } from "./iopt_space.ts";
import { PAGE } from "./page.ts";

/** A page table, as the address space sees it. */
export interface Domain {
  /** Smallest entry, in bytes. */
  readonly pageSize: bigint;
  /** Where it can translate. */
  readonly aperture: IovaRange;
  /** Forgets what it knew of a mapping that goes. */
  forget(area: Area): void;
}

interface Reserved extends IovaRange {
  readonly owner: object | undefined;
}

/**
 * The addresses of an address space: what is mapped, reserved and allowed, and the page tables that
 * have it.
 *
 * @see drivers/iommu/iommufd/io_pagetable.c, struct io_pagetable
 */
export class IoPagetable {
  readonly areas: ExtentSet<Area> = new ExtentSet();
  readonly domains: Domain[] = [];
  /** Addresses and lengths are multiples of this; 1 without page tables. */
  alignment = 1n;
  /** Whether page tables may have huge entries. */
  hugePages = true;
  /** Drivers of mediated devices that use it: they work in pages. */
  readonly accesses: Set<object> = new Set();
  #reserved: Reserved[] = [];
  #allowed: readonly IovaRange[] = [];

  /** Addresses that nothing reserves. */
  get ranges(): readonly IovaRange[] {
    return [...holes(this.#reserved)];
  }

  /** For the rules. */
  get state(): IoasState {
    return { alignment: this.alignment, mappings: this.areas, ranges: this.ranges };
  }

  /** Whether page tables and mappings are there. */
  get isFilled(): boolean {
    return this.domains.length > 0 && this.areas.length > 0;
  }

  /** Whether mappings are no multiples of a unit. */
  hasOdd(unit: bigint): boolean {
    return [...this.areas].some(({ iova, size, pageOffset }) =>
      [iova, size, pageOffset].some((value) => value % unit !== 0n)
    );
  }

  /** Allows ranges to {@link find}, and no others; the caller has checked them. */
  allow(ranges: readonly IovaRange[]): void {
    this.#allowed = ranges;
  }

  /** Finds an address for a slice: it, or -errno. */
  find({ pages, start, size }: Slice): bigint {
    const used = [...this.#reserved];
    for (const { iova, size } of this.areas) {
      used.push({ start: iova, end: iova + size - 1n, owner: undefined });
    }
    const wish = { size, vaddr: pages.address + start, alignment: this.alignment };
    return findSpace(wish, this.#allowed, used);
  }

  /** Maps slices one after the other, pinned where there is a page table: 0 or -errno. */
  insert(iova: bigint, slices: readonly Slice[], rights: number): number {
    const made: Area[] = [];
    let at = iova;
    for (const slice of slices) {
      const area = new Area(at, slice, rights);
      at += slice.size;
      const result = this.domains.length === 0 ? 0 : area.pin();
      if (result < 0) {
        for (const done of made) this.#drop(done);
        return result;
      }
      this.areas.add(area);
      made.push(area);
    }
    return 0;
  }

  #drop(area: Area): void {
    for (const domain of this.domains) domain.forget(area);
    area.unpin();
    this.areas.delete(area);
  }

  /** Unmaps whole areas up to the first that a range cuts: the bytes that are gone, or -ENOENT. */
  unmap(first: bigint, last: bigint): { readonly result: number; readonly removed: bigint } {
    let removed = 0n;
    // A cut area ends it: what was before is gone.
    for (const area of this.areas.inRange(first, last - first + 1n)) {
      if (area.iova < first || area.iova + area.size - 1n > last) {
        return { result: -ERRNO.ENOENT, removed };
      }
      this.#drop(area);
      removed += area.size;
    }
    return { result: 0, removed };
  }

  /** Reserves addresses for somebody: 0, or -EADDRINUSE where something is mapped or allowed. */
  reserve(start: bigint, end: bigint, owner: object | undefined): number {
    const overlaps = this.#allowed.some((range) => range.start <= end && start <= range.end);
    if (overlaps || this.areas.overlapping(start, end - start + 1n) !== undefined) {
      return -ERRNO.EADDRINUSE;
    }
    this.#reserved.push({ start, end, owner });
    return 0;
  }

  /** Gives back what somebody has reserved. */
  release(owner: object): void {
    this.#reserved = this.#reserved.filter((reserved) => reserved.owner !== owner);
  }

  /** Adds a page table; the first one pins all that is mapped: 0 or -errno. @see iopt_table_add_domain */
  addDomain(domain: Domain): number {
    const { pageSize, aperture: { start, end } } = domain;
    const alignment = pageSize > this.alignment ? pageSize : this.alignment;
    if (alignment > PAGE) return -ERRNO.EINVAL;
    if (alignment !== this.alignment && this.hasOdd(alignment)) return -ERRNO.EADDRINUSE;
    let result = start === 0n ? 0 : this.reserve(0n, start - 1n, domain);
    if (result === 0 && end !== LAST) result = this.reserve(end + 1n, LAST, domain);
    if (result === 0) result = this.#pinAll();
    if (result < 0) {
      this.release(domain);
      return result;
    }
    this.alignment = alignment;
    this.domains.push(domain);
    return 0;
  }

  #pinAll(): number {
    if (this.domains.length > 0) return 0;
    const done: Area[] = [];
    for (const area of this.areas) {
      const result = area.pin();
      if (result === 0) {
        done.push(area);
        continue;
      }
      for (const other of done) other.unpin();
      return result;
    }
    return 0;
  }

  /** Takes a page table away; what was pinned for the last one is given back. */
  removeDomain(domain: Domain): void {
    const index = this.domains.indexOf(domain);
    if (index < 0) return;
    this.domains.splice(index, 1);
    if (this.domains.length === 0) { for (const area of this.areas) area.unpin(); }
    this.release(domain);
    this.align();
  }

  /** Finds the unit anew. @see iopt_calculate_iova_alignment */
  align(): void {
    this.alignment = this.hugePages && this.accesses.size === 0 ? 1n : PAGE;
    for (const { pageSize } of this.domains) {
      if (pageSize > this.alignment) this.alignment = pageSize;
    }
  }
}
