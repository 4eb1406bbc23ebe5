import type { DirtyMap } from "../dirty/dirty_map.ts";

/** How many pages get dirty in an interval: a mean over all intervals of that length. */
export interface CurvePoint {
  /** Milliseconds. */
  readonly time: number;
  readonly pages: number;
}

/** Intervals of one length that were joined. */
interface Level {
  time: number;
  pages: number;
  count: number;
  waiting: { readonly map: DirtyMap; readonly time: number } | undefined;
}

/**
 * Counts pages that were dirty in 1, 2, 4, 8 rounds in a row and so on: pages that are dirtied again
 * count once. Keeps a set of pages for each power of two.
 */
export class UnionCounter {
  readonly #levels: Level[] = [];

  /** Adds the next round; `time` in milliseconds. */
  add(map: DirtyMap, time: number): void {
    let joined = { map, time };
    for (let i = 0;; i += 1) {
      const level = this.#levels[i] ??= { time: 0, pages: 0, count: 0, waiting: undefined };
      level.time += joined.time;
      level.pages += joined.map.count;
      level.count += 1;
      if (level.waiting === undefined) {
        level.waiting = joined;
        return;
      }
      const { map: before, time: earlier } = level.waiting;
      level.waiting = undefined;
      joined = { map: before.union(joined.map), time: earlier + joined.time };
    }
  }

  /** The means, by rising time. */
  points(): CurvePoint[] {
    return this.#levels.map(({ time, pages, count }) => ({
      time: time / count,
      pages: pages / count,
    }));
  }
}

/**
 * Bounds of how many different pages get dirty in an interval of any length.
 *
 * If what dirties pages stays the same over time, the mean number of different pages is a concave
 * function of the length (Palm and Khinchin): so it lies above the lines between measured points, and
 * below those lines drawn on beyond them. Measured points that are not concave by chance are covered
 * by the lines over them.
 */
export class DirtyCurve {
  readonly #points: readonly CurvePoint[];
  readonly #most: number;

  /**
   * Takes measured points.
   *
   * @param points By rising time, none at 0.
   * @param floor Pages that are dirty after any time at all, as pinned ones are.
   * @param most Pages that there are.
   */
  constructor(points: readonly CurvePoint[], floor: number, most: number) {
    const list: CurvePoint[] = [];
    for (const point of [{ time: 0, pages: floor }, ...points]) {
      while (list.length > 1 && isBelow(list.at(-2)!, list.at(-1)!, point)) list.pop();
      list.push(point);
    }
    this.#points = list;
    this.#most = most;
  }

  /** The fewest pages in `time` milliseconds. */
  least(time: number): number {
    const at = this.#points.findIndex((point) => point.time > time);
    if (at === -1) return this.#points.at(-1)!.pages;
    return along(this.#points[at - 1]!, this.#points[at]!, time);
  }

  /** The most pages in `time` milliseconds. */
  greatest(time: number): number {
    const points = this.#points;
    let least = this.#most;
    for (let i = 1; i < points.length; i += 1) {
      const [a, b] = [points[i - 1]!, points[i]!];
      if (time <= b.time) least = Math.min(least, b.pages);
      if (time < a.time || time > b.time) least = Math.min(least, along(a, b, time));
    }
    return Math.max(least, this.least(time));
  }
}

const along = (a: CurvePoint, b: CurvePoint, time: number): number =>
  a.pages + (b.pages - a.pages) * (time - a.time) / (b.time - a.time);

const isBelow = (a: CurvePoint, b: CurvePoint, c: CurvePoint): boolean =>
  b.pages <= along(a, c, b.time);
