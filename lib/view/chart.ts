/** A line of what was dirty a second, over time. */

import { formatSize } from "../base/format.ts";
import { roundUp } from "./heat_axis.ts";
import { CHAR } from "./heat_layout.ts";
import { styleOf, type Theme } from "./heat_style.ts";
import { duration } from "./text.ts";

/** A round, as the line shows it. */
export interface RatePoint {
  /** Milliseconds at its end. */
  readonly at: number;
  /** Dirty bytes a second. */
  readonly rate: number;
  /** Of those, in pages that were not dirty in the round before. */
  readonly fresh: number;
}

const SIZE = { width: 800, height: 230, left: 110, top: 24, right: 780, bottom: 180 } as const;
/** More points than that have no place of their own. */
const MOST = 660;

/** Joins neighbours, so that none is lost: the highest of them stands for all. */
function thinned(points: readonly RatePoint[]): RatePoint[] {
  const each = Math.ceil(points.length / MOST);
  if (each <= 1) return [...points];
  return Array.from({ length: Math.ceil(points.length / each) }, (_, i) => {
    const part = points.slice(i * each, (i + 1) * each);
    return {
      at: part.at(-1)!.at,
      rate: Math.max(...part.map(({ rate }) => rate)),
      fresh: Math.max(...part.map(({ fresh }) => fresh)),
    };
  });
}

/** A step of the axis for bytes: a power of two times 1, 2, 5 and so on would not be read well. */
function byteStep(highest: number): number {
  let step = 1;
  while (step * 4 < highest) step *= 2;
  return step;
}

/**
 * Draws the dirty bytes a second over time: all of them as a line, what was new as a dashed one.
 *
 * @param points By time.
 */
export function renderRate(points: readonly RatePoint[], theme: Theme = "light"): string {
  const { width, height, left, top, right, bottom } = SIZE;
  const shown = thinned(points);
  const begin = Math.min(0, ...shown.map(({ at }) => at));
  const end = Math.max(begin + 1, ...shown.map(({ at }) => at));
  const highest = Math.max(1, ...shown.map(({ rate }) => rate));
  const step = byteStep(highest);
  const most = Math.ceil(highest / step) * step;
  const x = (at: number): string =>
    (left + (right - left) * (at - begin) / (end - begin)).toFixed(1);
  const y = (rate: number): string => (bottom - (bottom - top) * rate / most).toFixed(1);
  const line = (of: (point: RatePoint) => number): string =>
    shown.map((point, i) => `${i === 0 ? "M" : "L"}${x(point.at)} ${y(of(point))}`).join("");
  const dots = shown.length > 60
    ? ""
    : shown.map((point) => `<circle class="br" cx="${x(point.at)}" cy="${y(point.rate)}" r="2.2"/>`)
      .join("");
  const rows: string[] = [];
  for (let at = 0; at <= most; at += step) {
    rows.push(
      `<path class="ax" stroke-width=".5" d="M${left} ${y(at)}H${right}"/>` +
        `<text class="tx" x="${left - 8}" y="${Number(y(at)) + 4}" text-anchor="end">${
          formatSize(Math.round(at))
        }/s</text>`,
    );
  }
  const every = roundUp(Math.max(1, Math.ceil((end - begin) / 7)));
  const ticks: string[] = [];
  for (let at = 0; at <= end; at += every) {
    ticks.push(
      `<path class="ax" d="M${x(at)} ${bottom}v5"/>` +
        `<text class="tx" x="${x(at)}" y="${bottom + 18}" text-anchor="middle">${
          duration(at)
        }</text>`,
    );
  }
  const key = bottom + 40;
  const first = `all dirty pages`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" ` +
    `height="${height}" role="img" aria-label="dirty bytes a second over time">`,
    styleOf(theme),
    `<rect class="pp" width="${width}" height="${height}"/>`,
    ...rows,
    ...ticks,
    `<path class="ln" d="${line(({ rate }) => rate)}"/>`,
    `<path class="ln" stroke-dasharray="4 4" d="${line(({ fresh }) => fresh)}"/>`,
    dots,
    `<path class="ln" d="M${left} ${key - 4}h26"/>`,
    `<text class="tx" x="${left + 32}" y="${key}">${first}</text>`,
    `<path class="ln" stroke-dasharray="4 4" d="M${left + 60 + first.length * CHAR} ${
      key - 4
    }h26"/>`,
    `<text class="tx" x="${left + 92 + first.length * CHAR}" y="${key}">` +
    `pages that were clean in the round before</text>`,
    `</svg>`,
  ].filter((part) => part !== "").join("\n") + "\n";
}
