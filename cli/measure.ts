/**
 * Measures rounds for a picture or a report.
 *
 * @module
 */

import { type Extent, listHost } from "../mod.ts";
import type { ViewHead, ViewRound } from "../lib/view/mod.ts";
import { delay } from "../lib/base/wait.ts";
import type { Context } from "./context.ts";
import { LiveRounds } from "./live_rounds.ts";
import { readMaps, type Wish } from "./maps.ts";
import type { ParsedOptions } from "./parse.ts";
import { Progress } from "./progress.ts";
import { openGround, readSource, type SourceName } from "./source.ts";
import { leaveIfStuck } from "./stuck.ts";
import { type FromFile, openSession, readFrom } from "./recording.ts";
import { SaveFile } from "./save_file.ts";
import { checkDevice, numberValue } from "./values.ts";

/** What is measured, how often, and how long. */
export interface RoundPlan {
  readonly devices: readonly string[];
  readonly maps: readonly Wish[];
  readonly seconds: number;
  readonly rounds: number;
  readonly source: SourceName | undefined;
  readonly overcommit: boolean;
  /** The recording to append to. */
  readonly save: string | undefined;
  /** The recording to read, in place of devices. */
  readonly from: FromFile | undefined;
}

const WEEK = 7 * 86_400;
const MOST = 2 ** 31;

/** Reads the options; `rounds` is how many there are where nothing is said. */
export function readRounds(parsed: ParsedOptions, rounds: number): RoundPlan {
  const { positional, lists, values } = parsed;
  const from = readFrom(parsed);
  for (const device of positional) checkDevice(device);
  return {
    devices: positional,
    maps: readMaps(lists.get("map")),
    seconds:
      numberValue("interval", values.get("interval"), { least: 0, most: WEEK, whole: false }) ??
        1,
    source: readSource(values.get("source")),
    overcommit: parsed.flags.has("overcommit"),
    save: values.get("save"),
    from,
    // Of a recording everything is shown.
    rounds: numberValue("count", values.get("count"), { least: 1, most: MOST, whole: true }) ??
      (from === undefined ? rounds : Infinity),
  };
}

/** Takes the rounds. */
export interface Taker {
  /** Takes the next one. */
  add(round: ViewRound): void;
}

/** The head of a recording or a picture. */
export function headOf(
  { kernel, args }: Context,
  about: Pick<ViewHead, "devices" | "source" | "pageSize">,
): ViewHead {
  return {
    ...about,
    kernel: listHost({ kernel }).kernel,
    command: args === undefined ? undefined : ["pinscope", ...args].join(" "),
    started: new Date().toISOString(),
  };
}

/**
 * Attaches, maps, tracks, and gives each round to be counted.
 *
 * @param begin Makes what counts, when it is known what is measured on.
 * @returns What `begin` gave, with all rounds in it.
 */
export async function measure<T extends Taker>(
  context: Context,
  plan: RoundPlan,
  begin: (head: ViewHead, mappings: readonly Extent[]) => T,
): Promise<T> {
  const { out, kernel, signal } = context;
  const { from } = plan;
  if (from !== undefined) {
    const { name, head, mappings, rounds, read } = await openSession(context, from);
    const taker = begin(head, mappings);
    using progress = new Progress(out);
    const count = Math.min(plan.rounds, rounds);
    let done = 0;
    for await (const round of read()) {
      if (done >= count) break;
      taker.add(round);
      done += 1;
      progress.at(() => `round ${done} of ${count} taken from ${name}`);
    }
    return taker;
  }
  using ground = openGround(out, kernel, plan);
  const { container, tracker } = ground;
  using live = new LiveRounds(container, tracker);
  try {
    const { source, pageSize } = tracker;
    const head = headOf(context, { devices: plan.devices, source, pageSize });
    const { mappings } = live;
    const taker = begin(head, mappings);
    using file = plan.save === undefined
      ? undefined
      : new SaveFile(plan.save, { ...head, mappings }, signal);
    using progress = new Progress(out, plan.seconds * plan.rounds * 1000);
    for (let round = 1; round <= plan.rounds; round += 1) {
      progress.at(() => `round ${round} of ${plan.rounds}, each after ${plan.seconds} s`);
      await delay(plan.seconds * 1000, signal);
      const read = await live.next(signal);
      file?.add(read);
      taker.add(read);
    }
    file?.finish("done");
    return taker;
  } catch (error) {
    await leaveIfStuck(error, { out, container, reader: live });
    throw error;
  }
}
