import type { Extent } from "../base/extent.ts";
import { IOMMU_IOAS_MAP_READABLE, IOMMU_IOAS_MAP_WRITEABLE } from "../uapi/flag.ts";
import type { PageRange, Pages } from "./iommufd_pages.ts";
import { PAGE } from "./page.ts";

/** A part of some pages. */
export interface Slice {
  readonly pages: Pages;
  /** Where it begins in them, in bytes. */
  readonly start: bigint;
  /** Bytes. */
  readonly size: bigint;
}

/** A mapping of an address space. @see drivers/iommu/iommufd/io_pagetable.h, struct iopt_area */
export class Area implements Extent, Slice {
  /** First address that devices use. */
  readonly iova: bigint;
  readonly pages: Pages;
  readonly start: bigint;
  readonly size: bigint;
  /** READABLE, WRITEABLE. */
  readonly rights: number;
  #pinned: PageRange | undefined;

  /** An area that pins nothing yet. */
  constructor(iova: bigint, { pages, start, size }: Slice, rights: number) {
    this.iova = iova;
    this.pages = pages;
    this.start = start;
    this.size = size;
    this.rights = rights;
  }

  /** Where its memory begins in a page. */
  get pageOffset(): bigint {
    return this.start % PAGE;
  }

  /** Whether devices may write. */
  get canWrite(): boolean {
    return (this.rights & IOMMU_IOAS_MAP_WRITEABLE) !== 0;
  }

  /** Whether devices may read. */
  get canRead(): boolean {
    return (this.rights & IOMMU_IOAS_MAP_READABLE) !== 0;
  }

  /** Whether its pages are pinned for a page table. */
  get isPinned(): boolean {
    return this.#pinned !== undefined;
  }

  /** The user address behind one of its addresses. */
  vaddr(iova: bigint): bigint {
    return this.pages.address + this.start + iova - this.iova;
  }

  /** Pins its pages: 0 or -errno. */
  pin(): number {
    if (this.#pinned !== undefined) return 0;
    const { start, size } = this;
    const range = { first: start / PAGE, last: (start + size - 1n) / PAGE };
    const result = this.pages.pin(range);
    if (result === 0) this.#pinned = range;
    return result;
  }

  /** Gives them back. */
  unpin(): void {
    if (this.#pinned !== undefined) this.pages.unpin(this.#pinned);
    this.#pinned = undefined;
  }
}
