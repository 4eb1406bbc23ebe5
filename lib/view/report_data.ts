import type { Extent } from "../base/extent.ts";
import { DirtyMap } from "../dirty/dirty_map.ts";
import type { DirtyLabel } from "../dirty/label.ts";
import type { RatePoint } from "./chart.ts";
import { HeatBuilder, type HeatData } from "./heat_data.ts";
import type { ViewAccount, ViewHead, ViewRound } from "./round.ts";

/** What is known of one mapping. */
export interface ReportMapping extends Extent {
  /** Its pages. */
  readonly pages: number;
  /** Pages that were dirty in one round at least. */
  readonly once: number;
  /** Pages that were dirty in every round. */
  readonly always: number;
}

/** A run of pages that stayed. */
export interface ReportRun extends Extent {
  /** How many pages. */
  readonly pages: number;
  /** Number of its first page in its mapping, from 0. */
  readonly page: number;
  /** Of its pages, those that were there in every round. */
  readonly always: number;
}

/** What a report tells. */
export interface ReportData {
  /** What was measured on. */
  readonly head: ViewHead;
  /** How many rounds. */
  readonly rounds: number;
  /** Milliseconds that they took together. */
  readonly time: number;
  /** Fewest, mean and most dirty pages of a round. */
  readonly pages: { readonly least: number; readonly mean: number; readonly most: number };
  /** Mean and longest time of the reads of a round in the kernel, in milliseconds. */
  readonly readTime: { readonly mean: number; readonly most: number };
  /** Rounds by label. */
  readonly labels: readonly (readonly [DirtyLabel, number])[];
  /** Pages that were dirty in one round at least. */
  readonly once: number;
  /** Pages that were dirty in every round. */
  readonly always: number;
  /** The mappings, in the order of their addresses. */
  readonly mappings: readonly ReportMapping[];
  /** The accounts after the first round and after the last, where they were taken. */
  readonly accounts: readonly (readonly [number, ViewAccount])[];
  /** The dirty rate of each round. */
  readonly rates: readonly RatePoint[];
  /** What the heat map draws. */
  readonly heat: HeatData;
  /** Whether a second read told what is pinned in the last round; else what was dirty in each. */
  readonly isPinnedKnown: boolean;
  /** Pinned runs, or runs dirty in each round, the largest of them. */
  readonly runs: readonly ReportRun[];
  /** Runs that are too many to list; the largest are listed. */
  readonly moreRuns: number;
}

/** More rows than that nobody reads, and a browser is slow with them. */
const MOST_RUNS = 2000;

/** Sums rounds up for a report. Memory: a few numbers a round, and some sets of pages. */
export class ReportBuilder {
  readonly #head: ViewHead;
  readonly #mappings: readonly Extent[];
  readonly #heat: HeatBuilder;
  readonly #rates: RatePoint[] = [];
  readonly #labels = new Map<DirtyLabel, number>();
  readonly #accounts: [number, ViewAccount][] = [];
  #rounds = 0;
  #time = 0;
  #least = Infinity;
  #most = 0;
  #sum = 0;
  #reads = { sum: 0, most: 0 };
  #before: DirtyMap;
  #once: DirtyMap;
  #always: DirtyMap | undefined;
  #pinned: DirtyMap | undefined;
  #pinnedAlways: DirtyMap | undefined;

  /**
   * Begins.
   *
   * @param head What was measured on.
   * @param mappings All that is mapped in any of the rounds.
   */
  constructor(head: ViewHead, mappings: Iterable<Extent>) {
    this.#head = head;
    this.#mappings = [...mappings].map(({ iova, size }) => ({ iova, size }))
      .sort((a, b) => a.iova < b.iova ? -1 : 1);
    this.#heat = new HeatBuilder({ pageSize: head.pageSize, mappings: this.#mappings });
    this.#before = new DirtyMap(head.pageSize);
    this.#once = new DirtyMap(head.pageSize);
  }

