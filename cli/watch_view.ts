/**
 * What `pinscope watch` looks like: a pure function of its state and of the size of the terminal.
 *
 * @module
 */

import { type DirtyMap, type Extent, formatSize, hex } from "../mod.ts";
import type { ViewAccount, ViewRound } from "../lib/view/mod.ts";
import { counted, grouped, wrap } from "./table.ts";
import { MEANING } from "./meaning.ts";
import { rangeOf, rateOf, type WatchState } from "./watch_state.ts";

/** What the terminal has. */
export interface WatchSize {
  readonly columns: number;
  readonly rows: number;
}

/** How to draw. */
export interface WatchLook {
  /** Colour says nothing that is not said without it. */
  readonly color: boolean;
  /** No other characters than those of ASCII. */
  readonly ascii: boolean;
}

/** Clean, and four steps up to all pages of a cell. */
const SHADES = { plain: "·░▒▓█", ascii: ".:+*#" } as const;
const LEVELS = { plain: "▁▂▃▄▅▆▇█", ascii: "_.-=+*%#" } as const;
const COLORS = { dirty: "33", pinned: "36", faint: "2", bold: "1", alarm: "1;31" } as const;
type Tone = keyof typeof COLORS;

/** A piece of a line. */
type Piece = readonly [text: string, tone?: Tone];

const NAME = "  dirty  ";
const KEYS = "space pause  s step  + - zoom  left right move  0 whole  up down mapping  q quit";

/** Cuts pieces to a width, and colours them. */
function line(pieces: readonly Piece[], width: number, { color }: WatchLook): string {
  let room = width;
  let text = "";
  for (const [piece, tone] of pieces) {
    const part = piece.slice(0, room);
    room -= part.length;
    text += color && tone !== undefined && part !== ""
      ? `\x1b[${COLORS[tone]}m${part}\x1b[0m`
      : part;
  }
  return text.trimEnd();
}

/** Pieces on the left and on the right; where there is no room for both, the left ones are cut. */
function sides(left: readonly Piece[], right: readonly Piece[], width: number): Piece[] {
  const length = (pieces: readonly Piece[]): number =>
    pieces.reduce((sum, [text]) => sum + text.length, 0);
  let room = width - length(right) - 1;
  if (length(left) <= room) return [...left, [" ".repeat(room - length(left) + 1)], ...right];
  const cut: Piece[] = [];
  for (const [text, tone] of left) {
    const part = text.slice(0, Math.max(0, room - 1));
    room -= part.length;
    cut.push(tone === undefined ? [part] : [part, tone]);
  }
  return [...cut, ["~ "], ...right];
}

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

/** Numbers as heights, the newest at the end. */
function heights(rates: readonly number[], width: number, ascii: boolean): string {
  const shown = rates.slice(-width);
  const most = Math.max(...shown, 0);
  const levels = ascii ? LEVELS.ascii : LEVELS.plain;
  return shown.map((rate) => levels[most === 0 ? 0 : Math.min(7, Math.floor(rate * 7.999 / most))]!)
    .join("");
}

const time = (ms: number): string =>
  ms < 1000 ? `${Number(ms.toFixed(ms < 10 ? 2 : 0))} ms` : `${Number((ms / 1000).toFixed(1))} s`;

const limitOf = ({ limit }: ViewAccount): string =>
  limit === undefined ? "no limit" : `of ${formatSize(limit)}`;

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
    account === undefined ? undefined : `VmLck ${formatSize(account.locked)} ${limitOf(account)}`,
    `ioctl ${time(readTime)}`,
    labels.join("+"),
  ].filter((part) => part !== undefined).join(", ");
}

/** Dirty, pinned, new, gone and the rate. */
function roundText(round: ViewRound, change: WatchState["change"]): string {
  const { dirty, pinned } = round;
  const size = formatSize(BigInt(dirty.count) * dirty.pageSize);
  const pins = pinned === undefined ? "" : `, ${grouped(pinned.count)} pinned`;
  return `${counted(dirty.count, "page")} dirty (${size})${pins}; ` +
    `${grouped(change.fresh)} new, ${grouped(change.gone)} gone; ` +
    `${formatSize(Math.round(rateOf(round)))}/s; ioctl ${time(round.readTime)}`;
}

