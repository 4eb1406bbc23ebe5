/** Tests that make real system calls: they need Linux and --allow-ffi, and are skipped without. */

import type { Kernel } from "../../../lib/sys/kernel.ts";
import { linux } from "../../../lib/sys/libc.ts";
import { describe, it, skip } from "../../std/testing.ts";

/** Why no system call can be made here; undefined where one can. */
function obstacle(): string | undefined {
  if (Deno.build.os !== "linux") return `this is ${Deno.build.os}; run it on Linux`;
  const { state } = Deno.permissions.querySync({ name: "ffi" });
  return state === "granted" ? undefined : "no permission; run with --allow-ffi";
}

/** A test with the kernel open, closed behind it. */
export type LinuxIt = (name: string, body: (kernel: Kernel) => void | Promise<void>) => void;

/** A family of tests on the kernel that runs. */
export function describeLinux(name: string, body: (on: LinuxIt) => void): void {
  const reason = obstacle();
  describe(name, () => {
    body((test, run) => {
      if (reason !== undefined) return skip(test, reason);
      it(test, async () => {
        using _open = linux.retain();
        await run(linux);
      });
    });
  });
}

/** Files that this process has open. */
export function openFiles(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}
