/**
 * `pinscope pins`: processes that lock memory or hold VFIO, and the accounts of devices.
 *
 * @module
 */

import { formatSize, type Limit, listPins, pinsOf, type ProcessPins, VfioError } from "../mod.ts";
import { showHolders } from "./holders.ts";
import { sleep } from "./interrupt.ts";
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
    if (pids.length > 0) throw new UsageError("--pid goes without a DEVICE");
    const rounds = count ?? (interval === undefined ? 1 : Infinity);
    return await pinRounds(context, { seconds, rounds });
  }
  if ((parsed.lists.get("map") ?? []).length > 0) throw new UsageError("--map goes with a DEVICE");
  const rounds = repeats ? count ?? Infinity : 1;
  let status = 0;
  for (let round = 1; round <= rounds; round += 1) {
    if (round > 1) {
      out.line();
      out.flush();
      await sleep(seconds * 1000, signal);
    }
    status = Math.max(status, showProcesses(context, pids));
  }
  return status;
}

function showProcesses({ out, kernel }: Context, pids: readonly number[]): number {
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
  for (const { pid, pins } of rows) {
    const { command, ipcLock } = pins;
    out.record("process", {
      pid,
      command,
      locked: Number(pins.locked),
      pinned: Number(pins.pinned),
      soft: bytes(pins.limit.soft),
      hard: bytes(pins.limit.hard),
      ipcLock,
    });
  }
  if (rows.length > 0) {
    out.lines(columns([HEAD, ...rows.map(row)], ["right", "left", "right", "right", "right"]));
  } else if (status === 0) out.note("no process has locked or pinned memory");
  showHolders(out, kernel, pids);
  return status;
}

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
