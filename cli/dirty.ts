/**
 * `pinscope dirty`: dirty pages round by round.
 *
 * @module
 */

import {
  DirtyMap,
  type DirtyTracker,
  type DirtyWindow,
  type Extent,
  formatSize,
  type LabelledRun,
  mergeRunsAsync,
} from "../mod.ts";
import { labelledRuns, type ViewRound } from "../lib/record/mod.ts";
import { accountOf, mappingsOf } from "./live_rounds.ts";
import { headOf } from "./measure.ts";
import { type FromFile, openSession, readFrom } from "./recording.ts";
import { SaveFile } from "./save_file.ts";
import { checkMetrics, Metrics } from "./metrics.ts";
import { readMaps, type Wish } from "./maps.ts";
import { delay } from "../lib/base/wait.ts";
import type { Output } from "./output.ts";
import { CSV_HEAD, type Reading, type Shown, showRound } from "./dirty_round.ts";
import { MEANING } from "./meaning.ts";
import { openGround, readSource, type Shared, type SourceName } from "./source.ts";
import { leaveIfStuck } from "./stuck.ts";
import { type ParsedOptions, UsageError } from "./parse.ts";
import { Progress } from "./progress.ts";
import type { Context } from "./context.ts";
import { checkDevice, numberValue, sizeValue } from "./values.ts";

/** The command line, understood. */
interface Plan extends Shown {
  readonly devices: readonly string[];
  readonly maps: readonly Wish[];
  readonly seconds: number;
  readonly rounds: number;
  readonly maxBitmapBytes: number;
  readonly source: SourceName | undefined;
  readonly overcommit: boolean;
  readonly save: string | undefined;
  readonly from: FromFile | undefined;
}

const DEFAULT_RUNS = 16;
const DEFAULT_BUDGET = 1 << 20;
const WEEK = 7 * 86_400;
const MOST = 2 ** 31;

/** Attaches, maps, tracks, and shows a round after each interval; or shows a recording. */
export async function dirty(context: Context): Promise<number> {
  const { out, kernel, parsed, signal } = context;
  const plan = readPlan(parsed);
  if (plan.csv && out.json) throw new UsageError("--csv and --json exclude each other");
  const sends = checkMetrics(parsed, out);
  if (plan.csv) out.text(CSV_HEAD);
  if (plan.from !== undefined) return await showFile(context, plan, plan.from);
  using ground = openGround(out, kernel, plan);
  const { container, tracker } = ground;
  const { source, pageSize } = tracker;
  using file = plan.save === undefined ? undefined : new SaveFile(plan.save, {
    ...headOf(context, { devices: plan.devices, source, pageSize }),
    mappings: mappingsOf(container, pageSize),
  }, signal);
  const metrics = sends ? new Metrics(plan.devices, source) : undefined;
  try {
    await showRounds({ out, container, tracker, plan, signal, file, metrics });
    file?.finish("done");
  } catch (error) {
    await leaveIfStuck(error, { out, container, reader: tracker });
    throw error;
  }
  return 0;
}

/** What live rounds are read from, and shown on. */
interface Live {
  readonly out: Output;
  readonly container: Shared;
  readonly tracker: DirtyTracker;
  readonly plan: Plan;
  readonly signal: AbortSignal;
  readonly file: SaveFile | undefined;
  readonly metrics: Metrics | undefined;
}

async function showRounds(live: Live): Promise<void> {
  const { out, container, tracker, plan, signal, file, metrics } = live;
  const teller = new Teller(out);
  const begun = performance.now();
  let before = begun;
  for (let round = 1; round <= plan.rounds; round += 1) {
    await delay(plan.seconds * 1000, signal);
    const now = performance.now();
    const spent = tracker.readTime;
    const kept = new Kept(tracker.pageSize, file !== undefined || metrics !== undefined);
    using progress = new Progress(out);
    const reading = kept.reading(tracker, plan, signal, progress);
    const labels = await showRound(out, plan, round, reading, signal);
    const measured: ViewRound = {
      round,
      at: now - begun,
      elapsed: now - before,
      dirty: kept.dirty,
      labels: [...labels],
      mappings: mappingsOf(container, tracker.pageSize),
      windows: kept.windows,
      readTime: tracker.readTime - spent,
      account: accountOf(container),
    };
    file?.add(measured);
    metrics?.record(measured);
    before = now;
    teller.tell(labels);
    out.flush();
  }
}

/** Says once what each label means. */
class Teller {
  readonly #told = new Set<string>();

  constructor(readonly out: Output) {}

  tell(labels: Iterable<LabelledRun["label"]>): void {
    for (const label of labels) {
      if (!this.out.json && !this.#told.has(label)) this.out.hint(`${label}: ${MEANING[label]}`);
      this.#told.add(label);
    }
  }
}

/** What a round is kept as, if it is. */
class Kept {
  readonly dirty: DirtyMap;
  readonly windows: (Extent & { readonly label: LabelledRun["label"] })[] = [];

  constructor(pageSize: bigint, readonly isWanted: boolean) {
    this.dirty = new DirtyMap(pageSize);
  }

  /** The runs of everything that is dirty, kept as they are read. */
  reading(
    tracker: DirtyTracker,
    { maxBitmapBytes }: Plan,
    signal: AbortSignal,
    progress: Progress,
  ): Reading {
    const labels = new Set<LabelledRun["label"]>();
    const seen = { labels, windows: 0 };
    const keep = (window: DirtyWindow): void => {
      seen.windows += 1;
      labels.add(window.label);
      if (!this.isWanted) return;
      this.dirty.add(window);
      this.windows.push({ iova: window.iova, size: window.size, label: window.label });
    };
    const drain = async function* (): AsyncGenerator<DirtyWindow, void> {
      const onProgress = ({ size, total }: { size: bigint; total: bigint }): void =>
        progress.at(() => `${formatSize(size)} of ${formatSize(total)} read`);
      for await (const window of tracker.drainAsync({ maxBitmapBytes, signal, onProgress })) {
        keep(window);
        yield window;
      }
    };
    return { runs: mergeRunsAsync(drain()), seen };
  }
}

/** Shows the rounds of a recording as if they were read now. */
async function showFile(context: Context, plan: Plan, from: FromFile): Promise<number> {
  const { out, signal } = context;
  const { head, read } = await openSession(context, from);
  for (const { iova, size } of head.mappings) out.record("mapping", { iova, size });
  out.record("source", { source: head.source, pageSize: head.pageSize });
  const teller = new Teller(out);
  let left = plan.rounds;
  for await (const round of read()) {
    if (left-- <= 0) break;
    teller.tell(await showRound(out, plan, round.round, readingOf(round), signal));
    out.flush();
  }
  return 0;
}

function readingOf(round: ViewRound): Reading {
  const { labels, windows = [] } = round;
  return { runs: labelledRuns(round), seen: { labels: new Set(labels), windows: windows.length } };
}

function readPlan(parsed: ParsedOptions): Plan {
  const { positional, lists, values } = parsed;
  const from = readFrom(parsed);
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
      (interval === undefined && from === undefined ? 1 : Infinity),
    maxRuns: numberValue("max-runs", values.get("max-runs"), { ...whole, least: 0 }) ??
      DEFAULT_RUNS,
    source: readSource(values.get("source")),
    overcommit: parsed.flags.has("overcommit"),
    csv: parsed.flags.has("csv"),
    save: values.get("save"),
    from,
    maxBitmapBytes: bitmap === undefined ? DEFAULT_BUDGET : Number(bitmap),
  };
}
