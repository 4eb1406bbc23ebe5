/**
 * A recording is a list of frames (see `lib/dirty/frame.ts`), which only grows:
 *
 * | kind | payload                                                                      |
 * | ---- | ---------------------------------------------------------------------------- |
 * | rhed | JSON: what is measured on, and what is mapped; begins a session              |
 * | rond | bytes of JSON in 4 bytes, the JSON, a "page" frame of dirty pages, and where |
 * |      | pinned pages are known one of them                                           |
 * | rend | JSON: why the session ended, and how many rounds it has                      |
 *
 * Addresses and sizes are hexadecimal text in JSON. Mappings and windows stand in a round only where
 * they have changed; each round names the one in which they stand, and its session by the CRC-32 of the
 * head's payload, so that none is read with those of another.
 *
 * @module
 */

import type { Extent } from "../base/extent.ts";
import { hex } from "../base/format.ts";
import { DirtyMap } from "../dirty/dirty_map.ts";
import type { DirtyLabel } from "../dirty/label.ts";
import type { ViewAccount, ViewHead, ViewRound } from "../view/round.ts";

/** The kinds of the frames. */
export const KINDS = { head: "rhed", round: "rond", end: "rend" } as const;

/** What a recording begins with. */
export interface RecordingHead extends ViewHead {
  /** What is mapped when it begins. */
  readonly mappings: readonly Extent[];
}

/** What a recording ends with, unless the program died. */
export interface RecordingEnd {
  /** Rounds that were written. */
  readonly rounds: number;
  /** As "done" or "interrupted". */
  readonly reason: string;
}

type Window = Extent & { readonly label: DirtyLabel };

/** A round as JSON. */
export interface RoundJson {
  /** CRC-32 of the payload of the head that it belongs to. */
  readonly session: number;
  readonly round: number;
  readonly at: number;
  readonly elapsed: number;
  readonly readTime: number;
  readonly labels: readonly DirtyLabel[];
  /** The round in which mappings and windows stand: this one or an earlier one. */
  readonly layout: number;
  readonly mappings?: readonly (readonly [string, string])[];
  readonly windows?: readonly (readonly [string, string, DirtyLabel])[];
  readonly account?: {
    readonly locked: string;
    readonly pinned: string;
    readonly limit: string | null;
    readonly dmaAvailable: number | null;
  };
}

/** Mappings and windows, which seldom change. */
export interface Layout {
  readonly round: number;
  readonly mappings: readonly Extent[];
  readonly windows: readonly Window[] | undefined;
}

export const extentsJson = (extents: readonly Extent[]): [string, string][] =>
  extents.map(({ iova, size }) => [hex(iova), hex(size)]);

export const extentsOf = (list: readonly (readonly [string, string])[]): Extent[] =>
  list.map(([iova, size]) => ({ iova: BigInt(iova), size: BigInt(size) }));

/** The JSON of a head. */
export function headJson({ mappings, pageSize, ...rest }: RecordingHead): unknown {
  return { format: 1, ...rest, pageSize: hex(pageSize), mappings: extentsJson(mappings) };
}

/** The head from its JSON. */
export function headOf(json: unknown): RecordingHead {
  const { format, pageSize, mappings, ...rest } = json as
    & Omit<RecordingHead, "pageSize" | "mappings">
    & { format: number; pageSize: string; mappings: [string, string][] };
  if (format !== 1) throw new RangeError(`The recording must be of format 1; got ${format}`);
  return { ...rest, pageSize: BigInt(pageSize), mappings: extentsOf(mappings) };
}

/** The text of mappings and windows: two are the same where their texts are. */
export function layoutJson(
  { mappings, windows }: Pick<ViewRound, "mappings" | "windows">,
): Pick<RoundJson, "mappings" | "windows"> {
  const list = windows?.map(({ iova, size, label }) => [hex(iova), hex(size), label] as const);
  return { mappings: extentsJson(mappings), ...(list === undefined ? {} : { windows: list }) };
}

/** Mappings and windows from a round that has them. */
export function layoutOf({ round, mappings, windows }: RoundJson): Layout | undefined {
  if (mappings === undefined) return undefined;
  return {
    round,
    mappings: extentsOf(mappings),
    windows: windows?.map(([iova, size, label]) => ({
      iova: BigInt(iova),
      size: BigInt(size),
      label,
    })),
  };
}

/** The account as JSON. */
export function accountJson(account: ViewAccount): NonNullable<RoundJson["account"]> {
  const { locked, pinned, limit, dmaAvailable } = account;
  return {
    locked: hex(locked),
    pinned: hex(pinned),
    limit: limit === undefined ? null : hex(limit),
    dmaAvailable: dmaAvailable ?? null,
  };
}

/** The round from its parts. */
export function roundOf(json: RoundJson, layout: Layout, frames: readonly Uint8Array[]): ViewRound {
  const [dirty, pinned] = frames.map((frame) => DirtyMap.fromBytes(frame));
  if (dirty === undefined || frames.length > 2) {
    throw new RangeError(`A round must have 1 or 2 sets of pages; got ${frames.length}`);
  }
  const { round, at, elapsed, readTime, labels, account } = json;
  return {
    round,
    at,
    elapsed,
    readTime,
    labels,
    dirty,
    pinned,
    mappings: layout.mappings,
    windows: layout.windows,
    account: account === undefined ? undefined : {
      locked: BigInt(account.locked),
      pinned: BigInt(account.pinned),
      limit: account.limit === null ? undefined : BigInt(account.limit),
      dmaAvailable: account.dmaAvailable ?? undefined,
    },
  };
}
