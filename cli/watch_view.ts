/**
 * What `pinscope watch` looks like: a pure function of its state and of the size of the terminal.
 *
 * @module
 */

import { type DirtyMap, type Extent, formatSize, hex } from "../mod.ts";
import type { ViewRound } from "../lib/view/mod.ts";
import { counted, grouped, wrap } from "./table.ts";
import { MEANING } from "./meaning.ts";
import { headLines, limitOf, time } from "./watch_head.ts";
import { line, type Piece, SHADES, type WatchLook } from "./watch_line.ts";
import { rangeOf, rateOf, type WatchState } from "./watch_state.ts";

/** What the terminal has. */
export interface WatchSize {
  readonly columns: number;
  readonly rows: number;
}

const NAME = "  dirty  ";
const KEYS = "space pause  s step  + - zoom  left right move  0 whole  up down mapping  q quit";

/**
 * The bar of a range: a character for each cell, darker where more of its pages are in the set. With
 * fewer pages than room each page has several characters.
 */
export function bar(
  set: DirtyMap,
  range: { readonly iova: bigint; readonly pages: number },
  width: number,
  ascii: boolean,
): string {
  const cells = Math.max(1, Math.min(width, range.pages));
  const at = (i: number): number => Math.floor(i * range.pages / cells);
  const extents = Array.from({ length: cells }, (_, i): Extent => ({
    iova: range.iova + BigInt(at(i)) * set.pageSize,
    size: BigInt(at(i + 1) - at(i)) * set.pageSize,
  }));
  const shades = ascii ? SHADES.ascii : SHADES.plain;
  const signs = set.countEach(extents).map((count, i) => {
    const share = count / (at(i + 1) - at(i));
    return shades[share === 0 ? 0 : share < 1 ? 1 + Math.min(2, Math.floor(share * 3)) : 4]!;
  });
  return Array.from({ length: width }, (_, x) => signs[Math.floor(x * cells / width)]!).join("");
}

/** A round on one line, for a file. */
export function roundLine(state: WatchState): string {
  const { round, change } = state;
  if (round === undefined) return "no round was made";
  const { dirty, pinned, account, readTime, labels } = round;
  return [
    `round ${round.round}: ${counted(dirty.count, "page")} dirty`,
    pinned === undefined ? undefined : `${grouped(pinned.count)} pinned`,
    `+${grouped(change.fresh)} -${grouped(change.gone)}`,
    `${formatSize(Math.round(rateOf(round)))}/s`,
    account === undefined ? undefined : `VmLck ${formatSize(account.locked)} (${limitOf(account)})`,
    `ioctl ${time(readTime)}`,
    labels.join("+"),
  ].filter((part) => part !== undefined).join(", ");
}

/** What the bits of a mapping mean. */
function labelOf({ windows, labels }: ViewRound, mapping: Extent): string {
  const window = windows?.find(({ iova, size }) =>
    mapping.iova >= iova && mapping.iova < iova + size
  );
  return window?.label ?? labels.join("+");
}

/** A mapping: its name and counts, and a bar for each of dirty and pinned. */
function block(state: WatchState, index: number, width: number, look: WatchLook): Piece[][] {
  const round = state.round!;
  const mapping = round.mappings[index]!;
  const { pageSize } = state.head;
  const isSelected = index === state.selected;
  const all = { first: 0, pages: Number(mapping.size / pageSize), zoom: 0 };
  const { first, pages, zoom } = isSelected ? rangeOf(state, mapping) : all;
  const iova = mapping.iova + BigInt(first) * pageSize;
  const counts = (set: DirtyMap): string => grouped(set.countEach([mapping])[0] ?? 0);
  const pins = round.pinned === undefined ? "" : `, ${counts(round.pinned)} pinned`;
  const mark = isSelected && round.mappings.length > 1 ? "> " : "  ";
  const range = zoom === 0 ? "" : "  zoomed";
  const room = Math.max(1, width - NAME.length);
  const draw = (set: DirtyMap): string => bar(set, { iova, pages }, room, look.ascii);
  const what = `${hex(mapping.iova)} ${formatSize(mapping.size)}: ${
    counts(round.dirty)
  } dirty${pins}`;
  const label = labelOf(round, mapping);
  const long = `${what} of ${counted(all.pages, "page")}, ${label}`;
  // How many pages there are, its size tells too.
  const text = mark.length + long.length + range.length <= width ? long : `${what}, ${label}`;
  const lines: Piece[][] = [
    [[mark, "bold"], [text, isSelected ? "bold" : undefined], [range]] as Piece[],
    [[NAME], [draw(round.dirty), "dirty"]],
  ];
  if (round.pinned !== undefined) lines.push([["  pinned "], [draw(round.pinned)]]);
  return lines;
}

/** The lines below the mappings. */
function foot(state: WatchState, width: number, { ascii }: WatchLook): Piece[][] {
  const [clean, some, half, more, full] = ascii ? SHADES.ascii : SHADES.plain;
  const scale =
    `${clean} clean  ${some} some  ${half} 1/3  ${more} 2/3  ${full} all pages of a cell`;
  const { head, round, unpinned } = state;
  const pinned = unpinned === undefined
    ? `pinned: what a second read${
      head.source === "type1" ? "" : " of type1"
    }, right behind the first, still has`
    : `pinned pages cannot be told apart: ${unpinned}`;
  const meanings = (round?.labels ?? []).flatMap((label) =>
    wrap(`${label}: ${MEANING[label]}`, "  ", width).map((text): Piece[] => [[text, "faint"]])
  );
  const keys = KEYS.length <= width ? KEYS : "space pause  s step  + - zoom  q quit";
  return [
    [[scale, "faint"]],
    ...meanings,
    ...(round === undefined ? [] : wrap(pinned, "  ", width)).map((text): Piece[] => [
      [text, "faint"],
    ]),
    [[keys]],
  ];
}

/**
 * Draws a frame.
 *
 * @returns At most as many lines as the terminal has rows, none wider than it.
 */
export function renderWatch(state: WatchState, size: WatchSize, look: WatchLook): string[] {
  const { columns, rows } = size;
  const { round } = state;
  const count = round?.mappings.length ?? 0;
  const each = round?.pinned === undefined ? 2 : 3;
  // With little room a mapping comes first, then the numbers, then the keys and what is explained.
  const least = Math.min(count, 1) * each;
  const top = headLines(state, columns, look).slice(0, Math.max(1, rows - least));
  const room = Math.max(0, rows - top.length - least);
  const below = foot(state, columns, look);
  const bottom = below.slice(Math.max(0, below.length - room));
  const space = Math.max(0, rows - top.length - bottom.length);
  const fits = Math.max(least === 0 ? 0 : 1, Math.floor(space / each));
  const isAll = count <= fits;
  const shown = isAll ? count : Math.max(1, Math.floor((space - 1) / each));
  const start = Math.max(0, Math.min(state.selected - (shown >> 1), count - shown));
  const blocks = Array.from(
    { length: shown },
    (_, i) => block(state, start + i, columns, look),
  ).flat();
  const more: Piece[][] = isAll || space < shown * each + 1
    ? []
    : [[[`  ${counted(count, "mapping")}, ${start + 1} to ${start + shown} shown`, "faint"]]];
  const gap = rows - top.length - blocks.length - more.length - bottom.length;
  const blank: Piece[][] = Array.from({ length: Math.max(0, gap) }, () => []);
  return [...top, ...blocks, ...more, ...blank, ...bottom].slice(0, rows)
    .map((pieces) => line(pieces, columns, look));
}
