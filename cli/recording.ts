/**
 * Recordings on disk as `--from` reads them; `save_file.ts` writes them.
 *
 * @module
 */

import type { Extent } from "../mod.ts";
import {
  readRecording,
  type RecordingEntry,
  type RecordingHead,
  type ViewRound,
} from "../lib/record/mod.ts";
import type { Context } from "./context.ts";
import { InputError } from "./input.ts";
import { type ParsedOptions, UsageError } from "./parse.ts";
import { Progress } from "./progress.ts";
import { type RecordingBytes, recordingBytes } from "./recording_bytes.ts";
import { counted } from "./table.ts";
import { numberValue } from "./values.ts";

/** One session of a recording. */
export interface Session {
  /** Its file, or "stdin". */
  readonly name: string;
  readonly head: RecordingHead;
  /** All that was mapped in any of its rounds, by rising address. */
  readonly mappings: readonly Extent[];
  readonly rounds: number;
  /** Gives its rounds, from the file, as often as it is asked. */
  read(): AsyncGenerator<ViewRound, void>;
}

/** Which recording is read, and which session of it. */
export interface FromFile {
  /** A file, or "-" for stdin. */
  readonly path: string;
  /** What stands before the path on the command line: "--from " by default. */
  readonly option?: string;
  /** Counts from 1; the last one where it is undefined. */
  readonly session: number | undefined;
}

const LIVE = ["map", "source", "save", "budget"];

/**
 * Reads --from.
 *
 * @throws {UsageError} If it stands beside a device, or an option for one.
 */
export function readFrom(parsed: ParsedOptions): FromFile | undefined {
  const { values, lists, positional } = parsed;
  const path = values.get("from");
  const session = numberValue("session", values.get("session"), {
    least: 1,
    most: 2 ** 31,
    whole: true,
  });
  if (path === undefined) {
    if (session !== undefined) throw new UsageError("--session goes with --from");
    if (positional.length === 0) throw new UsageError("a DEVICE is needed, or --from FILE");
    return undefined;
  }
  if (positional.length > 0) {
    throw new UsageError(`--from takes no DEVICE besides; got ${positional.join(" ")}`);
  }
  const live = LIVE.find((name) => values.has(name) || (lists.get(name) ?? []).length > 0);
  if (live !== undefined) throw new UsageError(`--${live} is for a DEVICE, not for --from`);
  return { path, session };
}

async function* entriesOf(
  { name, read }: RecordingBytes,
  look: (size: number) => void = () => {},
): AsyncGenerator<RecordingEntry, void> {
  const seen = async function* (): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of read()) {
      look(chunk.length);
      yield chunk;
    }
  };
  try {
    yield* readRecording(seen());
  } catch (cause) {
    if (!(cause instanceof RangeError || cause instanceof SyntaxError)) throw cause;
    throw new InputError(`Cannot read ${name}: ${cause.message}`, { cause });
  }
}

/** What is found while a file is read for the first time. */
interface Found {
  readonly head: RecordingHead;
  readonly mappings: Map<string, Extent>;
  rounds: number;
  end: string | undefined;
}

const GAPS = {
  cut: "the last record is not complete",
  damaged: "no record is whole there",
  lost: "the records that it leans on are lost",
} as const;

/**
 * Looks through a recording, tells what of it cannot be read, and gives one of its sessions.
 *
 * @throws {InputError} If it cannot be read, or has no such session.
 */
export async function openSession(
  context: Pick<Context, "out" | "signal" | "stdin">,
  { path: given, session, option = "--from " }: FromFile,
): Promise<Session> {
  const { out } = context;
  const bytes = recordingBytes(given, option, context);
  const path = bytes.name;
  const all: Found[] = [];
  let size = 0;
  using progress = new Progress(out);
  let isEmpty = true;
  const look = (more: number): void => {
    size += more;
    progress.at(() => `${counted(size, "byte")} of ${path} looked through`);
  };
  for await (const entry of entriesOf(bytes, look)) {
    isEmpty = false;
    const last = all.at(-1);
    if (entry.type === "head") {
      all.push({ head: entry.head, mappings: new Map(), rounds: 0, end: undefined });
    } else if (entry.type === "gap") {
      const { at, size, state } = entry;
      out.record("gap", { file: path, at, size, state });
      out.note(`${path}: ${counted(size, "byte")} from byte ${at} on not read: ${GAPS[state]}`);
    } else if (last !== undefined && entry.type === "end") last.end = entry.end.reason;
    else if (last !== undefined && entry.type === "round") {
      last.rounds += 1;
      for (const extent of entry.round.mappings) {
        last.mappings.set(`${extent.iova}+${extent.size}`, extent);
      }
    }
  }
  const number = session ?? all.length;
  const found = all[number - 1];
  if (found === undefined) {
    throw new InputError(
      all.length > 0
        ? `Cannot read session ${number} of ${path}: it has ${counted(all.length, "session")}`
        : `Cannot read ${path}: it is ${isEmpty ? "empty" : "no recording"}; one is made by: ` +
          "pinscope watch DEVICE --save FILE",
    );
  }
  if (session === undefined && all.length > 1) {
    out.hint(`${path}: session ${number} of ${all.length}, the last; --session takes another`);
  }
  if (found.end === undefined) {
    out.note(`${path}: the session has no end: the program died, or still runs`);
  } else if (found.end === "stopped early") out.note(`${path}: the session was ${found.end}`);
  for (const extent of found.head.mappings) {
    found.mappings.set(`${extent.iova}+${extent.size}`, extent);
  }
  const { head, rounds } = found;
  const mappings = joined([...found.mappings.values()].sort(byPlace));
  return { name: path, head, rounds, mappings, read: () => roundsOf(bytes, number) };
}

/** One range for those that lie over one another, as mappings of different rounds may. */
function joined(sorted: readonly Extent[]): Extent[] {
  const list: Extent[] = [];
  for (const { iova, size } of sorted) {
    const last = list.at(-1);
    if (last === undefined || last.iova + last.size <= iova) {
      list.push({ iova, size });
      continue;
    }
    const [end, lastEnd] = [iova + size, last.iova + last.size];
    const to = end > lastEnd ? end : lastEnd;
    list[list.length - 1] = { iova: last.iova, size: to - last.iova };
  }
  return list;
}

async function* roundsOf(
  bytes: RecordingBytes,
  number: number,
): AsyncGenerator<ViewRound, void> {
  let now = 0;
  for await (const entry of entriesOf(bytes)) {
    if (entry.type === "head") now += 1;
    if (now > number) return;
    if (now === number && entry.type === "round") yield entry.round;
  }
}

/** Sorts by address; of two at one address the smaller comes first. */
export function byPlace(a: Extent, b: Extent): number {
  if (a.iova !== b.iova) return a.iova < b.iova ? -1 : 1;
  return a.size === b.size ? 0 : a.size < b.size ? -1 : 1;
}
