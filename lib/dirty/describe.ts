import { formatSize, hex, plural } from "../base/format.ts";
import type { DirtyRun } from "./run.ts";

/** So many runs are shown of a set; there may be millions. */
const SHOWN = 4;

/** A line about pages: how many, and where the first of them are. */
export function describePages(
  count: number,
  pageSize: bigint,
  runs: Iterable<Pick<DirtyRun, "iova" | "pages">>,
): string {
  if (count === 0) return `no page of ${formatSize(pageSize)}`;
  const first = [...Iterator.from(runs).take(SHOWN + 1)];
  const list = first.slice(0, SHOWN).map(({ iova, pages }) => `${pages} at ${hex(iova)}`);
  if (first.length > SHOWN) list.push("...");
  return `${plural(count, "page")} of ${formatSize(pageSize)}: ${list.join(", ")}`;
}
