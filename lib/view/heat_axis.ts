/** Axes, legend and the words of a heat map. */

import { formatSize, hex } from "../base/format.ts";
import type { HeatData } from "./heat_data.ts";
import { BREAK, CHAR, type HeatLayout } from "./heat_layout.ts";
import { duration, escapeText, grouped } from "./text.ts";
import { LEVELS } from "./scale.ts";

/** Room that a label of the axis takes. */
const TALL = 13;

/** Addresses on the left, and what the breaks leave out. */
export function addressAxis(data: HeatData, layout: HeatLayout): string {
  const { sections, cells } = data;
  const { left, tops, rowHeight } = layout;
  const parts: string[] = [];
  const tick = (y: number, iova: bigint, dy: number): void => {
    parts.push(
      `<path class="ax" d="M${left - 6} ${y + 0.5}h5"/>` +
        `<text class="tx" x="${left - 9}" y="${y + dy}" text-anchor="end">${hex(iova)}</text>`,
    );
  };
  for (const [i, { iova, size, first, cells: count }] of sections.entries()) {
    const top = tops[first]!;
    const bottom = tops[first + count - 1]! + rowHeight;
    const isTall = bottom - top >= 2 * TALL;
    tick(top, iova, isTall || i > 0 ? 8 : 5);
    // Inside a long section every few rows, at round addresses and away from both ends.
    const every = Math.max(1, 2 ** Math.ceil(Math.log2(48 / rowHeight)));
    for (let cell = first + 1; cell < first + count; cell += 1) {
      const y = tops[cell]!;
      const at = cells[cell]!.iova;
      const isRound = (at / data.cellSize) % BigInt(every) === 0n;
      if (isRound && y - top >= 2 * TALL && bottom - y >= 2 * TALL) tick(y, at, 4);
    }
    if (isTall) tick(bottom - 1, iova + size, 1);
    const next = sections[i + 1];
    if (next === undefined) continue;
    const y = bottom + BREAK / 2;
    const zigzag = (dy: number): string => `M${left - 4} ${y + dy}l4 -3l4 6l4 -6l4 6l4 -6l4 3`;
    parts.push(
      `<path class="ed" d="${zigzag(-2)}${zigzag(2)}"/>` +
        `<text class="ft" x="${left + 30}" y="${y + 4}">gap of ${
          formatSize(next.iova - iova - size)
        }, not mapped</text>`,
    );
  }
  return parts.join("");
}

const STEPS = [1, 2, 5];

/** The smallest of 1, 2, 5, 10, 20 and so on that is not below a number. */
export function roundUp(least: number): number {
  for (let scale = 1;; scale *= 10) {
    const step = STEPS.find((step) => step * scale >= least);
    if (step !== undefined) return step * scale;
  }
}

/** Rounds and times below the cells. */
export function timeAxis(data: HeatData, layout: HeatLayout): string {
  const { columns } = data;
  const { left, columnWidth, bottom } = layout;
  const y = bottom + 30;
  const each = columns[0]?.rounds ?? 1;
  const every = roundUp(Math.ceil(64 / columnWidth));
  const parts = [
    `<text class="ft" x="${left - 9}" y="${y + 12}" text-anchor="end">round</text>`,
    `<text class="ft" x="${left - 9}" y="${y + 26}" text-anchor="end">ends at</text>`,
  ];
  for (let i = 0; i < columns.length; i += every) {
    const { first, last, to } = columns[i]!;
    const x = left + i * columnWidth;
    const name = first === last ? `${first}` : `${first}–${last}`;
    parts.push(
      `<path class="ax" d="M${x + 0.5} ${y - 4}v5"/>`,
      `<text class="tx" x="${x}" y="${y + 12}">${name}</text>`,
      `<text class="ft" x="${x}" y="${y + 26}">${duration(to)}</text>`,
    );
  }
  if (each > 1) {
    parts.push(
      `<text class="ft" x="${left}" y="${y + 40}">a column is ${each} rounds, ` +
        "its colour their mean</text>",
    );
  }
  return parts.join("");
}

/** Bars of how many rounds each cell was dirty in, for address alone. */
export function hitBars(data: HeatData, layout: HeatLayout): string {
  const [column] = data.columns;
  if (column === undefined) return "";
  const { tops, rowHeight, right, bottom } = layout;
  const [x, room] = [right + 12, 420];
  const full = (share: number): number => Math.round(share * room);
  const bars = column.hits.map((hits, i) =>
    hits === 0
      ? ""
      : `M${x} ${tops[i]}h${Math.max(1, full(hits / column.rounds))}v${
        Math.max(1, rowHeight - 1)
      }H${x}z`
  ).join("");
  const ends = [0, 0.5, 1].map((share) => {
    const at = x + full(share);
    const rounds = Math.round(share * column.rounds * 10) / 10;
    return `<path class="ax" d="M${at + 0.5} ${bottom + 4}v5"/>` +
      `<text class="tx" x="${at}" y="${bottom + 22}" text-anchor="middle">${rounds}</text>`;
  }).join("");
  return `<path class="br" d="${bars}"/>${ends}` +
    `<text class="ft" x="${x}" y="${bottom + 38}">rounds in which a page of the cell was dirty, ` +
    `of ${grouped(column.rounds)}</text>`;
}

/** The scale of colours, and the patterns that occur. */
export function legend(
  data: HeatData,
  layout: HeatLayout,
  patterns: readonly (readonly [string, string])[],
  id: string,
): string {
  const y = layout.height - 54;
  const swatch = (x: number, inner: string, text: string): string =>
    `${inner}<rect class="ax" x="${x + 0.5}" y="${y + 0.5}" width="21" height="13"/>` +
    `<text class="tx" x="${x + 28}" y="${y + 11}">${escapeText(text)}</text>`;
  const box = (x: number, kind: string): string =>
    `<rect ${kind} x="${x}" y="${y}" width="22" height="14"/>`;
  let x = 14;
  const parts = [
    `<text class="ft" x="${x}" y="${y - 8}">dirty pages, of those mapped in a cell of ${
      formatSize(data.cellSize)
    } (${grouped(Number(data.cellSize / data.pageSize))} ${
      data.cellSize === data.pageSize ? "page" : "pages"
    })</text>`,
  ];
  const steps = [{ text: "clean" }, ...LEVELS];
  for (const [i, { text }] of steps.entries()) {
    parts.push(swatch(x, box(x, `class="l${i}"`), text));
    x += 28 + text.length * CHAR + 14;
  }
  x = 14;
  for (const [name, text] of patterns) {
    const at = y + 24;
    parts.push(
      `<rect class="l${LEVELS.length}" x="${x}" y="${at}" width="22" height="14"/>` +
        `<rect fill="url(#${id}-${name})" x="${x}" y="${at}" width="22" height="14"/>` +
        `<text class="tx" x="${x + 28}" y="${at + 11}">${text}</text>`,
    );
    x += 28 + text.length * CHAR + 14;
  }
  return parts.join("");
}
