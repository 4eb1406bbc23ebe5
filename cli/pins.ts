/**
 * `pinscope pins`: processes that lock memory or hold VFIO, and the accounts of devices.
 *
 * @module
 */

import { formatSize, type Limit, listPins, pinsOf, type ProcessPins, VfioError } from "../mod.ts";
import { HolderList } from "./holders.ts";
import { delay } from "../lib/base/wait.ts";
import type { JsonObject } from "./output.ts";
import { UsageError } from "./parse.ts";
import { pinRounds } from "./pin_rounds.ts";
import type { Context } from "./context.ts";
import { columns } from "./table.ts";
import { numberValue } from "./values.ts";

/** The highest process number. @see include/linux/threads.h, PID_MAX_LIMIT */
const PID_MAX = 4_194_304;
const WEEK = 7 * 86_400;
const MOST = 2 ** 31;
const HEAD = ["PID", "COMMAND", "VmLck", "VmPin", "LIMIT", "CAP_IPC_LOCK"];

/** Shows what processes have locked, once or again and again; or follows devices. */
export async function pins(context: Context): Promise<number> {
  const { out, parsed, signal } = context;
  const pids = (parsed.lists.get("pid") ?? []).map((text) =>
    numberValue("pid", text, { least: 1, most: PID_MAX, whole: true }) ?? 0
  );
  const isFollowed = parsed.positional.length > 0;
  const repeats = parsed.flags.has("watch") || isFollowed;
  const count = numberValue("count", parsed.values.get("count"), {
    least: 1,
    most: MOST,
    whole: true,
  });
  const interval = parsed.values.get("interval");
  const seconds = numberValue("interval", interval, { least: 0, most: WEEK, whole: false }) ?? 1;
  if (!repeats && (count !== undefined || interval !== undefined)) {
    throw new UsageError("--interval and --count go with --watch or a DEVICE");
  }
  if (isFollowed) {
    if (parsed.flags.has("watch")) {
      throw new UsageError(
        "--watch goes without a DEVICE, which is followed with --count or --interval",
      );
    }
    if (pids.length > 0) throw new UsageError("--pid goes without a DEVICE");
    const rounds = count ?? (interval === undefined ? 1 : Infinity);
    return await pinRounds(context, { seconds, rounds });
  }
  if ((parsed.lists.get("map") ?? []).length > 0) throw new UsageError("--map goes with a DEVICE");
  const rounds = repeats ? count ?? Infinity : 1;
  let status = 0;
  for (let round = 1; round <= rounds; round += 1) {
    if (round > 1) {
      out.flush();
      await delay(seconds * 1000, signal);
    }
    if (repeats) out.screen(round === 1);
    status = Math.max(status, showProcesses(context, pids, repeats ? round : undefined));
  }
  return status;
}

/** A round that repeats is one object as JSON; otherwise each process is one. */
function showProcesses(
  { out, kernel }: Context,
  pids: readonly number[],
  round: number | undefined,
): number {
  let status = 0;
  const rows: ProcessPins[] = pids.length === 0 ? listPins({ kernel }) : [];
  for (const pid of pids) {
    try {
      rows.push({ pid, pins: pinsOf(pid, kernel) });
    } catch (error) {
      // The other processes are shown all the same.
      if (!(error instanceof VfioError)) throw error;
      out.note(error.message);
      status = 1;
    }
  }
  const holders = new HolderList(kernel, pids);
  if (round === undefined) {
    for (const process of rows) out.record("process", fields(process));
    for (const holder of holders.records) out.record("holder", holder);
    if (holders.unseen !== undefined) out.record("unseen", holders.unseen);
  } else {
    const { records, unseen = null } = holders;
    out.record("watch", { round, processes: rows.map(fields), holders: records, unseen });
  }
  if (rows.length > 0) {
    out.lines(columns([HEAD, ...rows.map(row)], ["right", "left", "right", "right", "right"]));
  } else if (status === 0) out.note("no process has locked or pinned memory");
  holders.show(out);
  return status;
}

const fields = ({ pid, pins }: ProcessPins): JsonObject => ({
  pid,
  command: pins.command,
  locked: Number(pins.locked),
  pinned: Number(pins.pinned),
  soft: bytes(pins.limit.soft),
  hard: bytes(pins.limit.hard),
  ipcLock: pins.ipcLock,
});

const bytes = (value: bigint | undefined): number | null =>
  value === undefined ? null : Number(value);

function row({ pid, pins }: ProcessPins): string[] {
  const { command, locked, pinned, limit, ipcLock } = pins;
  return [
    `${pid}`,
    command,
    formatSize(locked),
    formatSize(pinned),
    limitText(limit),
    ipcLock ? "yes" : "no",
  ];
}

const limitText = ({ soft }: Limit): string => soft === undefined ? "unlimited" : formatSize(soft);
