/**
 * Every test that needs no virtual machine, and the examples in the documentation.
 *
 *     deno task test [PATH...] [--filter TEXT] [flags of deno test]
 *
 * Nothing here waits for the network for more than a few seconds.
 *
 * @module
 */

import { killOnSignal, ROOT, runChild } from "./gate/child.ts";
import { cacheFastCheck, cacheStd } from "./gate/std_cache.ts";
import { add, countCases, none, type Totals } from "./lab/totals.ts";

const SECONDS = 600;
const COMMON = ["--cached-only", "--no-prompt", "--sanitize-resources", "--sanitize-ops"];

/** Where the tests are, and where the documentation is whose examples are tests too. */
const TESTS = ["tests"];
const DOCS = ["mod.ts", "lib"];

const say = (text: string): void => {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
};

/** What a command line asks for. */
export interface Wanted {
  readonly tests: readonly string[];
  readonly docs: readonly string[];
  /** What is meant for deno test. */
  readonly flags: readonly string[];
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(new URL(path, `file://${ROOT}`)) !== undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Takes the paths out of the arguments; all others go to deno test as they are. */
export function wanted(args: readonly string[]): Wanted {
  const paths: string[] = [];
  const flags: string[] = [];
  const rest = args.filter((argument) => argument !== "--");
  for (let i = 0; i < rest.length; i += 1) {
    const argument = rest[i]!;
    if (argument === "--filter") flags.push(`--filter=${rest[i += 1] ?? ""}`);
    else if (!argument.startsWith("-") && exists(argument)) paths.push(argument);
    else flags.push(argument);
  }
  if (paths.length === 0) return { tests: TESTS, docs: DOCS, flags };
  const isDoc = (path: string): boolean => /^(\.\/)?(mod\.ts$|lib(\/|$))/.test(path);
  return { tests: paths.filter((path) => !isDoc(path)), docs: paths.filter(isDoc), flags };
}

/** How the tests ended. */
export interface Outcome {
  /** The worst exit status of deno test. */
  readonly code: number;
  /** As "7 passed, 0 failed, 1 skipped". */
  readonly summary: string;
  /** What deno test wrote, when it is kept. */
  readonly text: string;
}

/** One run of deno test. */
async function denoTest(
  args: readonly string[],
  output: "show" | "keep",
): Promise<{ code: number; text: string; totals: Totals }> {
  const report = Deno.makeTempFileSync({ suffix: ".xml" });
  try {
    const { code, text, timedOut } = await runChild(
      [Deno.execPath(), "test", ...COMMON, `--junit-path=${report}`, ...args],
      { seconds: SECONDS, output },
    );
    const filter = args.find((argument) => argument.startsWith("--filter="))?.slice(9);
    const totals = countCases(Deno.readTextFileSync(report), filter);
    // A type error or a crash leaves no report, and no case that failed.
    const silent = code !== 0 && totals.failed === 0;
    return {
      code,
      text: timedOut ? `${text}\nThe tests were killed after ${SECONDS} s` : text,
      totals: silent ? add(totals, { ...none, failed: 1 }) : totals,
    };
  } finally {
    Deno.removeSync(report);
  }
}

/** Runs what a command line asks for. */
export async function test(args: readonly string[], output: "show" | "keep"): Promise<Outcome> {
  const { tests, docs, flags } = wanted(args);
  const runs: string[][] = [];
  if (tests.length > 0) runs.push(["-A", ...tests]);
  // Without any permission: the examples run on the model kernel, which needs none.
  if (docs.length > 0) runs.push(["--doc", ...docs]);
  let code = 0;
  let sum = none;
  const texts: string[] = [];
  for (const [i, run] of runs.entries()) {
    // deno test empties the folder that it writes coverage to: each run has its own.
    const own = flags.map((flag) => flag.startsWith("--coverage=") ? `${flag}/${i}` : flag);
    const result = await denoTest([...own, ...run], output);
    code ||= result.code;
    sum = add(sum, result.totals);
    texts.push(result.text);
  }
  const summary = `${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`;
  return { code, summary, text: texts.join("\n") };
}

async function main(args: readonly string[]): Promise<number> {
  using _signals = killOnSignal();
  const [cached] = await Promise.all([cacheStd(), cacheFastCheck()]);
  say(cached ? "@std: from the cache" : "@std: not reachable, Deno's built-ins serve instead");
  const { code, summary, text } = await test(args, "show");
  if (text.trim() !== "") say(text.trim());
  say(`tests: ${summary}`);
  if (wanted(args).tests === TESTS) {
    say("The kernel tests are not among them: they boot a real kernel. Run: deno task lab test");
  }
  return code;
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
