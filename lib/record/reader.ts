import { crc32 } from "../dirty/frame.ts";
import type { ViewRound } from "../view/round.ts";
import {
  headOf,
  KINDS,
  type Layout,
  layoutOf,
  type RecordingEnd,
  type RecordingHead,
  type RoundJson,
  roundOf,
} from "./format.ts";
import { type FoundFrame, FrameScan, splitFrames } from "./scan.ts";

/** What a recording holds, in order. */
export type RecordingEntry =
  | { readonly type: "head"; readonly head: RecordingHead }
  | { readonly type: "round"; readonly round: ViewRound }
  | { readonly type: "end"; readonly end: RecordingEnd }
  | RecordingGap;

/** Bytes of a recording that cannot be read. */
export interface RecordingGap {
  /** Tells it from the other entries. */
  readonly type: "gap";
  /** Where, in bytes from the beginning. */
  readonly at: number;
  /** How many bytes. */
  readonly size: number;
  /**
   * `cut`: the last record is not complete, as after a crash; `damaged`: something else stands there;
   * `lost`: the record is whole, but what it needs stood in a record that is not.
   */
  readonly state: "cut" | "damaged" | "lost";
}

const parse = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes));

/** Reads records in order; keeps what later ones lean on. */
class Records {
  #session: number | undefined;
  #layout: Layout | undefined;

  read({ kind, payload, at }: FoundFrame): RecordingEntry {
    if (kind === KINDS.head) {
      this.#session = crc32(payload);
      this.#layout = undefined;
      return { type: "head", head: headOf(parse(payload)) };
    }
    const lost = { type: "gap", at, size: payload.length, state: "lost" } as const;
    if (kind === KINDS.end) {
      const { session, ...end } = parse(payload) as RecordingEnd & { readonly session: number };
      if (session !== this.#session) return lost;
      this.#session = undefined;
      return { type: "end", end };
    }
    const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
    const start = 4 + view.getUint32(0, true);
    const json = parse(payload.subarray(4, start)) as RoundJson;
    if (json.session !== this.#session) return lost;
    this.#layout = layoutOf(json) ?? this.#layout;
    if (this.#layout?.round !== json.layout) return lost;
    const round = roundOf(json, this.#layout, splitFrames(payload.subarray(start)));
    return { type: "round", round };
  }
}

/**
 * Reads a recording as its bytes come. Whatever was written whole is given, also behind damage; what
 * was not is told as a gap, and nothing is taken from it. Memory: that of the largest record.
 *
 * @param source The bytes, in pieces of any size.
 * @returns Its records in order; a file may hold several sessions, each with a head of its own.
 * @throws {RangeError} If a whole record is of a format that is not known here.
 */
export async function* readRecording(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<RecordingEntry, void> {
  const scan = new FrameScan(Object.values(KINDS));
  const records = new Records();
  const found = function* (): Generator<RecordingEntry, void> {
    for (let next = scan.next(); next !== undefined; next = scan.next()) {
      yield next.type === "gap" ? next : records.read(next);
    }
  };
  for await (const piece of source) {
    scan.push(piece);
    yield* found();
  }
  scan.end();
  yield* found();
}
