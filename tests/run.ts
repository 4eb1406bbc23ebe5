/**
 * Every test that needs no virtual machine, and the examples in the documentation.
 *
 *     deno task test [--filter TEXT] [PATH...] [flags of deno test]
 *     deno task test --totals FILE      also writes {passed, failed, skipped} as JSON
 *
 * Nothing here waits for the network for more than a few seconds.
 *
 * @module
 */

import { killOnSignal, ROOT, runChild } from "./gate/child.ts";
import { cacheStd } from "./gate/std_cache.ts";
import { add, countCases, none, type Totals } from "./lab/totals.ts";

const SECONDS = 600;
const COMMON = ["--cached-only", "--no-prompt", "--sanitize-resources", "--sanitize-ops"];

/** Where the tests are, and where the documentation is whose examples are tests too. */
const TESTS = ["tests"];
const DOCS = ["mod.ts", "lib"];

const say = (text: string): void => {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
};

/** The command line: what is to be run, and what is meant for deno test. */
interface Wanted {
  readonly tests: readonly string[];
  readonly docs: readonly string[];
  readonly flags: readonly string[];
  readonly totals: string | undefined;
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(ROOT + path) !== undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Takes the paths out of the arguments; all others go to deno test as they are. */
export function wanted(args: readonly string[]): Wanted {
  const paths: string[] = [];
  const flags: string[] = [];
  let totals: string | undefined;
  for (let i = 0; i < args.length; i += 1) {
    const argument = args[i]!;
    if (argument === "--totals") totals = args[i += 1];
    else if (argument === "--filter") flags.push(`--filter=${args[i += 1] ?? ""}`);
    else if (!argument.startsWith("-") && exists(argument)) paths.push(argument);
    else if (argument !== "--") flags.push(argument);
  }
  const isDoc = (path: string): boolean => /^(\.\/)?(mod\.ts$|lib(\/|$))/.test(path);
  const all = paths.length === 0;
  return {
    tests: all ? TESTS : paths.filter((path) => !isDoc(path)),
    docs: all ? DOCS : paths.filter(isDoc),
    flags,
    totals,
  };
}

/** Runs deno test; gives its exit status and what its report counts. */
async function test(
  args: readonly string[],
  flags: readonly string[],
): Promise<{ code: number; totals: Totals }> {
  const report = Deno.makeTempFileSync({ suffix: ".xml" });
  try {
    const { code, timedOut } = await runChild(
      [Deno.execPath(), "test", ...COMMON, `--junit-path=${report}`, ...flags, ...args],
      { seconds: SECONDS, output: "show" },
    );
    if (timedOut) say(`The tests did not end within ${SECONDS} s and were killed`);
    const filter = flags.find((flag) => flag.startsWith("--filter="))?.slice("--filter=".length);
    const totals = countCases(Deno.readTextFileSync(report), filter);
    // A type error or a crash leaves no report, and no failing case.
    const silent = code !== 0 && totals.failed === 0;
    return { code, totals: silent ? add(totals, { ...none, failed: 1 }) : totals };
  } finally {
    Deno.removeSync(report);
  }
}

async function main(args: readonly string[]): Promise<number> {
  using _signals = killOnSignal();
  const { tests, docs, flags, totals } = wanted(args);
  say(
    await cacheStd()
      ? "@std: from the cache"
      : "@std: not reachable, Deno's built-ins serve instead",
  );
  let status = 0;
  let sum = none;
  const run = async (...command: string[]): Promise<void> => {
    const result = await test(command, flags);
    status ||= result.code;
    sum = add(sum, result.totals);
  };
  if (tests.length > 0) await run("-A", ...tests);
  // Without any permission: the examples run on the model kernel, which needs none.
  if (docs.length > 0) await run("--doc", ...docs);
  if (totals !== undefined) Deno.writeTextFileSync(totals, `${JSON.stringify(sum)}\n`);
  if (tests === TESTS) {
    say("The kernel tests are not part of this: they boot a real kernel. Run: deno task lab test");
  }
  return status;
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
