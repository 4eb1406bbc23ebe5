import { ERRNO } from "../base/errno.ts";
import { VfioError } from "../base/error.ts";
import { parseMemlock, parseStatus } from "../pins/parse.ts";
import { PinSnapshot } from "../pins/snapshot.ts";
import type { Kernel } from "../sys/kernel.ts";
import { linux } from "../sys/libc.ts";
import { readText } from "../sys/text.ts";

/** A process by its number, or this one. */
export type Process = number | "self";

/**
 * Reads what a process has locked and what limits it.
 *
 * @returns undefined where /proc cannot be read.
 */
export function readPins(
  kernel: Kernel,
  dmaAvailable: number | undefined,
  process: Process = "self",
): PinSnapshot | undefined {
  const status = readText(kernel, `/proc/${process}/status`);
  const limits = readText(kernel, `/proc/${process}/limits`);
  if (typeof status === "number" || typeof limits === "number") return undefined;
  return new PinSnapshot({ ...parseStatus(status), limit: parseMemlock(limits), dmaAvailable });
}

/**
 * Takes a snapshot of what a process has locked: VmLck, VmPin, RLIMIT_MEMLOCK and CAP_IPC_LOCK.
 *
 * @param process A process number; this process by default.
 * @param kernel The running kernel by default.
 * @throws {VfioError} ENOENT, if there is no such process.
 */
export function pinsOf(process: Process = "self", kernel: Kernel = linux): PinSnapshot {
  using _held = kernel.retain();
  const pins = readPins(kernel, undefined, process);
  if (pins !== undefined) return pins;
  const text = readText(kernel, `/proc/${process}/status`);
  throw new VfioError({
    operation: "open",
    errno: typeof text === "number" ? -text : ERRNO.EACCES,
    action: `read /proc/${process}/status`,
    hint: process === "self" ? undefined : "is there such a process, and may you see it?",
  });
}
