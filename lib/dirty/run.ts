import type { DirtyLabel } from "./label.ts";

/** Pages that lie side by side and are all dirty. */
export interface DirtyRun {
  /** Address of the first page. */
  readonly iova: bigint;
  /** Bytes. */
  readonly size: bigint;
  /** Pages; `size` divided by the page size of the bitmap. */
  readonly pages: number;
}

/** A run with what its bits mean. */
export interface LabelledRun extends DirtyRun {
  /** What the bits mean. */
  readonly label: DirtyLabel;
}

/** What {@link mergeRuns} reads. */
export interface RunSource {
  /** What the bits mean. */
  readonly label: DirtyLabel;
  /** The runs by rising address. */
  runs(): Iterable<DirtyRun>;
}

/**
 * Gives the runs of windows one after the other, joined where the last run of one window touches
 * the first of the next and both mean the same.
 *
 * Each window is finished before the next is asked for, so windows may share one buffer.
 *
 * @param windows By rising address.
 */
export function* mergeRuns(windows: Iterable<RunSource>): Generator<LabelledRun, void> {
  let open: LabelledRun | undefined;
  for (const window of windows) {
    const { label } = window;
    for (const run of window.runs()) {
      if (open !== undefined && open.label === label && open.iova + open.size === run.iova) {
        const { iova, size, pages } = open;
        open = { iova, size: size + run.size, pages: pages + run.pages, label };
        continue;
      }
      if (open !== undefined) yield open;
      open = { iova: run.iova, size: run.size, pages: run.pages, label };
    }
  }
  if (open !== undefined) yield open;
}
