import { delay } from "../base/wait.ts";
import { DirtyMap } from "../dirty/dirty_map.ts";
import type { DirtyLabel } from "../dirty/label.ts";
import type { TrackerCore } from "./tracker_core.ts";
import type { TakenWindow } from "./tracker_types.ts";

/** How to read again and again. */
export interface RoundsOptions {
  /** Milliseconds from the start of one round to that of the next: 1000 by default. */
  readonly interval?: number;
  /** How many rounds; without end by default. */
  readonly count?: number;
  /** Ends the rounds. */
  readonly signal?: AbortSignal | undefined;
  /** Bytes of bitmap that a window should not exceed, as for `drain`. */
  readonly maxBitmapBytes?: number;
}

/** What one round of reading everything gave. */
export interface DirtyRound {
  /** Counts from 1. */
  readonly round: number;
  /** The dirty pages. */
  readonly dirty: DirtyMap;
  /** How many pages are dirty. */
  readonly pages: number;
  /** Their bytes. */
  readonly size: bigint;
  /** What the bits mean; more than one where windows differ. */
  readonly labels: readonly DirtyLabel[];
  /** Windows that were read. */
  readonly windows: number;
  /** Milliseconds since the round before began, or for the first since the rounds were begun. */
  readonly elapsed: number;
  /** Dirty bytes a second over that time; by rule only, where the labels say so. */
  readonly rate: number;
  /** Pages dirty now that were not in the round before; all of them in the first round. */
  readonly fresh: number;
  /** Pages dirty in the round before that are not now. */
  readonly gone: number;
  /** Milliseconds that the reads took in the kernel. */
  readonly readTime: number;
  /** Milliseconds that looking through the bitmaps took. */
  readonly scanTime: number;
}

/** The options, complete. */
interface Plan {
  readonly interval: number;
  readonly count: number;
  readonly budget: number;
  readonly signal: AbortSignal | undefined;
}

/** See `DirtyTracker.rounds`. */
export async function* roundsOf(
  core: TrackerCore,
  { interval, count, budget, signal }: Plan,
): AsyncGenerator<DirtyRound, void> {
  let before = new DirtyMap(core.source.pageSize);
  let start = performance.now();
  for (let round = 1; round <= count; round += 1) {
    await delay(Math.max(0, start + interval - performance.now()), signal);
    const now = performance.now();
    const read = await readRound(core, budget, signal);
    const { dirty } = read;
    const pages = dirty.count;
    const size = BigInt(pages) * dirty.pageSize;
    const elapsed = now - start;
    const fresh = dirty.difference(before).count;
    yield {
      round,
      ...read,
      pages,
      size,
      elapsed,
      rate: elapsed > 0 ? Number(size) * 1000 / elapsed : 0,
      fresh,
      gone: before.count - (pages - fresh),
    };
    before = dirty;
    start = now;
  }
}

type ReadRound = Pick<DirtyRound, "dirty" | "labels" | "windows" | "readTime" | "scanTime">;

async function readRound(
  core: TrackerCore,
  budget: number,
  signal: AbortSignal | undefined,
): Promise<ReadRound> {
  const dirty = new DirtyMap(core.source.pageSize);
  const gone = new DirtyMap(core.source.pageSize); // apart: another mapping may lie there by now
  const windows: TakenWindow[] = [];
  const spent = core.spent;
  let scanTime = 0;
  try {
    for await (const window of core.windowsAside(budget, { iova: 0n }, { signal })) {
      const start = performance.now();
      const taken = core.taken(window);
      (taken.gone === undefined ? dirty : gone).add(window);
      windows.push(taken);
      scanTime += performance.now() - start;
    }
  } catch (error) {
    core.takeBack(dirty, windows); // reading has cleared them: they come with the next drain
    throw error;
  }
  const labels = [...new Set(windows.map(({ label }) => label))];
  return {
    dirty: gone.isEmpty ? dirty : dirty.union(gone),
    labels,
    windows: windows.length,
    readTime: core.spent - spent,
    scanTime,
  };
}
