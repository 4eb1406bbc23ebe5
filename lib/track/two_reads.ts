import { bitmapBytes } from "../base/page.ts";
import { DirtyMap } from "../dirty/dirty_map.ts";
import type { Cursor, PlannedWindow } from "../dirty/plan.ts";
import type { ReadAhead } from "./read_ahead.ts";
import type { DirtyReader } from "./reader.ts";
import type { TwoReads } from "./tracker_types.ts";

/**
 * Reads each window twice, one read right behind the other; what was read comes with the next delivery.
 *
 * @param next Plans the window at a cursor; undefined behind the last one.
 */
export function readAllTwice(
  reader: DirtyReader,
  pageSize: bigint,
  next: (cursor: Cursor) => PlannedWindow | undefined,
): TwoReads {
  const first = new DirtyMap(pageSize);
  const second = new DirtyMap(pageSize);
  const cursor = { iova: 0n };
  const cost = { reads: 0, bitmapBytes: 0 };
  for (let plan; (plan = next(cursor)) !== undefined;) {
    first.add(reader.peek(plan));
    second.add(reader.peek(plan));
    cursor.iova = plan.iova + plan.size;
    cost.reads += 2;
    cost.bitmapBytes += 2 * Number(bitmapBytes(plan.size / pageSize));
  }
  return { first, second, cost };
}

/** The same without holding anything up; what is mapped may change meanwhile. */
export async function readAllTwiceAside(
  ahead: ReadAhead,
  pageSize: bigint,
  next: (cursor: Cursor) => PlannedWindow | undefined,
  signal: AbortSignal | undefined,
): Promise<TwoReads> {
  const first = new DirtyMap(pageSize);
  const second = new DirtyMap(pageSize);
  const cursor = { iova: 0n };
  const cost = { reads: 0, bitmapBytes: 0 };
  while (next(cursor) !== undefined) {
    let end: bigint | undefined;
    for (const into of [first, second]) {
      signal?.throwIfAborted();
      while (ahead.range !== undefined) await ahead.pass(signal); // of a drain
      const plan = next(cursor);
      const to = plan === undefined ? undefined : plan.iova + plan.size;
      // Other mappings than in the first read, or somebody else got what was read: both once more.
      const isOther = end !== undefined && to !== end;
      end = undefined;
      if (plan === undefined || isOther) break;
      ahead.begin(plan, { iova: plan.iova });
      if (!ahead.isDone) await ahead.arrived(signal);
      const window = ahead.range === plan ? ahead.look() : undefined;
      if (window === undefined) break;
      into.add(window);
      cost.reads += 1;
      cost.bitmapBytes += Number(bitmapBytes(plan.size / pageSize));
      end = to;
    }
    if (end !== undefined) cursor.iova = end;
  }
  return { first, second, cost };
}
