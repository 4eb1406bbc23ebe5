import type { DirtyLabel } from "../dirty/label.ts";
import type { DirtyRun } from "../dirty/run.ts";
import type { ViewRound } from "../view/round.ts";

/** A run with what it means. */
export interface RecordedRun extends DirtyRun {
  /** What "dirty" means for all of its pages. */
  readonly label: DirtyLabel;
}

/**
 * Gives the dirty pages of a round as runs with their label: a run ends where the label changes.
 *
 * @param round A round, live or from a recording.
 * @returns Runs by rising address. Where windows are not known and labels differ: `unknown`.
 */
export function* labelledRuns(
  { dirty, labels, windows }: Pick<ViewRound, "dirty" | "labels" | "windows">,
): Generator<RecordedRun, void> {
  const { pageSize } = dirty;
  const rest: DirtyLabel = labels.length === 1 ? labels[0]! : "unknown";
  const list = [...windows ?? []].sort((a, b) => a.iova < b.iova ? -1 : 1);
  let next = 0;
  for (const run of dirty.runs()) {
    const end = run.iova + run.size;
    let open: { iova: bigint; label: DirtyLabel } | undefined;
    for (let at = run.iova; at < end;) {
      while (next < list.length && list[next]!.iova + list[next]!.size <= at) next += 1;
      const window = list[next];
      const isIn = window !== undefined && window.iova <= at;
      const label = isIn ? window.label : rest;
      const border = window === undefined ? end : isIn ? window.iova + window.size : window.iova;
      if (open !== undefined && open.label !== label) {
        yield piece(open, at, pageSize);
        open = undefined;
      }
      open ??= { iova: at, label };
      at = border < end ? border : end;
    }
    if (open !== undefined) yield piece(open, end, pageSize);
  }
}

function piece(
  { iova, label }: { readonly iova: bigint; readonly label: DirtyLabel },
  end: bigint,
  pageSize: bigint,
): RecordedRun {
  const size = end - iova;
  return { iova, size, pages: Number(size / pageSize), label };
}
