/**
 * `pinscope dirty`: dirty pages round by round.
 *
 * @module
 */

import {
  type DirtyTracker,
  type DirtyWindow,
  formatSize,
  hex,
  type LabelledRun,
  mergeRunsAsync,
} from "../mod.ts";
import { attachAll, mapAll, readMaps, type Wish } from "./maps.ts";
import { delay } from "../lib/base/wait.ts";
import type { Output } from "./output.ts";
import { MEANING } from "./meaning.ts";
import { readSource, type SourceName, track } from "./source.ts";
import { leaveIfStuck } from "./stuck.ts";
import { type ParsedOptions, UsageError } from "./parse.ts";
import type { Context } from "./context.ts";
import { columns, counted } from "./table.ts";
import { checkDevice, numberValue, sizeValue } from "./values.ts";

/** The command line, understood. */
interface Plan {
  readonly devices: readonly string[];
  readonly maps: readonly Wish[];
  readonly seconds: number;
  readonly rounds: number;
  readonly maxRuns: number;
  readonly maxBitmapBytes: number;
  readonly source: SourceName | undefined;
}

const DEFAULT_RUNS = 16;
const DEFAULT_BUDGET = 1 << 20;
const WEEK = 7 * 86_400;
const MOST = 2 ** 31;
/** How long output may go on before signals are looked for. */
const SLICE = 50;

/** Attaches, maps, tracks, and shows a round after each interval. */
export async function dirty({ out, kernel, parsed, signal }: Context): Promise<number> {
  const plan = readPlan(parsed);
  using container = attachAll(kernel, plan.devices);
  using _mapped = mapAll(out, container, plan.maps);
  using tracking = track(out, container, plan.source);
  const { tracker } = tracking;
  try {
    await showRounds(out, tracker, plan, signal);
  } catch (error) {
    await leaveIfStuck(error, { out, container, tracker });
    throw error;
  }
  return 0;
}

async function showRounds(
  out: Output,
  tracker: DirtyTracker,
  plan: Plan,
  signal: AbortSignal,
): Promise<void> {
  const told = new Set<string>();
  for (let round = 1; round <= plan.rounds; round += 1) {
    await delay(plan.seconds * 1000, signal);
    const labels = await showRound(out, tracker, plan, round, signal);
    for (const label of labels) {
      if (!out.json && !told.has(label)) out.note(`${label}: ${MEANING[label]}`);
      told.add(label);
    }
    out.flush();
  }
}

function readPlan({ positional, lists, values }: ParsedOptions): Plan {
  for (const device of positional) checkDevice(device);
  const interval = values.get("interval");
  const bounds = { least: 0, most: WEEK, whole: false };
  const whole = { least: 1, most: MOST, whole: true };
  const budget = values.get("budget");
  const bitmap = budget === undefined ? undefined : sizeValue("budget", budget);
  if (bitmap !== undefined && (bitmap < 8n || bitmap > BigInt(MOST))) {
    throw new UsageError(`--budget takes a size from 8 bytes to 2G; got ${JSON.stringify(budget)}`);
  }
  return {
    devices: positional,
    maps: readMaps(lists.get("map")),
    seconds: numberValue("interval", interval, bounds) ?? 1,
    rounds: numberValue("count", values.get("count"), whole) ??
      (interval === undefined ? 1 : Infinity),
    maxRuns: numberValue("max-runs", values.get("max-runs"), { ...whole, least: 0 }) ??
      DEFAULT_RUNS,
    source: readSource(values.get("source")),
    maxBitmapBytes: bitmap === undefined ? DEFAULT_BUDGET : Number(bitmap),
  };
}

/** Reads everything once; gives the labels that were seen. */
async function showRound(
  out: Output,
  tracker: DirtyTracker,
  plan: Plan,
  round: number,
  signal: AbortSignal,
): Promise<Set<LabelledRun["label"]>> {
  const labels = new Set<LabelledRun["label"]>();
  let windows = 0;
  const { maxBitmapBytes } = plan;
  const drain = async function* (): AsyncGenerator<DirtyWindow, void> {
    for await (const window of tracker.drainAsync({ maxBitmapBytes, signal })) {
      windows += 1;
      labels.add(window.label);
      yield window;
    }
  };
  const shown: string[][] = [];
  let runs = 0;
  let pages = 0;
  let size = 0n;
  let seen = performance.now();
  for await (const run of mergeRunsAsync(drain())) {
    runs += 1;
    pages += run.pages;
    size += run.size;
    if (out.json) out.record("run", { round, ...run });
    else if (shown.length < plan.maxRuns) shown.push(row(run));
    if (performance.now() - seen > SLICE) {
      await delay(0, signal);
      seen = performance.now();
    }
  }
  out.record("round", { round, windows, runs, pages, size, labels: [...labels] });
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

const HEAD = ["  IOVA", "SIZE", "PAGES", "LABEL"];

const row = ({ iova, size, pages, label }: LabelledRun): string[] => [
  `  ${hex(iova)}`,
  formatSize(size),
  `${pages}`,
  label,
];
