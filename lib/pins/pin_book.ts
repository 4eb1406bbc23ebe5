/**
 * Which memory iommufd has pinned, and whom it has charged, by its rules: page by page, once for all
 * mappings that lead to it, from the first page table of an address space on.
 *
 * @see drivers/iommu/iommufd/pages.c, struct iopt_pages and do_update_pinned
 * @module
 */

/** Bytes of a page of the processor: what is pinned is counted in these. */
const PAGE = 4096n;

/** Whom pages are charged to; nobody, if CAP_IPC_LOCK was there when they were mapped. */
export type PinMode = "user" | "process" | "none";

/** Bytes that are pinned, and that somebody is charged for. */
export interface PinTotals {
  /** VmPin: all that is pinned. */
  readonly pinned: bigint;
  /** VmLck: what the process is charged. */
  readonly locked: bigint;
  /** What the user is charged, with all its processes; /proc does not show it. */
  readonly user: bigint;
}

/** A part of the memory that one MAP was given. */
export interface PinSlice {
  /** The same for a MAP and all copies of it. */
  readonly origin: object;
  /** Where it begins in the host memory, or in the file, in bytes. */
  readonly start: bigint;
  /** Bytes. */
  readonly size: bigint;
}

interface Range {
  readonly first: bigint;
  readonly last: bigint;
}

interface Memory {
  readonly mode: PinMode;
  readonly ranges: Set<Range>;
  pages: bigint;
}

interface Space {
  tables: number;
  readonly slices: Map<object, PinSlice & { range?: Range | undefined }>;
}

/** How many pages lie in at least one of the ranges. */
function union(ranges: Iterable<Range>): bigint {
  let count = 0n;
  let next = 0n;
  for (const { first, last } of [...ranges].sort((a, b) => a.first < b.first ? -1 : 1)) {
    const from = first > next ? first : next;
    if (last < from) continue;
    count += last - from + 1n;
    next = last + 1n;
  }
  return count;
}

/** See the file. */
export class PinBook {
  readonly #spaces = new Map<number, Space>();
  readonly #memories = new WeakMap<object, Memory>();
  #totals: Record<keyof PinTotals, bigint> = { pinned: 0n, locked: 0n, user: 0n };

  /** What is pinned and charged now, in bytes. */
  get totals(): PinTotals {
    return { ...this.#totals };
  }

  #space(id: number): Space {
    const space = this.#spaces.get(id) ?? { tables: 0, slices: new Map() };
    this.#spaces.set(id, space);
    return space;
  }

  /** Whether an address space has page tables, so that what is mapped is pinned at once. */
  hasTables(space: number): boolean {
    return this.#space(space).tables > 0;
  }

  /** Bytes that an address space maps. */
  mapped(space: number): bigint {
    let sum = 0n;
    for (const { size } of this.#space(space).slices.values()) sum += size;
    return sum;
  }

  /** Notes a mapping, by a key of its own. The mode counts where its memory is new. */
  add(space: number, key: object, slice: PinSlice, mode: PinMode): void {
    const { tables, slices } = this.#space(space);
    const own = { ...slice };
    slices.set(key, own);
    if (!this.#memories.has(slice.origin)) {
      this.#memories.set(slice.origin, { mode, ranges: new Set(), pages: 0n });
    }
    if (tables > 0) this.#pin(own);
  }

  /** Notes that a mapping is gone. */
  remove(space: number, key: object): void {
    const { slices } = this.#space(space);
    const slice = slices.get(key);
    if (slice === undefined) return;
    this.#unpin(slice);
    slices.delete(key);
  }

  /** Notes how many page tables an address space has: with the first all is pinned. */
  setTables(space: number, count: number): void {
    const own = this.#space(space);
    const had = own.tables > 0;
    own.tables = count;
    if (had === count > 0) return;
    for (const slice of own.slices.values()) {
      if (had) this.#unpin(slice);
      else this.#pin(slice);
    }
  }

  /** Notes that an address space is gone. */
  drop(space: number): void {
    this.setTables(space, 0);
    this.#spaces.delete(space);
  }

  #pin(slice: PinSlice & { range?: Range | undefined }): void {
    const { origin, start, size } = slice;
    const range = { first: start / PAGE, last: (start + size - 1n) / PAGE };
    slice.range = range;
    this.#change(origin, (ranges) => void ranges.add(range));
  }

  #unpin(slice: PinSlice & { range?: Range | undefined }): void {
    const { range } = slice;
    if (range === undefined) return;
    slice.range = undefined;
    this.#change(slice.origin, (ranges) => void ranges.delete(range));
  }

  #change(origin: object, change: (ranges: Set<Range>) => void): void {
    const memory = this.#memories.get(origin);
    if (memory === undefined) return;
    change(memory.ranges);
    const pages = union(memory.ranges);
    const bytes = (pages - memory.pages) * PAGE;
    memory.pages = pages;
    this.#totals.pinned += bytes;
    if (memory.mode === "process") this.#totals.locked += bytes;
    if (memory.mode === "user") this.#totals.user += bytes;
  }
}