  /** Adds the next round. */
  add(round: ViewRound): void {
    const { dirty, pinned, labels, elapsed, at, readTime, account } = round;
    const pages = dirty.count;
    const second = elapsed > 0 ? Number(dirty.pageSize) * 1000 / elapsed : 0;
    const fresh = dirty.difference(this.#before).count;
    this.#heat.add(round);
    this.#rates.push({ at, rate: pages * second, fresh: fresh * second });
    for (const label of labels) this.#labels.set(label, (this.#labels.get(label) ?? 0) + 1);
    if (account !== undefined) this.#accounts.splice(1, 1, [round.round, account]);
    this.#rounds += 1;
    this.#time += elapsed;
    this.#least = Math.min(this.#least, pages);
    this.#most = Math.max(this.#most, pages);
    this.#sum += pages;
    this.#reads = {
      sum: this.#reads.sum + readTime,
      most: Math.max(this.#reads.most, readTime),
    };
    this.#before = dirty;
    this.#once = this.#once.union(dirty);
    this.#always = this.#always?.intersection(dirty) ?? dirty;
    this.#pinned = pinned;
    if (pinned !== undefined) {
      this.#pinnedAlways = this.#pinnedAlways?.intersection(pinned) ?? pinned;
    }
  }

  /** Gives what was summed up until now. */
  data(): ReportData {
    const { pageSize } = this.#head;
    const always = this.#always ?? new DirtyMap(pageSize);
    const [once, ever] = [this.#once.countEach(this.#mappings), always.countEach(this.#mappings)];
    const isByRule = this.#labels.has("all-mapped") || this.#labels.has("incomplete");
    const shown = this.#pinned ?? (isByRule ? undefined : always);
    const runs = shown === undefined ? [] : this.#runs(shown, this.#pinnedAlways ?? always);
    return {
      head: this.#head,
      rounds: this.#rounds,
      time: this.#time,
      pages: {
        least: this.#rounds === 0 ? 0 : this.#least,
        mean: this.#sum / Math.max(1, this.#rounds),
        most: this.#most,
      },
      readTime: { mean: this.#reads.sum / Math.max(1, this.#rounds), most: this.#reads.most },
      labels: [...this.#labels],
      once: this.#once.count,
      always: always.count,
      mappings: this.#mappings.map(({ iova, size }, i) => ({
        iova,
        size,
        pages: Number(size / pageSize),
        once: once[i]!,
        always: ever[i]!,
      })),
      accounts: [...this.#accounts],
      rates: [...this.#rates],
      heat: this.#heat.data(),
      isPinnedKnown: this.#pinned !== undefined,
      runs: runs.slice(0, MOST_RUNS).sort((a, b) => a.iova < b.iova ? -1 : 1),
      moreRuns: Math.max(0, runs.length - MOST_RUNS),
    };
  }

  /** Runs by falling length. A run ends where its mapping does. */
  #runs(shown: DirtyMap, always: DirtyMap): ReportRun[] {
    const { pageSize } = this.#head;
    const runs: Omit<ReportRun, "always">[] = [];
    let next = 0;
    for (const run of shown.runs()) {
      const end = run.iova + run.size;
      while (next < this.#mappings.length) {
        const mapping = this.#mappings[next]!;
        const mappingEnd = mapping.iova + mapping.size;
        const iova = run.iova > mapping.iova ? run.iova : mapping.iova;
        const to = end < mappingEnd ? end : mappingEnd;
        if (to > iova) {
          const [size, before] = [to - iova, iova - mapping.iova];
          const [pages, page] = [Number(size / pageSize), Number(before / pageSize)];
          runs.push({ iova, size, pages, page });
        }
        if (mappingEnd >= end) break;
        next += 1;
      }
    }
    const counts = always.countEach(runs);
    return runs.map((run, i) => ({ ...run, always: counts[i]! }))
      .sort((a, b) => b.pages - a.pages || (a.iova < b.iova ? -1 : 1));
  }
}