/** VmLck and its limit. */
function accountText(account: ViewAccount): string {
  const { locked, limit, dmaAvailable } = account;
  const share = limit === undefined || limit === 0n
    ? ""
    : `, ${Number(locked * 1000n / limit) / 10} %`;
  const left = dmaAvailable === undefined ? "" : `; ${counted(dmaAvailable, "mapping")} left`;
  return `VmLck ${formatSize(locked)} (${limitOf(account)}${share})${left}`;
}

/** Why no round follows, ahead of its number. */
function haltOf({ round, from, total, isPaused }: WatchState): string {
  if (from !== undefined && round?.round === total) return "END  ";
  return isPaused ? "PAUSED  " : "";
}

/** The lines above the mappings. */
function head(state: WatchState, width: number, look: WatchLook): Piece[][] {
  const { round, head, rates, change, from, total } = state;
  const file = from === undefined ? "" : `, from ${from.split("/").at(-1)}`;
  const name: Piece[] = [["pinscope watch ", "bold"], [`${head.devices.join(" ")}${file}`]];
  if (round === undefined) return [sides(name, [["no round yet"]], width)];
  const count = total === undefined ? "" : ` of ${total}`;
  const state_: Piece[] = [[haltOf(state), "alarm"], [`round ${round.round}${count}`, "bold"]];
  const lines: Piece[][] = [
    sides(name, state_, width),
    ...wrap(roundText(round, change), "  ", width).map((text): Piece[] => [[text]]),
  ];
  const { account } = round;
  if (account !== undefined) {
    // The kernel refuses pins at the limit.
    const isNear = account.limit !== undefined && account.locked * 10n >= account.limit * 9n;
    lines.push([
      [accountText(account)],
      [isNear ? "  NEAR THE LIMIT" : "", "alarm"],
    ]);
  }
  const most = formatSize(Math.round(Math.max(0, ...rates)));
  const text = `  most ${most}/s`;
  const room = Math.max(0, width - 6 - text.length);
  lines.push([["rate  "], [heights(rates, room, look.ascii), "dirty"], [text]]);
  const mapping = round.mappings[state.selected];
  if (mapping !== undefined) lines.push(...zoomLines(state, mapping));
  return lines;
}

/** Which part of the mapping is shown, where that is not all of it. */
function zoomLines(state: WatchState, mapping: Extent): Piece[][] {
  const { first, pages, zoom } = rangeOf(state, mapping);
  if (zoom === 0) return [];
  const { pageSize } = state.head;
  const iova = mapping.iova + BigInt(first) * pageSize;
  const size = BigInt(pages) * pageSize;
  const end = hex(iova + size - 1n);
  return [[[`zoom ${2 ** zoom}: ${hex(iova)} to ${end}, ${formatSize(size)}`, "bold"]]];
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
  if (round.pinned !== undefined) lines.push([["  pinned "], [draw(round.pinned), "pinned"]]);
  return lines;
}

/** The lines below the mappings. */
function foot(state: WatchState, width: number, { ascii }: WatchLook): Piece[][] {
  const [clean, some, half, more, full] = ascii ? SHADES.ascii : SHADES.plain;
  const scale =
    `${clean} clean  ${some} some  ${half} 1/3  ${more} 2/3  ${full} all pages of a cell`;
  const { round, unpinned } = state;
  const pinned = unpinned === undefined
    ? "pinned: what a second read, right behind the first, still has"
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
  const top = head(state, columns, look);
  const { round } = state;
  const count = round?.mappings.length ?? 0;
  const each = round?.pinned === undefined ? 2 : 3;
  // With little room the mappings come first, then the keys, then what is explained.
  const least = Math.min(count, 1) * each;
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
