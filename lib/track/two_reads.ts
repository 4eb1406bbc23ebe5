import { bitmapBytes } from "../base/page.ts";
import { DirtyMap } from "../dirty/dirty_map.ts";
import type { Cursor, PlannedWindow } from "../dirty/plan.ts";
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
