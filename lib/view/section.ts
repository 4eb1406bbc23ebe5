/**
 * Which addresses a picture shows: mappings in sections with breaks between them, cut into cells of
 * one size.
 *
 * @module
 */

import type { Extent } from "../base/extent.ts";

/** A range without a break in it. */
export interface HeatSection extends Extent {
  /** Its first cell, counted over all sections. */
  readonly first: number;
  /** How many cells it has. */
  readonly cells: number;
}

/** Cells by rising address, in sections. */
export interface CellPlan {
  /** Bytes of a whole cell: a power of two times the page size. */
  readonly cellSize: bigint;
  /** The sections, by rising address. */
  readonly sections: readonly HeatSection[];
  /** All cells; the first and the last of a section may be shorter than the others. */
  readonly cells: readonly Extent[];
}

/** More breaks than that are no help: the largest gaps keep theirs. */
const MOST_SECTIONS = 24;

/** Joins what touches or overlaps. */
function joined(extents: Iterable<Extent>): Extent[] {
  const sorted = [...extents].sort((a, b) => a.iova < b.iova ? -1 : a.iova > b.iova ? 1 : 0);
  const result: { iova: bigint; size: bigint }[] = [];
  for (const { iova, size } of sorted) {
    const last = result.at(-1);
    const end = iova + size;
    if (last === undefined || iova > last.iova + last.size) result.push({ iova, size });
    else if (end > last.iova + last.size) last.size = end - last.iova;
  }
  return result;
}

/** The ranges between breaks: only the largest gaps are breaks. */
function sectionsOf(extents: readonly Extent[], most: number): Extent[] {
  const gaps = extents.slice(1).map(({ iova }, i) => {
    const before = extents[i]!;
    return { at: i + 1, size: iova - before.iova - before.size };
  });
  const breaks = new Set(
    gaps.sort((a, b) => a.size > b.size ? -1 : a.size < b.size ? 1 : a.at - b.at)
      .slice(0, most - 1).map(({ at }) => at),
  );
  const result: { iova: bigint; size: bigint }[] = [];
  for (const [i, { iova, size }] of extents.entries()) {
    const last = result.at(-1);
    if (last === undefined || breaks.has(i)) result.push({ iova, size });
    else last.size = iova + size - last.iova;
  }
  return result;
}

const countCells = ({ iova, size }: Extent, cell: bigint): number =>
  Number((iova + size + cell - 1n) / cell - iova / cell);

/**
 * Cuts ranges into cells. Cells begin at multiples of their size.
 *
 * @param extents What to show, in any order; ranges may touch and overlap.
 * @param pageSize Bytes of a page; no cell is smaller.
 * @param most Cells to have at most, as far as a section has at least one.
 */
export function planCells(extents: Iterable<Extent>, pageSize: bigint, most: number): CellPlan {
  const ranges = sectionsOf(joined(extents), Math.max(1, Math.min(MOST_SECTIONS, most)));
  const total = (cell: bigint): number =>
    ranges.reduce((sum, range) => sum + countCells(range, cell), 0);
  let cellSize = pageSize;
  // Two cells for a section at least: one that lies over a multiple of the size cannot have less.
  while (total(cellSize) > Math.max(most, 2 * ranges.length)) cellSize *= 2n;
  const sections: HeatSection[] = [];
  const cells: Extent[] = [];
  for (const range of ranges) {
    const end = range.iova + range.size;
    const first = cells.length;
    for (let iova = range.iova; iova < end;) {
      const next = (iova / cellSize + 1n) * cellSize;
      const to = next < end ? next : end;
      cells.push({ iova, size: to - iova });
      iova = to;
    }
    sections.push({ ...range, first, cells: cells.length - first });
  }
  return { cellSize, sections, cells };
}
