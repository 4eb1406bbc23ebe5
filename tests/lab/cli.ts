/** The lab's command line: commands, options, help. */
import { loadParser, type OptionSpec } from "../../cli/parse.ts";
import type { OwnModule } from "./job.ts";
import { kernels, ownSourceNamed, ownSources } from "./kernels.ts";
import { UsageProblem } from "./problem.ts";
import { type Profile, profileNamed, profiles } from "./profiles.ts";

/** What the options say. */
export interface LabOptions {
  kernel: string | undefined;
  modules: string | undefined;
  /** A build folder of the kernel, to build the vendor driver against. */
  kernelBuild: string | undefined;
  own: readonly OwnModule[];
  /** Boot the kernel that the lab builds itself. */
  ownKernel: boolean;
  profile: Profile | undefined;
  timeout: number;
  memory: number;
  verbose: boolean;
  append: string;
  accel: string;
  asUser: boolean;
  totals: string | undefined;
}

/** A command line, understood. */
export interface CommandLine {
  command:
    | "shell"
    | "prepare"
    | "module"
    | "run"
    | "test"
    | "record"
    | "profiles"
    | "help"
    | "state";
  options: LabOptions;
  words: readonly string[];
}

type Described = OptionSpec & { value?: string; about: string };

const table: readonly Described[] = [
  {
    name: "kernel",
    kind: "value",
    value: "PATH",
    about: `your kernel (bzImage), or one of the archive: ${kernels.map((k) => k.name).join(", ")}`,
  },
  {
    name: "own",
    kind: "flag",
    about: "the lab's own kernel (own/config), with iommufd: built once, about 6 minutes; " +
      `--kernel ${ownSources.map(({ name }) => name).join(" or ")} besides: of that source`,
  },
  {
    name: "modules",
    kind: "value",
    value: "DIR",
    about: "its modules: lib/modules/<release>, or the folder that holds lib/modules",
  },
  {
    name: "kernel-build",
    value: "DIR",
    kind: "value",
    about: "its build folder, to build the vendor driver against",
  },
  {
    name: "module",
    kind: "list",
    value: "PATH.ko[:p=v ...]",
    about: "a module of yours to load, with parameters; may be repeated",
  },
  { name: "profile", kind: "value", value: "NAME", about: "the machine (see: lab profiles)" },
  { name: "timeout", kind: "value", value: "SECONDS", about: "stop the guest after this (300)" },
  { name: "memory", kind: "value", value: "MIB", about: "the guest's memory (512)" },
  { name: "append", kind: "value", value: "WORDS", about: "more for the kernel's command line" },
  { name: "accel", kind: "value", value: "NAME", about: "tcg (default: needs nothing) or kvm" },
  { name: "totals", kind: "value", value: "FILE", about: "test: write {passed, failed, skipped}" },
  { name: "user", kind: "flag", about: "run as uid 1000, who owns the VFIO groups" },
  { name: "verbose", kind: "flag", short: "v", about: "the guest's console on stderr" },
  { name: "help", kind: "flag", short: "h", about: "this text" },
];

/** The help text. */
export function help(): string {
  const rows = table.map(({ name, value, short, about }) => {
    const option = `${short === undefined ? "    " : `-${short}, `}--${name}${
      value ? ` ${value}` : ""
    }`;
    return option.length > 28 ? `${option}\n${" ".repeat(30)}${about}` : option.padEnd(30) + about;
  });
  return `A real Linux kernel in an emulated machine, for scripts and tests that need VFIO.
No root, no KVM and no VFIO hardware needed.

usage: deno task lab [COMMAND] [OPTIONS]

  (nothing), shell            a shell in the guest; without a terminal, what is prepared
  prepare                     fetch and prepare only
  module                      build the vendor driver for the kernel, print where it is
  run SCRIPT.ts [ARG...]      run a script of the project in the guest, as root
  run pinscope [ARG...]       the command line of the project in the guest
  run COMMAND [ARG...]        the same with one of the guest's commands
  test [FILTER]               tests/kernel in the guest, one boot a profile
  record [FILE]               what the kernel answers to the conformance suite, as data
  profiles                    list the machines

  ${rows.join("\n  ")}

Options stand before SCRIPT or COMMAND; what follows it is passed on as it is.
Exit status: the guest's own; 2 wrong use; 1 the lab cannot run, with the reason.

examples:
  deno task lab run examples/05_dirty_runs.ts 0000:00:10.0
  deno task lab run --profile vendor pinscope info
  deno task lab run dmesg
  deno task lab test --own
  deno task lab test --kernel arch/x86/boot/bzImage --modules /tmp/mods`;
}

const commands = [
  "shell",
  "prepare",
  "module",
  "run",
  "test",
  "record",
  "profiles",
  "help",
] as const;

