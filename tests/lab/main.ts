/** Entry of `deno task lab`. */
import { UsageError } from "../../cli/parse.ts";
import { cacheFastCheck } from "../gate/std_cache.ts";
import { Cache } from "./cache.ts";
import { type CommandLine, help, parse, scriptNamed } from "./cli.ts";
import { which } from "./command.ts";
import { Interrupt, Interrupted } from "./interrupt.ts";
import { kernels, ownSources } from "./kernels.ts";
import { Lab, project } from "./lab.ts";
import { explain, note, say } from "./output.ts";
import { cachedOwnKernel } from "./own_kernel.ts";
import { cachedKernel } from "./prepare.ts";
import { LabProblem, UsageProblem } from "./problem.ts";
import { record } from "./record.ts";
import { profileNamed, profiles } from "./profiles.ts";
import { NO_FAST_CHECK, runTests, tellDeath } from "./test_run.ts";

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  // A task runs in the project's folder, but paths are meant from where the user stands.
  const from = Deno.env.get("INIT_CWD");
  if (from !== undefined && Deno.cwd() === project) Deno.chdir(from);
  const line = await parse(args);
  switch (line.command) {
    case "help":
      say(help());
      return 0;
    case "profiles":
      for (const { name, about } of profiles) say(`${name.padEnd(14)}${about}`);
      return 0;
    case "prepare": {
      const lab = await Lab.prepare(line.options, signal);
      if (!await cacheFastCheck()) note(NO_FAST_CHECK);
      note(`ready: Linux ${lab.kernel.release}`);
      return 0;
    }
    case "module":
      say(await (await Lab.prepare(line.options, signal)).vendorModule());
      return 0;
    case "test":
      return await runTests(await Lab.prepare(line.options, signal), line);
    case "record":
      return await record(await Lab.prepare(line.options, signal), line);
    case "run":
      return await runCommand(line, signal);
    default:
      if (!Deno.stdin.isTerminal() || !Deno.stdout.isTerminal()) return await state();
      return await shell(line, signal);
  }
}

async function runCommand(line: CommandLine, signal: AbortSignal): Promise<number> {
  const [first = "", ...rest] = line.words;
  const folder = placeInProject();
  const name = scriptNamed(first, project);
  const script = name === undefined ? undefined : await findScript(name);
  const deno = ["deno", "run", "--cached-only", "--no-check", "--no-lock", "-A"];
  const lab = await Lab.prepare(line.options, signal);
  // Until the script prints something, nothing else tells that the machine is at work.
  const patience = setTimeout(() => note(`booting Linux ${lab.kernel.release}`), 1000);
  using _quiet = { [Symbol.dispose]: () => clearTimeout(patience) };
  const ended = await lab.run({
    profile: line.options.profile ?? profileNamed("plain") ?? fail(),
    folder,
    command: script === undefined ? line.words : [...deno, script, ...rest],
    shell: false,
  }, {
    stdout: Deno.stdout,
    stderr: Deno.stderr,
    ...(line.options.verbose ? { console: Deno.stderr } : {}),
  });
  if (ended.problem !== undefined) tellDeath(ended);
  return ended.status ?? 1;
}

async function findScript(name: string): Promise<string> {
  const file = await Deno.realPath(name).catch(() => {
    throw new UsageProblem(`there is no script ${name}`);
  });
  if (file.startsWith(`${project}/`)) return file;
  throw new UsageProblem(`the guest sees ${project} only: ${file} is not in it`);
}

/** The guest sees the project only: a command runs where it was given, if that is in the project. */
function placeInProject(): string {
  const here = Deno.cwd();
  return here === project || here.startsWith(`${project}/`) ? here : project;
}

async function shell(line: CommandLine, signal: AbortSignal): Promise<number> {
  const lab = await Lab.prepare(line.options, signal);
  note(`Linux ${lab.kernel.release}; exit ends the machine, Ctrl-A X stops it`);
  const ended = await lab.run({
    profile: line.options.profile ?? profileNamed("plain") ?? fail(),
    folder: placeInProject(),
    command: ["sh", "-l"],
    shell: true,
  }, { stdout: Deno.stdout, stderr: Deno.stderr });
  return ended.status ?? 0;
}

/** What is there and what is missing, for a lab that has no terminal to open a shell on. */
async function state(): Promise<number> {
  const cache = new Cache((name) => Deno.env.get(name));
  const packages = {
    "qemu-system-x86_64": "qemu-system-x86",
    busybox: "busybox-static",
    xz: "xz-utils",
  };
  say(`cache: ${cache.folder}`);
  for (const [tool, from] of Object.entries(packages)) {
    say(`${tool}: ${which(tool) ?? `missing: apt-get install ${from}`}`);
  }
  for (const kernel of kernels) {
    const name = await cachedKernel(cache, kernel);
    say(`kernel ${kernel.name}: ${name ?? "not fetched: deno task lab prepare"} (${kernel.about})`);
  }
  for (const source of ownSources) {
    const how = source === ownSources[0] ? "" : ` --kernel ${source.name}`;
    const own = await cachedOwnKernel(cache, source) ??
      `not built: deno task lab prepare --own${how}`;
    say(`own kernel ${source.name}: ${own} (${source.about})`);
  }
  say(`\n${help()}`);
  return 0;
}

function fail(): never {
  throw new Error("the table of profiles has no plain one");
}

if (import.meta.main) {
  using interrupt = new Interrupt();
  try {
    Deno.exitCode = await main(Deno.args, interrupt.signal);
  } catch (error) {
    if (error instanceof Interrupted || interrupt.signal.aborted) {
      note("interrupted");
      Deno.exitCode = interrupt.status;
    } else if (error instanceof UsageProblem || error instanceof UsageError) {
      explain(`lab: ${error.message}\nSee: deno task lab --help`);
      Deno.exitCode = 2;
    } else if (error instanceof LabProblem) {
      note(error.message);
      Deno.exitCode = 1;
    } else throw error;
  }
}
