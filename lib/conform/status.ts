/** What /proc says about this process. */

import type { Kernel } from "../sys/kernel.ts";
import { readText } from "../sys/text.ts";
import { Unprepared } from "./raw.ts";

const STATUS = "/proc/self/status";
const CAP_IPC_LOCK = 14n;

/** Whether no memory limit counts; also where /proc does not tell. */
export function hasIpcLock(kernel: Kernel): boolean {
  const text = readText(kernel, STATUS);
  const mask = typeof text === "string" ? /^CapEff:\s*([0-9a-f]+)$/m.exec(text)?.[1] : undefined;
  return mask === undefined || (BigInt(`0x${mask}`) >> CAP_IPC_LOCK & 1n) === 1n;
}

/** A counter of memory, as VmLck, in bytes. */
export function counter(kernel: Kernel, name: string): bigint {
  const text = readText(kernel, STATUS);
  const found = typeof text === "string"
    ? new RegExp(`^${name}:\\s*(\\d+) kB$`, "m").exec(text)
    : null;
  if (found?.[1] === undefined) throw new Unprepared(name, `not in ${STATUS}`);
  return BigInt(found[1]) * 1024n;
}
