/**
 * Runs the conformance suite on the kernel of the guest and prints all answers: twice in this process,
 * and once more without CAP_IPC_LOCK, where memory limits count.
 */

import { linux } from "../../lib/sys/libc.ts";
import { Bench } from "../../lib/conform/bench.ts";
import { CHECKS } from "../../lib/conform/checks.ts";
import { runSuite } from "../../lib/conform/suite.ts";
import { readText } from "../../lib/sys/text.ts";
import type { GuestReport, GuestRun } from "./record_merge.ts";

/** Runs the suite once. */
function run(): GuestRun {
  const started = performance.now();
  using bench = new Bench(linux);
  const answers: GuestRun["answers"] = {};
  const skipped: GuestRun["skipped"] = {};
  for (const outcome of runSuite(bench, CHECKS)) {
    if (outcome.answers !== undefined) answers[outcome.check.name] = outcome.answers;
    else skipped[outcome.check.name] = outcome.skipped ?? "";
  }
  return { answers, skipped, milliseconds: Math.round(performance.now() - started) };
}

/** Runs this file again without the capability. */
async function withoutCapability(): Promise<GuestRun[]> {
  const drop = ["--bounding-set=-ipc_lock", "--inh-caps=-ipc_lock"];
  const deno = ["deno", "run", "--cached-only", "--no-check", "--no-lock", "-A"];
  const script = new URL(import.meta.url).pathname;
  const command = new Deno.Command("/usr/bin/setpriv", {
    args: [...drop, ...deno, script, "once"],
  });
  const output = await command.output();
  const decoder = new TextDecoder();
  if (!output.success) throw new Error(`without CAP_IPC_LOCK: ${decoder.decode(output.stderr)}`);
  return JSON.parse(decoder.decode(output.stdout));
}

/** What the kernel says it is. */
function kernel(): Pick<GuestReport, "release" | "version"> {
  const text = readText(linux, "/proc/version");
  if (typeof text === "number") throw new Error(`/proc/version: ${text}`);
  const release = /^Linux version (\S+)/.exec(text)?.[1] ?? "";
  return { release, version: / Debian (\S+)/.exec(text)?.[1] ?? release };
}

if (import.meta.main) {
  if (Deno.args[0] === "once") console.log(JSON.stringify([run()]));
  else {
    const runs = [run(), run(), ...await withoutCapability()];
    console.log(JSON.stringify({ ...kernel(), runs } satisfies GuestReport));
  }
}
