import type { PinSnapshot } from "../pins/snapshot.ts";
import type { Kernel } from "../sys/kernel.ts";
import { kernelOf } from "./kernel_option.ts";
import { readPins } from "./pins.ts";

/** A process with what it has locked. */
export interface ProcessPins {
  /** Its number. */
  readonly pid: number;
  /** VmLck, VmPin and their limit. */
  readonly pins: PinSnapshot;
}

/**
 * Lists the processes that have locked or pinned memory, by number.
 *
 * @param options `kernel`: the running kernel by default, or a model of one.
 *
 * @example Who locks most
 * ```ts
 * import { listPins } from "@pinscope/vfio";
 * import { ModelKernel } from "@pinscope/vfio/model";
 *
 * const [first] = listPins({ kernel: new ModelKernel() });
 * if (first?.pins.command !== "qemu-system-x86") throw new Error("the virtual machine");
 * ```
 *
 * @see fs/proc/task_mmu.c, task_mem
 */
export function listPins(options?: { readonly kernel?: Kernel }): ProcessPins[] {
  const kernel = kernelOf(options);
  using _held = kernel.retain();
  const names = kernel.list("/proc");
  if (typeof names === "number") return [];
  const found: ProcessPins[] = [];
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number).sort((a, b) => a - b);
  for (const pid of pids) {
    // A process may end between the listing and the reading.
    const pins = readPins(kernel, undefined, pid);
    if (pins !== undefined && pins.locked + pins.pinned > 0n) found.push({ pid, pins });
  }
  return found;
}
