import { PAGE } from "./page.ts";
import type { Area } from "./iopt_area.ts";
import type { Process } from "./process.ts";

/** What is read, and where its bits go. */
export interface DirtyRead {
  readonly iova: bigint;
  readonly size: bigint;
  /** Bytes of a page of the bitmap; the kernel takes the lowest bit of it. */
  readonly pageSize: bigint;
  /** User address of the bitmap. */
  readonly address: bigint;
  /** Whether dirty entries become clean. */
  readonly clear: boolean;
}

/**
 * The bits that a read has found, relative to its beginning: they reach beyond its end where an entry
 * does.
 *
 * @see drivers/iommu/iommufd/iova_bitmap.c
 */
export class FoundBits {
  readonly #read: DirtyRead;
  readonly #shift: bigint;
  readonly #runs: [first: number, last: number][] = [];

  /** Nothing found yet. */
  constructor(read: DirtyRead) {
    this.#read = read;
    const unit = read.pageSize & -read.pageSize;
    this.#shift = BigInt(unit.toString(2).length - 1);
  }

  /** Notes a dirty range. @see iova_bitmap_set */
  set(iova: bigint, size: bigint): void {
    const offset = iova - this.#read.iova;
    const first = Number(offset >> this.#shift);
    this.#runs.push([first, Number((offset + size - 1n) >> this.#shift)]);
  }

  /**
   * Sets the bits in the caller's memory: what lies in pages that are not there is lost, and so is what
   * lies behind the last page of the bitmap.
   */
  store({ memory }: Process): void {
    const { address, size } = this.#read;
    const bytes = Number(((size - 1n) >> this.#shift) / 8n) + 1;
    const offset = Number(address % PAGE);
    const end = address - BigInt(offset) +
      BigInt(Math.ceil(bytes / Number(PAGE)) + (offset === 0 ? 0 : 1)) * PAGE;
    for (const [first, last] of this.#runs) {
      for (let at = first >> 3; at <= last >> 3; at += 1) {
        const place = address + BigInt(at);
        if (place >= end) break;
        const byte = new Uint8Array(1);
        if (!memory.read(place, byte)) continue;
        for (let bit = 0; bit < 8; bit += 1) {
          const number = at * 8 + bit;
          if (first <= number && number <= last) byte[0]! |= 1 << bit;
        }
        memory.write(place, byte);
      }
    }
  }
}

/** The dirty bits of a page table's entries. */
export class HwptDirty {
  /** Whether writes are noted. */
  tracking = false;
  /** Smallest entry, in bytes. */
  readonly #unit: bigint;
  /** Bytes of the entry at an address. */
  readonly #entryAt: (area: Area, iova: bigint) => bigint;
  /** Dirty places, in smallest entries. */
  readonly #dirty = new Set<bigint>();

  /** Clean. */
  constructor(unit: bigint, entryAt: (area: Area, iova: bigint) => bigint) {
    this.#unit = unit;
    this.#entryAt = entryAt;
  }

  /** Makes the entries of a written range dirty: none while tracking is off. */
  note(iova: bigint, size: bigint): void {
    if (!this.tracking) return;
    const last = (iova + size - 1n) / this.#unit;
    for (let page = iova / this.#unit; page <= last; page += 1n) this.#dirty.add(page);
  }

  /** Forgets a range that is mapped no more. */
  forget(iova: bigint, size: bigint): void {
    for (const page of this.#dirty) {
      const at = page * this.#unit;
      if (iova <= at && at < iova + size) this.#dirty.delete(page);
    }
  }

  /** Makes everything clean. */
  clear(): void {
    this.#dirty.clear();
  }

  /**
   * Walks the entries of a part of a mapping. A walk that begins inside of an entry goes on from there
   * by whole entries, and takes what is before it in the first one too.
   *
   * @see drivers/iommu/iommufd/selftest.c, mock_domain_read_and_clear_dirty
   * @see drivers/iommu/intel/iommu.c, intel_iommu_read_and_clear_dirty
   */
  walk(area: Area, from: bigint, end: bigint, clear: boolean, found: FoundBits): void {
    if (this.#dirty.size === 0) return;
    const unit = this.#unit;
    if (this.#entryAt(area, from) === unit && !this.#hasLarge(area)) {
      return this.#walkSmall(from, end, clear, found);
    }
    for (let iova = from; iova < end;) {
      const size = this.#entryAt(area, iova);
      const head = iova - iova % size;
      let dirty = false;
      for (let page = head / unit; page < (head + size) / unit; page += 1n) {
        if (!this.#dirty.has(page)) continue;
        dirty = true;
        if (clear) this.#dirty.delete(page);
      }
      if (dirty) found.set(iova, size);
      iova += size;
    }
  }

  #hasLarge(area: Area): boolean {
    // Entries are largest in the middle: the ends may be too short for large ones.
    const middle = area.iova + area.size / 2n;
    return this.#entryAt(area, middle - middle % this.#unit) !== this.#unit;
  }

  #walkSmall(from: bigint, end: bigint, clear: boolean, found: FoundBits): void {
    for (const page of this.#dirty) {
      const iova = page * this.#unit;
      if (iova < from || iova >= end) continue;
      found.set(iova, this.#unit);
      if (clear) this.#dirty.delete(page);
    }
  }
}
