/**
 * Where everything of a heat map stands, in units of the picture. The picture is drawn from it, and a
 * page finds by it what is under the pointer.
 *
 * @module
 */

import { hex } from "../base/format.ts";
import type { HeatData } from "./heat_data.ts";

/** Width of a character of the font of 11 units: all text is of one width. */
export const CHAR = 6.7;

/** Where cells are: a row for each cell, a column for each column of the data. */
export interface HeatLayout {
  /** Of the whole picture. */
  readonly width: number;
  readonly height: number;
  /** Left edge of the first column. */
  readonly left: number;
  /** Upper edge of each row, by rising address from the top. */
  readonly tops: readonly number[];
  readonly rowHeight: number;
  readonly columnWidth: number;
  /** Right edge of the last column. */
  readonly right: number;
  /** Lower edge of the last row. */
  readonly bottom: number;
  /** Height of the lines of text above. */
  readonly headHeight: number;
}

const PLOT = { width: 720, height: 480 };
/** Between two sections, for the sign of a break. */
export const BREAK = 18;
const LEAST_WIDTH = 800;
const RIGHT = 70;
export const LINE = 16;
/** Below the cells: labels, axis and legend. */
const BELOW = 146;

const clamp = (value: number, least: number, most: number): number =>
  Math.max(least, Math.min(most, value));

/** Width of the widest address on the axis. */
const axisWidth = ({ sections }: HeatData): number =>
  Math.max(0, ...sections.map(({ iova, size }) => hex(iova + size).length)) * CHAR;

/**
 * Lays a heat map out.
 *
 * @param lines Lines of text above the cells.
 * @param wide How wide a single column is to be, where there is one only.
 */
export function layOut(data: HeatData, lines: number, wide?: number): HeatLayout {
  const { sections, cells, columns } = data;
  const left = Math.ceil(axisWidth(data)) + 24;
  const headHeight = 14 + lines * LINE;
  const rowHeight = clamp(Math.floor(PLOT.height / Math.max(1, cells.length)), 3, 16);
  const columnWidth = wide ??
    clamp(Math.floor(PLOT.width / Math.max(1, columns.length)), 3, 32);
  const tops: number[] = [];
  let y = headHeight;
  for (const [i, section] of sections.entries()) {
    if (i > 0) y += BREAK;
    for (let cell = 0; cell < section.cells; cell += 1) {
      tops.push(y);
      y += rowHeight;
    }
  }
  const right = left + Math.max(1, columns.length) * columnWidth;
  const width = Math.max(LEAST_WIDTH, right + RIGHT);
  return {
    width,
    height: y + BELOW,
    left,
    right,
    tops,
    rowHeight,
    columnWidth,
    bottom: y,
    headHeight,
  };
}
