/** Kernel tests leave nothing behind: no file, no mapped region, no locked or pinned page. */

import { pinsOf, rawLinux as linux } from "../../../mod.ts";
import { readText } from "../../../lib/sys/text.ts";
import { it as plain } from "../../std/testing.ts";

// Without this, each container that goes closes libc, and the next one opens it again: that would
// take most of the tests' time.
linux.retain();

/** What this process holds in the kernel. */
interface Held {
  /** Open files by number, with what they are. */
  readonly files: ReadonlyMap<string, string>;
  /** Mapped regions of devices, and memory of memfds. */
  readonly maps: readonly string[];
  /** VmLck in bytes. */
  readonly locked: bigint;
  /** VmPin in bytes: what iommufd has pinned. */
  readonly pinned: bigint;
}

/**
 * Lists the open files of this process, without the folder that is being listed, and without sockets:
 * Deno opens some of its own when it likes, and nothing of Pinscope is one.
 */
export function openFiles(): Map<string, string> {
  const names = linux.list("/proc/self/fd");
  if (typeof names === "number") throw new Error(`cannot list /proc/self/fd: ${names}`);
  const files = new Map<string, string>();
  for (const name of names) {
    const target = linux.readlink(`/proc/self/fd/${name}`);
    if (typeof target === "string" && !target.startsWith("socket:")) files.set(name, target);
  }
  return files;
}

function held(): Held {
  const maps = readText(linux, "/proc/self/maps");
  if (typeof maps === "number") throw new Error(`cannot read /proc/self/maps: ${maps}`);
  const { locked, pinned } = pinsOf();
  return {
    files: openFiles(),
    maps: maps.split("\n").filter((line) => /vfio|memfd:pinscope/.test(line)),
    locked,
    pinned,
  };
}

/** Runs a test and compares what the process holds in the kernel before and after it. */
export async function leavesNothing(body: () => void | Promise<void>): Promise<void> {
  const before = held();
  await body();
  const after = held();
  const left: string[] = [];
  for (const [fd, target] of after.files) {
    if (before.files.get(fd) !== target) left.push(`file ${fd}: ${target}`);
  }
  for (const line of after.maps) if (!before.maps.includes(line)) left.push(`memory: ${line}`);
  if (after.locked !== before.locked) {
    left.push(`VmLck: ${after.locked} bytes, ${before.locked} before`);
  }
  if (after.pinned !== before.pinned) {
    left.push(`VmPin: ${after.pinned} bytes, ${before.pinned} before`);
  }
  if (left.length > 0) throw new Error(`The test left behind: ${left.join("; ")}`);
}

/** One test that must leave nothing behind. */
export function it(name: string, body: () => void | Promise<void>): void {
  plain(name, () => leavesNothing(body));
}