/**
 * The script that the first word of `run` names: one by its path, or the command line by its name.
 *
 * @param project The folder of the project.
 * @returns Its path; undefined for a command of the guest.
 */
export function scriptNamed(word: string, project: string): string | undefined {
  if (word === "pinscope") return `${project}/cli/main.ts`;
  return /\.[mc]?[jt]s$/.test(word) ? word : undefined;
}

/** Splits at the first word that is no option and no option's value. */
export function splitAtWord(args: readonly string[]): [string[], string[]] {
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (arg === "--") return [args.slice(0, i), args.slice(i + 1)];
    if (!arg.startsWith("-") || arg === "-") return [args.slice(0, i), args.slice(i)];
    const takesValue = table.some(({ name, kind }) => arg === `--${name}` && kind !== "flag");
    if (takesValue) i++;
  }
  return [[...args], []];
}

/** Understands a command line; throws a UsageProblem or UsageError where that is not possible. */
export async function parse(args: readonly string[]): Promise<CommandLine> {
  const [early, rest] = splitAtWord(args);
  const [word, ...later] = rest;
  const command = word === undefined ? "shell" : commands.find((name) => name === word);
  if (command === undefined) {
    throw new UsageProblem(`there is no command ${word}: try one of ${commands.join(", ")}`);
  }
  // Only run passes words on as they are; elsewhere options may stand anywhere.
  const [own, passed] = command === "run" ? splitAtWord(later) : [later, []];
  const parser = await loadParser();
  const parsed = parser(table, [...early, ...own]);
  const words = [...parsed.positional, ...passed];
  const value = (name: string): string | undefined => parsed.values.get(name);
  if (parsed.flags.has("help")) return { command: "help", options: defaults, words: [] };
  const limit = command === "run" ? Infinity : command === "test" || command === "record" ? 1 : 0;
  if (words.length > limit) {
    throw new UsageProblem(`${command} takes no ${words.slice(limit).join(" ")}`);
  }
  if (command === "run" && words.length === 0) {
    throw new UsageProblem("run wants a script or a command");
  }
  const profile = value("profile");
  const found = profile === undefined ? undefined : profileNamed(profile);
  if (profile !== undefined && found === undefined) {
    throw new UsageProblem(
      `there is no profile ${profile}: try one of ${profiles.map(({ name }) => name).join(", ")}`,
    );
  }
  const accel = value("accel") ?? defaults.accel;
  if (accel !== "tcg" && accel !== "kvm") throw new UsageProblem("--accel takes tcg or kvm");
  const options: LabOptions = {
    kernel: value("kernel"),
    modules: value("modules"),
    kernelBuild: value("kernel-build"),
    own: (parsed.lists.get("module") ?? []).map(ownModule),
    ownKernel: parsed.flags.has("own"),
    profile: found,
    timeout: number("timeout", value("timeout"), defaults.timeout, 1, 86_400),
    memory: number("memory", value("memory"), defaults.memory, 256, 1 << 20),
    verbose: parsed.flags.has("verbose"),
    append: value("append") ?? "",
    accel,
    asUser: parsed.flags.has("user"),
    totals: value("totals"),
  };
  const { ownKernel, kernel } = options;
  if (ownKernel && kernel !== undefined && ownSourceNamed(kernel) === undefined) {
    const names = ownSources.map(({ name }) => name).join(", ");
    throw new UsageProblem(`--own builds a kernel of these: --kernel ${names}; not of ${kernel}`);
  }
  if (options.modules !== undefined && (kernel === undefined || ownKernel)) {
    throw new UsageProblem("--modules belongs to a --kernel");
  }
  if (options.kernelBuild !== undefined && (kernel === undefined || ownKernel)) {
    throw new UsageProblem("--kernel-build belongs to a --kernel");
  }
  return { command, options, words };
}

const defaults: LabOptions = {
  kernel: undefined,
  modules: undefined,
  kernelBuild: undefined,
  own: [],
  ownKernel: false,
  profile: undefined,
  timeout: 300,
  memory: 512,
  verbose: false,
  append: "",
  accel: "tcg",
  asUser: false,
  totals: undefined,
};

/** Reads `PATH.ko:a=1 b=2`. */
export function ownModule(text: string): OwnModule {
  const match = text.match(/^(.*?\.ko)(?::(.*))?$/s);
  if (match?.[1] === undefined) throw new UsageProblem(`--module wants a .ko file, not ${text}`);
  return { file: match[1], parameters: match[2] ?? "" };
}

function number(
  name: string,
  text: string | undefined,
  otherwise: number,
  least: number,
  most: number,
): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new UsageProblem(`--${name} takes a whole number from ${least} to ${most}, not ${text}`);
  }
  return value;
}
