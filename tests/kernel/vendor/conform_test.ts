/** Drivers that pin; and the command line, where a memory limit counts. */
import { RECORDINGS } from "../../../lib/conform/mod.ts";
import { equal, match } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { describeConformance } from "../support/conform.ts";
import { it } from "../support/guard.ts";

describeConformance([
  "scope: a PCI device's first pin",
  "stale: one written mapping, read with its neighbour",
  "pin: by a driver without dma_unmap",
], 340);

const MAIN = new URL("../../../cli/main.ts", import.meta.url).pathname;

/** Runs pinscope with `--allow-ffi` alone. */
async function pinscope(prefix: readonly string[], ...args: string[]): Promise<{
  code: number;
  out: string;
}> {
  const deno = ["deno", "run", "--cached-only", "--no-check", "--no-lock", "--allow-ffi"];
  const [command = "", ...rest] = [...prefix, ...deno, MAIN, ...args];
  const { code, stdout, stderr } = await new Deno.Command(command, { args: rest }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout) + decoder.decode(stderr) };
}

describe("pinscope conform", () => {
  it("knows the kernel again, without CAP_IPC_LOCK", async () => {
    const drop = ["/usr/bin/setpriv", "--bounding-set=-ipc_lock", "--inh-caps=-ipc_lock"];
    const { code, out } = await pinscope(drop, "conform");
    equal(code, 0, out);
    const release = Deno.osRelease();
    // Of a kernel that was recorded the very release must come out.
    const known = RECORDINGS.some((recording) => recording.release === release);
    match(
      out,
      known ? new RegExp(`behaves like Linux ${RegExp.escape(release)} `) : /behaves like/,
    );
    match(out, /^account +10 +10 +- +- +-$/m);
  });

  it("with one PCI device says what cannot run", async () => {
    const { code, out } = await pinscope([], "conform", "--tap", "0000:00:10.0");
    equal(code, 0, out);
    match(out, /^ok \d+ - setup: two containers at once # SKIP cannot run: there is no second/m);
    match(out, /^ok \d+ - map: the same page again$/m);
  });
});
