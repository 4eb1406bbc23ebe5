/**
 * A round of `pinscope dirty`, as lines for people, JSON or comma-separated values.
 *
 * @module
 */

import { formatSize, hex, type LabelledRun } from "../mod.ts";
import { delay } from "../lib/base/wait.ts";
import type { Output } from "./output.ts";
import { columns, counted } from "./table.ts";

/** How long output may go on before signals are looked for. */
const SLICE = 50;

/** Runs, and when they are through what was read for them. */
export interface Reading {
  readonly runs: AsyncIterable<LabelledRun> | Iterable<LabelledRun>;
  readonly seen: { readonly labels: ReadonlySet<LabelledRun["label"]>; readonly windows: number };
}

/** How a round is shown. */
export interface Shown {
  readonly maxRuns: number;
  /** Runs as comma-separated values. */
  readonly csv: boolean;
}

/** Shows all runs of a round; gives the labels that were seen. */
export async function showRound(
  out: Output,
  plan: Shown,
  round: number,
  { runs: list, seen: read }: Reading,
  signal: AbortSignal,
): Promise<ReadonlySet<LabelledRun["label"]>> {
  const shown: string[][] = [];
  let runs = 0;
  let pages = 0;
  let size = 0n;
  let seen = performance.now();
  for await (const run of list) {
    runs += 1;
    pages += run.pages;
    size += run.size;
    if (out.json) out.record("run", { round, ...run });
    else if (plan.csv) out.text(csvOf(round, run));
    else if (shown.length < plan.maxRuns) shown.push(row(run));
    if (performance.now() - seen > SLICE) {
      await delay(0, signal);
      seen = performance.now();
    }
  }
  const { labels, windows } = read;
  out.record("round", { round, windows, runs, pages, size, labels: [...labels] });
  if (plan.csv) return labels;
  out.line(
    runs === 0
      ? `round ${round}: clean; ${counted(windows, "window")} read`
      : `round ${round}: ${counted(pages, "page")} dirty (${formatSize(size)}) in ` +
        `${counted(runs, "run")}; ${counted(windows, "window")} read`,
  );
  if (shown.length > 0) out.lines(columns([HEAD, ...shown], ["left", "right", "right"]));
  if (runs > shown.length) out.line(`  … ${counted(runs - shown.length, "more run")}`);
  return labels;
}

/** The first line of comma-separated values. */
export const CSV_HEAD = "round,iova,size,pages,label";

/** Numbers in decimal: what reads CSV seldom knows others. */
const csvOf = (round: number, { iova, size, pages, label }: LabelledRun): string =>
  `${round},${iova},${size},${pages},${label}`;

const HEAD = ["  IOVA", "SIZE", "PAGES", "LABEL"];

const row = ({ iova, size, pages, label }: LabelledRun): string[] => [
  `  ${hex(iova)}`,
  formatSize(size),
  `${pages}`,
  label,
];
