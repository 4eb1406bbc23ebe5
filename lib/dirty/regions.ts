/**
 * Sums over runs of pages: by region, by mapping, in pages of another size.
 *
 * @module
 */

import { checkKind } from "../base/argument.ts";
import type { Extent } from "../base/extent.ts";
import { hex } from "../base/format.ts";
import { isAligned } from "../base/page.ts";
import { TOP } from "./check.ts";
import type { DirtyRun } from "./run.ts";

/** Number of the first page of a run, and of the page behind its last. */
export type PageRange = readonly [start: number, end: number];

/** Counts the pages of each region that has one. */
export function* regionsOf(
  runs: Iterable<PageRange>,
  size: bigint,
  pageSize: bigint,
): Generator<DirtyRun, void> {
  const perRegion = Number(size / pageSize);
  let region = 0;
  let pages = 0;
  const found = (): DirtyRun => ({ iova: BigInt(region) * size, size, pages });
  for (const [start, end] of runs) {
    for (let at = start; at < end;) {
      const here = Math.floor(at / perRegion);
      if (here !== region) {
        if (pages > 0) yield found();
        region = here;
        pages = 0;
      }
      const to = Math.min(end, (here + 1) * perRegion);
      pages += to - at;
      at = to;
    }
  }
  if (pages > 0) yield found();
}

/** Counts the pages of each range. */
export function countInExtents(
  runs: Iterable<PageRange>,
  extents: readonly Extent[],
  pageSize: bigint,
): number[] {
  const ranges = extents.map(({ iova, size }, i): [number, number, number] => {
    checkKind("iova", iova, "bigint");
    checkKind("size", size, "bigint");
    if (!isAligned(iova, pageSize) || !isAligned(size, pageSize)) {
      throw new RangeError(
        `A range is made of whole pages of ${pageSize} bytes; got ${hex(size)} at ${hex(iova)}`,
      );
    }
    if (size < 0n || iova < 0n || iova + size > TOP) {
      throw new RangeError(
        `A range must lie from address 0 to ${hex(TOP)}; got ${size} bytes at ${iova}`,
      );
    }
    const first = Number(iova / pageSize);
    return [first, first + Number(size / pageSize), i];
  }).sort(([a], [b]) => a - b);
  const counts = extents.map(() => 0);
  // Ranges that a later run may still touch; both come by rising address.
  let next = 0;
  let open: [number, number, number][] = [];
  for (const [start, end] of runs) {
    open = open.filter(([, to]) => to > start);
    for (; next < ranges.length && ranges[next]![0] < end; next += 1) open.push(ranges[next]!);
    for (const [from, to, i] of open) {
      counts[i]! += Math.max(0, Math.min(end, to) - Math.max(start, from));
    }
  }
  return counts;
}

/** Gives runs in pages of another size: a larger page has what any part of it has. */
export function* resized(
  runs: Iterable<PageRange>,
  from: bigint,
  to: bigint,
): Generator<Pick<DirtyRun, "iova" | "pages">, void> {
  const [many, few] = to > from ? [1, Number(to / from)] : [Number(from / to), 1];
  let done = 0; // the page behind the last that was given: two runs can lie in one larger page
  for (const [start, end] of runs) {
    const first = Math.max(done, Math.floor(start / few) * many);
    const last = Math.ceil(end / few) * many;
    if (last > first) yield { iova: BigInt(first) * to, pages: last - first };
    done = last;
  }
}
