/**
 * What the bits mean, as lines over the cells and as words below them: colour is not needed for it.
 *
 * @module
 */

import type { DirtyLabel } from "../dirty/label.ts";
import type { HeatColumn } from "./heat_data.ts";
import { CHAR, type HeatLayout } from "./heat_layout.ts";

/** Labels that do not tell what was written have a pattern; of several, the first one counts. */
const PATTERNS = [
  ["incomplete", "crossed"],
  ["unknown", "dotted"],
  ["all-mapped", "hatched"],
] as const satisfies readonly (readonly [DirtyLabel, string])[];

/** What each label means, in a few words. */
export const MEANINGS: Readonly<Record<DirtyLabel, string>> = {
  "all-mapped": "every mapped page, by rule: nothing is known about writes",
  "pinned-scope": "pages that a driver has or had pinned, or wrote: maybe written",
  written: "pages that the device wrote",
  unknown: "every mapped page or only pinned ones: nothing tells which",
  incomplete: "after an error: every mapped page, because bits may be lost",
};

/** The pattern of a column, if it has one. */
export function patternOf(labels: readonly DirtyLabel[]): string | undefined {
  return PATTERNS.find(([label]) => labels.includes(label))?.[1];
}

/** The patterns, as definitions of an SVG file. */
export function patternDefs(id: string): string {
  const base = `width="7" height="7" patternUnits="userSpaceOnUse"`;
  const ink = `class="pl"`;
  return [
    `<pattern id="${id}-hatched" ${base} patternTransform="rotate(45)">`,
    `<path ${ink} d="M0 0v7"/></pattern>`,
    `<pattern id="${id}-crossed" ${base}><path ${ink} d="M0 0l7 7M7 0l-7 7"/></pattern>`,
    `<pattern id="${id}-dotted" ${base}><circle class="pd" cx="3.5" cy="3.5" r="1.5"/></pattern>`,
  ].join("");
}

/** Columns side by side that mean the same. */
export interface LabelSpan {
  readonly labels: readonly DirtyLabel[];
  readonly first: number;
  /** The column behind the last. */
  readonly end: number;
}

/** Joins columns that mean the same. */
export function spansOf(columns: readonly HeatColumn[]): LabelSpan[] {
  const spans: { labels: readonly DirtyLabel[]; first: number; end: number }[] = [];
  for (const [i, { labels }] of columns.entries()) {
    const last = spans.at(-1);
    if (last !== undefined && last.labels.join() === labels.join()) last.end = i + 1;
    else spans.push({ labels, first: i, end: i + 1 });
  }
  return spans;
}

/** The lane of words below the cells; where a word has no room, the legend has the pattern. */
export function labelLane(spans: readonly LabelSpan[], layout: HeatLayout): string {
  const { left, columnWidth, bottom, width } = layout;
  const y = bottom + 8;
  return spans.map(({ labels, first, end }, i) => {
    const x = left + first * columnWidth;
    const to = left + end * columnWidth;
    const text = labels.join(" + ");
    // The last one may go on to the edge of the picture.
    const room = (i === spans.length - 1 ? width : to) - x - 6;
    const word = text.length * CHAR <= room
      ? `<text class="tx" x="${x + 3}" y="${y + 12}">${text}</text>`
      : "";
    return `<path class="ax" d="M${x + 0.5} ${y + 4}v-4H${to - 0.5}v4"/>${word}`;
  }).join("");
}
