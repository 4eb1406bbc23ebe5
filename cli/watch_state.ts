/**
 * What `pinscope watch` shows, and what keys and rounds change about it.
 *
 * @module
 */

import type { Extent } from "../mod.ts";
import type { ViewHead, ViewRound } from "../lib/view/mod.ts";

/** How a round differs from the one before. */
export interface Change {
  /** Pages that were not dirty in the round before. */
  readonly fresh: number;
  /** Pages that were, and are not. */
  readonly gone: number;
}

/** Everything that is shown. */
export interface WatchState {
  readonly head: ViewHead;
  /** The last round; undefined before the first. */
  readonly round: ViewRound | undefined;
  readonly change: Change;
  /** Dirty bytes a second of the last rounds, the newest at the end. */
  readonly rates: readonly number[];
  /** Why pinned pages cannot be told apart; undefined where they can. */
  readonly unpinned: string | undefined;
  readonly isPaused: boolean;
  /** The recording that is played. */
  readonly from: string | undefined;
  /** How many rounds there will be, where that is known. */
  readonly total: number | undefined;
  /** The mapping that is looked at, by its place. */
  readonly selected: number;
  /** How often its range was halved. */
  readonly zoom: number;
  /** The page in the middle of the range. */
  readonly center: number;
}

/** What a key asks for. */
export type Action =
  | "pause"
  | "step"
  | "in"
  | "out"
  | "whole"
  | "left"
  | "right"
  | "up"
  | "down"
  | "quit";

/** Rates that are kept for the line of them. */
const KEPT = 240;

/** Before the first round. */
export function newState(
  head: ViewHead,
  { from, total }: { readonly from?: string; readonly total?: number } = {},
): WatchState {
  return {
    head,
    round: undefined,
    change: { fresh: 0, gone: 0 },
    rates: [],
    unpinned: undefined,
    isPaused: false,
    from,
    total: total === Infinity ? undefined : total,
    selected: 0,
    zoom: 0,
    center: 0,
  };
}

/** Dirty bytes a second in a round. */
export function rateOf({ dirty, elapsed }: ViewRound): number {
  return elapsed > 0 ? dirty.count * Number(dirty.pageSize) * 1000 / elapsed : 0;
}

/** How a round differs from the one before, or from nothing. */
export function changeOf(before: ViewRound | undefined, round: ViewRound): Change {
  if (before === undefined) return { fresh: round.dirty.count, gone: 0 };
  const fresh = round.dirty.difference(before.dirty).count;
  return { fresh, gone: before.dirty.count - (round.dirty.count - fresh) };
}

/** Takes a round in. */
export function withRound(state: WatchState, round: ViewRound, unpinned?: string): WatchState {
  return {
    ...state,
    round,
    unpinned,
    change: changeOf(state.round, round),
    rates: [...state.rates, rateOf(round)].slice(-KEPT),
    selected: Math.max(0, Math.min(state.selected, round.mappings.length - 1)),
  };
}

/** The pages of a mapping that are shown: all, or some around the middle. */
export function rangeOf(
  state: WatchState,
  mapping: Extent,
): { readonly first: number; readonly pages: number; readonly zoom: number } {
  const all = Number(mapping.size / state.head.pageSize);
  const zoom = Math.min(state.zoom, Math.max(0, Math.ceil(Math.log2(all))));
  const pages = Math.max(1, Math.ceil(all / 2 ** zoom));
  const first = Math.max(0, Math.min(all - pages, Math.round(state.center - pages / 2)));
  return { first: zoom === 0 ? 0 : first, pages, zoom };
}

/** Does what a key asks for. */
export function act(state: WatchState, action: Action): WatchState {
  const mapping = state.round?.mappings[state.selected];
  switch (action) {
    case "pause":
      return { ...state, isPaused: !state.isPaused };
    case "step":
      return { ...state, isPaused: true };
    case "up":
    case "down": {
      const last = Math.max(0, (state.round?.mappings.length ?? 0) - 1);
      const selected = Math.max(0, Math.min(last, state.selected + (action === "up" ? -1 : 1)));
      return selected === state.selected ? state : { ...state, selected, zoom: 0 };
    }
    case "whole":
      return { ...state, zoom: 0 };
    case "quit":
      return state;
  }
  if (mapping === undefined) return state;
  const { first, pages, zoom } = rangeOf(state, mapping);
  const center = first + pages / 2;
  if (action === "in") {
    return pages === 1 ? state : { ...state, zoom: zoom + 1, center };
  }
  if (action === "out") return { ...state, zoom: Math.max(0, zoom - 1), center };
  if (zoom === 0) return state;
  const by = Math.max(1, pages / 4);
  const all = Number(mapping.size / state.head.pageSize);
  const moved = center + (action === "left" ? -by : by);
  return { ...state, center: Math.max(pages / 2, Math.min(all - pages / 2, moved)) };
}

const KEYS: Readonly<Record<string, Action>> = {
  " ": "pause",
  p: "pause",
  s: "step",
  "+": "in",
  "=": "in",
  "-": "out",
  "0": "whole",
  h: "left",
  l: "right",
  k: "up",
  j: "down",
  q: "quit",
  "\x03": "quit",
  "\x1b[A": "up",
  "\x1b[B": "down",
  "\x1b[C": "right",
  "\x1b[D": "left",
  "\x1bOA": "up",
  "\x1bOB": "down",
  "\x1bOC": "right",
  "\x1bOD": "left",
};

/** What was typed, key by key; other keys ask for nothing. */
export function actionsOf(text: string): Action[] {
  // deno-lint-ignore no-control-regex
  const keys = text.match(/\x1b[[O][0-9;]*[A-Za-z~]|[^]/g) ?? [];
  return keys.flatMap((key) => KEYS[key] ?? []);
}
