/**
 * The lines of `pinscope watch` above the mappings: what round it is, counts, accounts, rate.
 *
 * Nothing below may jump from round to round: where a line is broken depends on how long its numbers
 * can get, not on how long they are.
 *
 * @module
 */

import { type DirtyMap, type Extent, formatSize, hex } from "../mod.ts";
import type { ViewAccount, ViewRound } from "../lib/view/mod.ts";
import { counted, grouped, wrap } from "./table.ts";
import { type Piece, sides, type WatchLook } from "./watch_line.ts";
import { rangeOf, rateOf, type WatchState } from "./watch_state.ts";

const LEVELS = { plain: "▁▂▃▄▅▆▇█", ascii: "_.-=+*%#" } as const;
/** As long as a size, or a time, gets. */
const [LONGEST_SIZE, LONGEST_TIME] = ["1023.9 KiB", "99.99 ms"];

/** A time that a person reads. */
export const time = (ms: number): string =>
  ms < 1000 ? `${Number(ms.toFixed(ms < 10 ? 2 : 0))} ms` : `${Number((ms / 1000).toFixed(1))} s`;

/** The limit of locked memory. */
export const limitOf = ({ limit }: ViewAccount): string =>
  limit === undefined ? "no limit" : `of ${formatSize(limit)}`;

const perSecond = (rate: number): string => `${formatSize(Math.round(rate))}/s`;

/** Numbers as heights, the newest at the end. */
function heights(rates: readonly number[], width: number, ascii: boolean): string {
  const shown = width === 0 ? [] : rates.slice(-width);
  const most = Math.max(...shown, 0);
  const levels = ascii ? LEVELS.ascii : LEVELS.plain;
  return shown.map((rate) => levels[most === 0 ? 0 : Math.min(7, Math.floor(rate * 7.999 / most))]!)
    .join("");
}

/** What is dirty and pinned, and what is new and gone. */
function countTexts(
  { dirty, pinned, fresh, gone }: {
    readonly dirty: number;
    readonly pinned: number | undefined;
    readonly fresh: number;
    readonly gone: number;
  },
  size: string,
): [string, string] {
  const pins = pinned === undefined ? "" : `, ${grouped(pinned)} pinned`;
  return [
    `${counted(dirty, "page")} dirty (${size})${pins}`,
    `${grouped(fresh)} new, ${grouped(gone)} gone`,
  ];
}

/** The counts, on one line where they always fit. */
function countLines(round: ViewRound, change: WatchState["change"], width: number): string[] {
  const { dirty, pinned, mappings } = round;
  const all = mappings.reduce((sum, { size }) => sum + Number(size / dirty.pageSize), 0);
  const most = { dirty: all, pinned: pinned === undefined ? undefined : all };
  const longest = countTexts({ ...most, fresh: all, gone: all }, LONGEST_SIZE).join("; ");
  const size = formatSize(BigInt(dirty.count) * dirty.pageSize);
  const texts = countTexts({ dirty: dirty.count, pinned: pinned?.count, ...change }, size);
  const lines = longest.length <= width ? [texts.join("; ")] : texts;
  return lines.flatMap((text) => wrap(text, "  ", width));
}

/** VmLck with its limit, the time in the kernel, and where there is room the mappings left. */
function accountLine({ account, readTime }: ViewRound, width: number): Piece[] {
  const ioctl = `ioctl ${time(readTime)}`;
  if (account === undefined) return [[ioctl]];
  const { locked, limit, dmaAvailable } = account;
  const share = limit === undefined || limit === 0n
    ? ""
    : `, ${Number(locked * 1000n / limit) / 10} %`;
  const text = `VmLck ${formatSize(locked)} (${limitOf(account)}${share})`;
  // The kernel refuses pins at the limit.
  const alarm = limit !== undefined && locked * 10n >= limit * 9n ? "  NEAR THE LIMIT" : "";
  const left = dmaAvailable === undefined ? "" : `; ${counted(dmaAvailable, "mapping")} left`;
  const longest = `${text}${alarm}; ioctl ${LONGEST_TIME}${left}`;
  const tail = `; ${ioctl}${longest.length <= width ? left : ""}`;
  return alarm === "" ? [[text], [tail]] : [[text], [alarm, "alarm"], [tail]];
}

/** The rate of this round, those before it as heights, and the highest of them. */
function rateLine({ round, rates }: WatchState, width: number, { ascii }: WatchLook): Piece[] {
  const now = perSecond(round === undefined ? 0 : rateOf(round));
  const most = `  most ${perSecond(Math.max(0, ...rates))}`;
  const start = `rate  ${now.padEnd(LONGEST_SIZE.length + 2)} `;
  const room = Math.max(0, width - start.length - most.length);
  return [[start], [heights(rates, room, ascii), "dirty"], [most]];
}

/** Why no round follows, ahead of its number. */
function haltOf({ round, from, total, isPaused }: WatchState): string {
  if (from !== undefined && round?.round === total) return "END  ";
  return isPaused ? "PAUSED  " : "";
}

/** The lines above the mappings. */
export function headLines(state: WatchState, width: number, look: WatchLook): Piece[][] {
  const { round, head, change, from, total } = state;
  // Names of devices are long: what is cut off should be those, not the file.
  const file = from === undefined ? "" : `from ${from.split("/").at(-1)}: `;
  const name: Piece[] = [["pinscope watch ", "bold"], [`${file}${head.devices.join(" ")}`]];
  if (round === undefined) return [sides(name, [["no round yet"]], width)];
  const count = total === undefined ? "" : ` of ${total}`;
  const which: Piece[] = [[haltOf(state), "alarm"], [`round ${round.round}${count}`, "bold"]];
  const mapping = round.mappings[state.selected];
  return [
    sides(name, which, width),
    ...countLines(round, change, width).map((text): Piece[] => [[text]]),
    accountLine(round, width),
    rateLine(state, width, look),
    ...mapping === undefined ? [] : zoomLines(state, round, mapping, width),
  ];
}

/** Which part of the mapping is shown, where that is not all of it, and what is in it. */
function zoomLines(
  state: WatchState,
  { dirty, pinned }: ViewRound,
  mapping: Extent,
  width: number,
): Piece[][] {
  const { first, pages, zoom } = rangeOf(state, mapping);
  if (zoom === 0) return [];
  const { pageSize } = state.head;
  const range = {
    iova: mapping.iova + BigInt(first) * pageSize,
    size: BigInt(pages) * pageSize,
  };
  const counts = (set: DirtyMap): string => grouped(set.countEach([range])[0] ?? 0);
  const pins = pinned === undefined ? "" : `, ${counts(pinned)} pinned`;
  const text = `zoom ${2 ** zoom}: ${hex(range.iova)} to ${hex(range.iova + range.size - 1n)}, ` +
    `${formatSize(range.size)}: ${counts(dirty)} dirty${pins}`;
  return wrap(text, "  ", width).map((part): Piece[] => [[part, "bold"]]);
}
