/**
 * Two sources that report the same ranges, compared: what only one of them has.
 *
 * @module
 */

import { hex } from "../base/format.ts";
import { DirtyMap } from "./dirty_map.ts";
import type { DirtyLabel } from "./label.ts";
import type { DirtyRun } from "./run.ts";
import type { DirtyWindow } from "./window.ts";

/** What one source reported. */
export interface CrossSide {
  /** What it is called: "type1", "hwpt", "log", or any other name. */
  readonly source: string;
  /** Its windows; each is looked at while it is current, so `tracker.drain()` serves. */
  readonly windows: Iterable<DirtyWindow>;
}

/** Pages that one side reports and the other does not, though both have read them. */
export interface CrossRun extends DirtyRun {
  /** The side that reports them. */
  readonly only: "a" | "b";
  /** What the bits of the first side mean there: one label, or those of its windows that meet the run. */
  readonly a: readonly DirtyLabel[];
  /** What the bits of the second side mean there. */
  readonly b: readonly DirtyLabel[];
}

/** What a comparison found. */
export interface CrossCheck {
  /** The names of the two. */
  readonly sources: readonly [string, string];
  /** Bytes of a page: the larger of the two. */
  readonly pageSize: bigint;
  /** Pages that both have read. */
  readonly pages: number;
  /** Pages that both report. */
  readonly both: number;
  /** Pages that only one reports, by rising address, those of the first side first. */
  readonly differences: readonly CrossRun[];
  /** Pages that `a`, or `b`, has not read and the other has: nothing is said of them. */
  readonly unread: { readonly a: number; readonly b: number };
}

interface Part {
  readonly iova: bigint;
  readonly end: bigint;
  readonly label: DirtyLabel;
}

interface Read {
  readonly dirty: DirtyMap;
  readonly parts: readonly Part[];
}

function read({ source, windows }: CrossSide): Read & { readonly pageSize: bigint | undefined } {
  let dirty: DirtyMap | undefined;
  const parts: Part[] = [];
  for (const window of windows) {
    const { iova, size, label, pageSize } = window;
    dirty ??= new DirtyMap(pageSize);
    if (dirty.pageSize !== pageSize) {
      throw new RangeError(
        `The windows of ${source} have pages of ${hex(dirty.pageSize)} and ${
          hex(pageSize)
        } bytes; ` +
          "wanted one size",
      );
    }
    dirty.add(window);
    parts.push({ iova, end: iova + size, label });
  }
  return { dirty: dirty ?? new DirtyMap(4096n), parts, pageSize: dirty?.pageSize };
}

/** The pages that were read, as far as whole pages of the size were. */
function covered(parts: readonly Part[], pageSize: bigint): DirtyMap {
  const map = new DirtyMap(pageSize);
  const sorted = parts.toSorted((a, b) => a.iova < b.iova ? -1 : 1);
  for (let i = 0; i < sorted.length;) {
    const { iova } = sorted[i]!;
    let { end } = sorted[i]!;
    for (i += 1; i < sorted.length && sorted[i]!.iova <= end; i += 1) {
      if (sorted[i]!.end > end) ({ end } = sorted[i]!);
    }
    const first = (iova + pageSize - 1n) / pageSize * pageSize;
    const last = end / pageSize * pageSize;
    if (last > first) map.addRange(first, Number((last - first) / pageSize));
  }
  return map;
}

/**
 * Compares what two sources report of the same ranges: a device's log against the IOMMU's dirty bits,
 * or either against type1. Pages that one of them has not read are counted and not compared. Where the
 * page sizes differ, the larger one is taken: such a page is dirty if a part of it is.
 *
 * A difference is no error by itself: `all-mapped` and `pinned-scope` report more than was written, and
 * what is written between the two reads is in one of them.
 *
 * @param a The windows of the first, and its name.
 * @param b The windows of the second.
 * @returns Which pages only one of them reports, with what the bits of both mean there.
 * @throws {RangeError} If the windows of one side have pages of several sizes.
 *
 * @example A log that misses a page
 * ```ts
 * import { crossCheck, DirtyWindow } from "@pinscope/vfio";
 *
 * const window = (bits: number) =>
 *   new DirtyWindow({
 *     iova: 0x10000n,
 *     size: 0x8000n,
 *     pageSize: 0x1000n,
 *     label: "written",
 *     bitmap: { words: Uint32Array.of(bits, 0), generation: 0 },
 *   });
 * const { differences } = crossCheck(
 *   { source: "hwpt", windows: [window(0b1101)] },
 *   { source: "log", windows: [window(0b1001)] },
 * );
 * const [run] = differences;
 * if (run?.only !== "a" || run.iova !== 0x12000n) throw new Error("page 2 is in one of them");
 * ```
 */
export function crossCheck(a: CrossSide, b: CrossSide): CrossCheck {
  const [one, two] = [read(a), read(b)];
  const sizes = [one.pageSize ?? two.pageSize ?? 4096n, two.pageSize ?? one.pageSize ?? 4096n];
  const pageSize = sizes[0]! > sizes[1]! ? sizes[0]! : sizes[1]!;
  const reads = [covered(one.parts, pageSize), covered(two.parts, pageSize)] as const;
  const common = reads[0].intersection(reads[1]);
  const inCommon = ({ dirty }: Read, known: bigint | undefined): DirtyMap =>
    known === undefined
      ? new DirtyMap(pageSize)
      : (known === pageSize ? dirty : dirty.withPageSize(pageSize)).intersection(common);
  const [x, y] = [inCommon(one, one.pageSize), inCommon(two, two.pageSize)];
  const differences: CrossRun[] = [];
  for (const [only, map] of [["a", x.difference(y)], ["b", y.difference(x)]] as const) {
    for (const run of map.runs()) {
      const end = run.iova + run.size;
      const labels = (parts: readonly Part[]): DirtyLabel[] => [
        ...new Set(
          parts.filter((part) => part.iova < end && run.iova < part.end).map(({ label }) => label),
        ),
      ];
      differences.push({
        iova: run.iova,
        size: run.size,
        pages: run.pages,
        only,
        a: labels(one.parts),
        b: labels(two.parts),
      });
    }
  }
  return {
    sources: [a.source, b.source],
    pageSize,
    pages: common.count,
    both: x.intersection(y).count,
    differences,
    unread: { a: reads[1].difference(common).count, b: reads[0].difference(common).count },
  };
}
