/**
 * `pinscope pins`: processes that lock memory.
 *
 * @module
 */

import { formatSize, type Limit, listPins, pinsOf, type ProcessPins, VfioError } from "../mod.ts";
import type { Context } from "./run.ts";
import { columns } from "./table.ts";
import { numberValue } from "./values.ts";

/** The highest process number. @see include/linux/threads.h, PID_MAX_LIMIT */
const PID_MAX = 4_194_304;
const HEAD = ["PID", "COMMAND", "VmLck", "VmPin", "LIMIT", "CAP_IPC_LOCK"];

/** Shows what processes have locked. */
export function pins({ out, kernel, parsed }: Context): number {
  const pids = (parsed.lists.get("pid") ?? []).map((text) =>
    numberValue("pid", text, { least: 1, most: PID_MAX, whole: true }) ?? 0
  );
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
