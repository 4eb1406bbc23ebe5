/**
 * The gate: everything that a change has to pass, the same here and in CI.
 *
 *     deno task ok [--dirty] [STAGE...]
 *
 * `--dirty` lets the publish stage work on uncommitted changes. A stage that fails does not hide the
 * ones behind it; the exit status is 1 if one failed.
 *
 * @module
 */

import { test } from "../run.ts";
import { killOnSignal, ROOT, runChild } from "./child.ts";
import { parseLcov, percent, total } from "./coverage.ts";
import { findPinned } from "./pinned.ts";
import { cacheFastCheck, cacheStd } from "./std_cache.ts";

/** Least share of the lines and branches of lib that the tests run, in percent. */
const LEAST = { lines: 90, branches: 85 };

const ENTRIES = [
  "mod.ts",
  "lib/uapi/mod.ts",
  "lib/model/mod.ts",
  "lib/trace/mod.ts",
  "lib/conform/mod.ts",
  "lib/view/mod.ts",
  "lib/record/mod.ts",
  "cli/main.ts",
];

/** How a stage ended; the text is shown when it failed, the note always. */
interface Result {
  readonly ok: boolean;
  readonly text: string;
  readonly note?: string;
}

/** One stage of the gate. */
interface Stage {
  readonly name: string;
  run(): Promise<Result>;
}

const say = (text: string): void => {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
};

/**
 * `deno lint`, `doc` and `publish` know no --cached-only and follow imports into @std: without a
 * network a proxy that refuses at once stands in for the flag.
 */
function offline(): Record<string, string> {
  const names = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];
  const dead = names.flatMap((name) => [name, name.toLowerCase()])
    .map((name) => [name, "http://127.0.0.1:9"]);
  return { ...Object.fromEntries(dead), NO_PROXY: "", no_proxy: "" };
}

async function deno(
  path: string | undefined,
  args: readonly string[],
  options: { readonly seconds?: number; readonly env?: Record<string, string> } = {},
): Promise<Result> {
  if (path === undefined) {
    return { ok: false, text: "The pinned Deno is missing: see the first line" };
  }
  const { seconds = 120, env = {} } = options;
  const { code, text, timedOut } = await runChild([path, ...args], {
    seconds,
    output: "keep",
    env,
  });
  return { ok: code === 0, text: timedOut ? `${text}\nKilled after ${seconds} s` : text };
}

/** Measures lib by the data that the test stage has left. */
async function coverage(data: string): Promise<Result> {
  const report = await deno(Deno.execPath(), [
    "coverage",
    "--quiet",
    "--lcov",
    `--include=^file://${ROOT}lib/`,
    ...[...Deno.readDirSync(data)].map(({ name }) => `${data}/${name}`),
  ]);
  const files = parseLcov(report.text);
  if (!report.ok || files.length === 0) {
    return { ok: false, text: `${report.text}\nThere is no coverage data: did the tests run?` };
  }
  const lines = percent(total(files.map((file) => file.lines)));
  const branches = percent(total(files.map((file) => file.branches)));
  const weakest = files.toSorted((a, b) => percent(a.lines) - percent(b.lines)).slice(0, 10)
    .map((f) => `  ${percent(f.lines).toFixed(1).padStart(5)} %  ${f.path.replace(ROOT, "")}`);
  const note = `lines ${lines.toFixed(1)} %, branches ${branches.toFixed(1)} % of lib`;
  return {
    ok: lines >= LEAST.lines && branches >= LEAST.branches,
    text: `At least ${LEAST.lines} % of lines and ${LEAST.branches} % of branches are wanted. ` +
      `The weakest files, by lines:\n${weakest.join("\n")}`,
    note,
  };
}

async function stages(
  options: { readonly dirty: boolean; readonly data: string },
): Promise<Stage[]> {
  const { path: pinned, note } = await findPinned();
  if (note !== undefined) say(note);
  const [std] = await Promise.all([cacheStd(), cacheFastCheck()]);
  const env = std ? {} : offline();
  const dirty = options.dirty ? ["--allow-dirty"] : [];
  return [
    { name: "fmt", run: () => deno(pinned, ["fmt", "--check"]) },
    { name: "lint", run: () => deno(pinned, ["lint"], { env }) },
    {
      name: "check",
      run: () => deno(pinned, ["check", "--cached-only", "--doc", "."], { seconds: 300 }),
    },
    { name: "doc", run: () => deno(pinned, ["doc", "--lint", ...ENTRIES], { env }) },
    {
      name: "test",
      run: async () => {
        const { code, text, summary } = await test([`--coverage=${options.data}`], "keep");
        return { ok: code === 0, text, note: summary };
      },
    },
    { name: "coverage", run: () => coverage(options.data) },
    {
      name: "publish",
      run: async () => {
        const result = await deno(pinned, ["publish", "--dry-run", ...dirty], { env });
        const uncommitted = /--allow-dirty/.test(result.text) && !result.ok;
        const hint = "\nCommit first, or run: deno task ok --dirty";
        return uncommitted ? { ok: false, text: result.text + hint } : result;
      },
    },
  ];
}

async function main(args: readonly string[]): Promise<number> {
  using _signals = killOnSignal();
  const data = Deno.makeTempDirSync({ prefix: "coverage-" });
  try {
    const all = await stages({ dirty: args.includes("--dirty"), data });
    const names = args.filter((argument) => !argument.startsWith("-"));
    const unknown = args.filter((a) => a !== "--dirty" && !all.some(({ name }) => name === a));
    if (unknown.length > 0) {
      say(`Unknown: ${unknown.join(" ")}. Stages: ${all.map(({ name }) => name).join(" ")}`);
      return 2;
    }
    let failed = 0;
    for (const { name, run } of all) {
      if (names.length > 0 && !names.includes(name)) continue;
      const start = performance.now();
      const { ok, text, note } = await run();
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      say(`${ok ? "ok  " : "FAIL"} ${name} (${seconds} s)${note === undefined ? "" : ` ${note}`}`);
      if (!ok) say(text.trim());
      failed += ok ? 0 : 1;
    }
    return failed === 0 ? 0 : 1;
  } finally {
    Deno.removeSync(data, { recursive: true });
  }
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
