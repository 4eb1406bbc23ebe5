/**
 * The way out when the kernel does not answer.
 *
 * @module
 */

import { delay, orAbort } from "../lib/base/wait.ts";
import { Interrupted } from "./interrupt.ts";
import type { Output } from "./output.ts";
import type { Shared } from "./source.ts";
import { counted } from "./table.ts";

/** How long to wait for a read that is under way before the rest is left to the kernel. */
const PATIENCE = 2000;

/**
 * Sees to it that a signal ends the program while a read of dirty pages is stuck in the kernel. Every
 * release would wait for the lock of the container, which that read holds: so it says what is left,
 * and ends the process, with which the kernel releases it.
 *
 * @param error Why the work stopped; nothing is done about another reason than a signal.
 */
export async function leaveIfStuck(
  error: unknown,
  { out, container, reader }: {
    readonly out: Output;
    readonly container: Shared;
    /** What reads dirty pages. */
    readonly reader: { idle(): Promise<void> };
  },
): Promise<void> {
  if (!(error instanceof Interrupted)) return;
  const read = reader.idle().then(() => "done");
  const patience = new AbortController();
  const late = delay(PATIENCE, patience.signal).then(() => "late", () => "done");
  const first = await Promise.race([read, late]);
  patience.abort();
  if (first === "done") return;
  const left = [
    "dirty tracking",
    counted(container.mappings.length, "mapping"),
    "groups" in container
      ? counted(container.groups.length, "group")
      : counted(container.devices.length, "device"),
    "the container",
  ].join(", ");
  out.note(
    "a read of dirty pages does not come back from the kernel, and holds the container's lock",
  );
  out.note(`not released: ${left}; the kernel does that when the read ends, or with this process`);
  out.flush();
  Deno.exit(error.status);
}

/**
 * Waits for a read that goes on by itself. A signal ends the waiting: as {@link leaveIfStuck} has it
 * where the read does not come back, or else by its reason.
 */
export async function orLeave<T>(
  read: Promise<T>,
  signal: AbortSignal,
  { out, container }: { readonly out: Output; readonly container: Shared },
): Promise<T> {
  try {
    return await orAbort(read, signal);
  } catch (error) {
    const idle = (): Promise<void> => read.then(() => {}, () => {});
    await leaveIfStuck(error, { out, container, reader: { idle } });
    throw error;
  }
}
