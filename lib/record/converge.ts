import type { DirtyMap } from "../dirty/dirty_map.ts";
import type { DirtyLabel } from "../dirty/label.ts";
import type { ViewRound } from "../view/round.ts";
import { DirtyCurve, UnionCounter } from "./curve.ts";

/** What a migration has. */
export interface MigrationPlan {
  /** Bytes a second. */
  readonly bandwidth: number;
  /** Milliseconds in which the device may stand still. */
  readonly downtime: number;
  /** Rounds of sending after the first, at most: 100 by default. */
  readonly maxRounds?: number;
}

/** How sending goes, in one of the two bounds. */
export interface Course {
  /** Whether what is left fits into the downtime in the end. */
  readonly converges: boolean;
  /** Times that something is sent while the device runs; the first sends everything. */
  readonly rounds: number;
  /** Bytes sent while the device runs, and after it is stopped. */
  readonly sent: number;
  /** Milliseconds that the device stands still if it is stopped at the end. */
  readonly downtime: number;
  /** Milliseconds until it runs elsewhere. */
  readonly time: number;
  /** Bytes that are left at the beginning of each round. */
  readonly left: readonly number[];
}

/** What is to be expected of a migration. */
export interface Convergence {
  /** `depends`: it does in the better bound, and does not in the worse. */
  readonly verdict: "converges" | "depends" | "never";
  /** Why it is so. */
  readonly reason: string;
  /** If as few pages get dirty as the rounds allow. */
  readonly best: Course;
  /** If as many pages get dirty as the rounds allow. */
  readonly worst: Course;
  /** Rounds that were measured. */
  readonly rounds: number;
  /** Mean milliseconds of a round. */
  readonly interval: number;
  /** Mapped bytes. */
  readonly mapped: number;
  /** What the bits of the rounds mean. */
  readonly labels: readonly DirtyLabel[];
}

const BY_RULE: readonly DirtyLabel[] = ["all-mapped", "incomplete"];

function positive(name: string, value: number, least: number): void {
  if (Number.isFinite(value) && value >= least && value > 0) return;
  throw new RangeError(`${name} must be a number above 0, and at least ${least}; got ${value}`);
}

/**
 * Foretells from measured rounds whether sending memory while the device runs comes to an end.
 *
 * @example Four pages, always the same
 * ```ts
 * import { DirtyMap } from "@pinscope/vfio";
 * import { ConvergeBuilder } from "@pinscope/vfio/record";
 *
 * const builder = new ConvergeBuilder();
 * const mappings = [{ iova: 0n, size: 1n << 30n }];
 * const dirty = new DirtyMap(4096n).addRange(0n, 4);
 * for (const round of [1, 2, 3, 4]) {
 *   builder.add({
 *     round, at: round * 100, elapsed: 100, dirty, labels: ["written"], mappings, readTime: 0,
 *   });
 * }
 * const { verdict } = builder.forecast({ bandwidth: 1e9, downtime: 300 });
 * if (verdict !== "converges") throw new Error("16 KiB fit into 300 ms");
 * ```
 */
export class ConvergeBuilder {
  readonly #unions = new UnionCounter();
  readonly #labels = new Set<DirtyLabel>();
  #rounds = 0;
  #time = 0;
  #mapped = 0;
  #page = 0;
  #floor: DirtyMap | undefined;
  #isFloorKnown = true;

  /**
   * Adds the next round.
   *
   * @throws {RangeError} If its pages have another size than those before, or it took no time.
   */
  add({ dirty, pinned, elapsed, labels, mappings }: ViewRound): void {
    positive("elapsed", elapsed, 0);
    this.#unions.add(dirty, elapsed);
    this.#rounds += 1;
    this.#time += elapsed;
    this.#page = Number(dirty.pageSize);
    const mapped = mappings.reduce((sum, { size }) => sum + Number(size), 0);
    this.#mapped = Math.max(this.#mapped, mapped);
    for (const label of labels) this.#labels.add(label);
    // What is pinned all the time is reported however short the interval.
    if (pinned === undefined) this.#isFloorKnown = false;
    else this.#floor = this.#floor?.intersection(pinned) ?? pinned;
  }

  /**
   * Foretells. It takes for granted that the device goes on as it did in the rounds.
   *
   * @throws {RangeError} If no round was added, or a number makes no sense.
   */
  forecast({ bandwidth, downtime, maxRounds = 100 }: MigrationPlan): Convergence {
    positive("bandwidth", bandwidth, 0);
    positive("downtime", downtime, 0);
    positive("maxRounds", maxRounds, 1);
    if (this.#rounds === 0) throw new RangeError("A forecast needs a round; got none");
    const pages = this.#mapped / this.#page;
    const rule = BY_RULE.find((label) => this.#labels.has(label));
    const floor = this.#isFloorKnown ? this.#floor?.count ?? 0 : 0;
    const curve = new DirtyCurve(this.#unions.points(), floor, pages);
    const all = (): number => pages;
    const ask = { bandwidth, downtime, maxRounds, page: this.#page, pages };
    const best = courseOf(ask, rule === undefined ? (time) => curve.least(time) : all);
    const worst = courseOf(ask, rule === undefined ? (time) => curve.greatest(time) : all);
    const verdict = worst.converges ? "converges" : best.converges ? "depends" : "never";
    return {
      verdict,
      reason: reasonOf(verdict, rule),
      best,
      worst,
      rounds: this.#rounds,
      interval: this.#time / this.#rounds,
      mapped: this.#mapped,
      labels: [...this.#labels],
    };
  }
}

function reasonOf(verdict: Convergence["verdict"], rule: DirtyLabel | undefined): string {
  if (rule !== undefined && verdict === "never") {
    return `it cannot: every mapped page is dirty in each round, by rule (${rule}), so each round ` +
      "sends everything again";
  }
  if (rule !== undefined) return "everything that is mapped fits into the downtime at once";
  if (verdict === "converges") return "what is left fits into the downtime";
  if (verdict === "never") return "pages get dirty as fast as they are sent";
  return "it depends on how pages get dirty in intervals other than those that were measured";
}

interface Ask extends Required<MigrationPlan> {
  /** Bytes of a page. */
  readonly page: number;
  /** Mapped pages. */
  readonly pages: number;
}

function courseOf(ask: Ask, dirtied: (time: number) => number): Course {
  const { bandwidth, downtime, maxRounds, page, pages } = ask;
  const timeOf = (count: number): number => count * page * 1000 / bandwidth;
  let [left, sent, time, rounds] = [pages, 0, 0, 0];
  const list = [left * page];
  let converges = timeOf(left) <= downtime;
  while (!converges && rounds <= maxRounds) {
    const spent = timeOf(left);
    sent += left * page;
    time += spent;
    rounds += 1;
    const next = dirtied(spent);
    // No less than before: it is the same in each round to come.
    const isStuck = next >= left;
    left = next;
    list.push(left * page);
    converges = timeOf(left) <= downtime;
    if (isStuck) break;
  }
  const stop = timeOf(left);
  return {
    converges,
    rounds,
    sent: sent + left * page,
    downtime: stop,
    time: time + stop,
    left: list,
  };
}
