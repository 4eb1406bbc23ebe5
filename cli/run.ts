/**
 * From arguments to a command, and from errors to an exit status.
 *
 * @module
 */

import { ERRNO, type Kernel, rawLinux, VfioError } from "../mod.ts";
import type { TraceSink } from "../lib/trace/mod.ts";
import { Interrupt, Interrupted } from "./interrupt.ts";
import { commandNamed, COMMANDS } from "./commands.ts";
import { type CommandRow, COMMON, optionsOf, VERSION_ROW } from "./option.ts";
import { askForFiles } from "./file_right.ts";
import { InputError, type Source } from "./input.ts";
import { type Io, Output, OutputError } from "./output.ts";
import { loadParser, type ParsedOptions, UsageError } from "./parse.ts";
import { profileOf, splitProfile } from "./profile.ts";
import { nearest } from "../lib/base/nearest.ts";

/** What stands before all options that take a value. */
interface Split {
  readonly word: string | undefined;
  readonly rest: readonly string[];
  /** Whether it is what help is wanted about. */
  readonly isHelp: boolean;
}

/**
 * Finds the command's word: options that take no value may stand before it. `help COMMAND` is
 * `COMMAND --help`.
 */
function splitCommand(args: readonly string[]): Split {
  const at = args.findIndex((arg) => !arg.startsWith("-"));
  const rest = args.filter((_, i) => i !== at);
  if (args[at] !== "help") return { word: args[at], rest, isHelp: false };
  const second = splitCommand(rest);
  return { ...second, rest: [...second.rest, "--help"], isHelp: true };
}

/** Finds a command; what is none may be a topic, or nearly one or the other. */
async function find(word: string): Promise<CommandRow> {
  const command = commandNamed(word);
  if (command !== undefined) return command;
  const { TOPICS } = await import("./topics.ts");
  const names = COMMANDS.map(({ name }) => name);
  const topics = TOPICS.map(({ name }) => name);
  if (topics.includes(word.toLowerCase())) {
    throw new UsageError(`There is no command ${word}, but a topic: pinscope help ${word}`);
  }
  const near = nearest(word.toLowerCase(), [...names, ...topics]);
  const hint = near === undefined
    ? `there are ${names.join(", ")}; topics of help are ${topics.join(", ")}`
    : `did you mean ${topics.includes(near) ? "help " : ""}${near}?`;
  throw new UsageError(`There is no command ${word}: ${hint}`);
}

/** Shows a topic; false where there is no such one. */
async function showTopic(name: string, out: Output): Promise<boolean> {
  const { TOPICS } = await import("./topics.ts");
  const topic = TOPICS.find((one) => one.name === name.toLowerCase());
  if (topic === undefined) return false;
  const { topicHelp } = await import("./help.ts");
  out.text(topicHelp(topic));
  out.flush();
  return true;
}

function checkCount({ name, operands, count }: CommandRow, given: readonly string[]): void {
  const [least, most] = count;
  if (given.length < least) {
    const wanted = operands.replace("...", "").replace(/ \[.*$/, "")
      .replace(/^(\w) (\w)$/, "$1 and $2");
    const article = wanted.includes(" ") ? "" : "a ";
    throw new UsageError(`${name} needs ${article}${wanted}; got ${given.join(" ") || "nothing"}`);
  }
  if (given.length > most) {
    const takes = most === 0 ? "no argument" : most === 1 ? "one DEVICE" : `${most} arguments`;
    throw new UsageError(`${name} takes ${takes}; got ${given.join(" ")}`);
  }
}

/** Runs the command line; see `main`. */
export async function run(args: readonly string[], io: Io): Promise<number> {
  const plain = new Output(io, false);
  if (args[0] === "__devices") {
    const { nameDevices } = await import("./near_device.ts");
    return await nameDevices(plain, args.slice(1));
  }
  let command: CommandRow | undefined;
  try {
    const { word, rest, isHelp } = splitCommand(args);
    if (word === undefined) return await withoutCommand(rest, plain);
    if (isHelp && commandNamed(word) === undefined && await showTopic(word, plain)) return 0;
    command = await find(word);
    const parsed = (await loadParser())(optionsOf(command), splitProfile(rest));
    if (parsed.flags.has("help")) {
      const { commandHelp } = await import("./help.ts");
      plain.text(commandHelp(command));
      plain.flush();
      return 0;
    }
    checkCount(command, parsed.positional);
    askForFiles(command, parsed);
    return await perform(command, parsed, io, args);
  } catch (error) {
    return tell(error, plain, command);
  }
}

/** Help that was asked for is data; without any argument it says what is missing. */
async function withoutCommand(args: readonly string[], out: Output): Promise<number> {
  const { flags } = (await loadParser())([...COMMON, VERSION_ROW], args);
  const { generalHelp } = await import("./help.ts");
  if (flags.has("version")) throw new UsageError("--version stands alone");
  if (flags.has("help")) {
    out.text(generalHelp());
    out.flush();
    return 0;
  }
  if (args.length > 0) throw new UsageError(`A command is missing, as in: info ${args.join(" ")}`);
  out.explain(generalHelp().trimEnd());
  return 2;
}

async function perform(
  command: CommandRow,
  parsed: ParsedOptions,
  io: Io,
  args: readonly string[],
): Promise<number> {
  using stack = new DisposableStack();
  const signal = io.signal ?? stack.use(new Interrupt()).signal;
  const out = stack.use(new Output(io, parsed.flags.has("json"), parsed.flags.has("quiet")));
  const action = await command.load();
  const bare = await kernelOf(command, parsed);
  const isDefault = parsed.flags.has("model") && (parsed.lists.get("profile") ?? []).length === 0;
  if (isDefault && command.machine !== undefined) {
    out.hint(`the model's machine is here ${command.machine}`);
  }
  const kernel = await witnessed(bare, parsed, out, stack);
  try {
    return await action({ out, parsed, signal, kernel, stdin: io.stdin ?? NO_INPUT, args });
  } catch (error) {
    if (!(error instanceof VfioError) || error.errno !== ERRNO.ENOENT) throw error;
    const { nearDevice } = await import("./near_device.ts");
    const near = nearDevice(bare, parsed.positional, command.name);
    if (near === undefined) throw error;
    out.note(error.message);
    out.note(`did you mean ${near}?`);
    return 1;
  }
}

const NO_INPUT: Source = { readSync: () => null };

/** A kernel whose calls are told, if that is asked for; what it needs is loaded then only. */
async function witnessed(
  kernel: Kernel,
  { flags, values }: ParsedOptions,
  out: Output,
  stack: DisposableStack,
): Promise<Kernel> {
  const path = values.get("trace");
  const sinks: TraceSink[] = [];
  if (path !== undefined) {
    const { TraceFile } = await import("./trace_file.ts");
    const file = stack.use(TraceFile.open(path));
    sinks.push((line) => file.write(line));
  }
  if (flags.has("verbose")) sinks.push((await import("./verbose.ts")).showRequests(out));
  if (sinks.length === 0) return kernel;
  const { tracing } = await import("../lib/trace/mod.ts");
  return tracing(kernel, (line) => sinks.forEach((sink) => sink(line)));
}

async function kernelOf(command: CommandRow, parsed: ParsedOptions): Promise<Kernel> {
  const given = parsed.lists.get("profile") ?? [];
  if (!parsed.flags.has("model")) {
    if (given.length === 0) return rawLinux;
    throw new UsageError("--profile is for the model kernel: it goes with --model");
  }
  const profile = await profileOf(given);
  const { ModelKernel } = await import("../lib/model/mod.ts");
  const scene = await command.scene?.(profile);
  return new ModelKernel(profile === undefined ? scene : { ...scene, profile });
}

/** The reason, and each thing that could not be released after it, said once. */
function reasonsOf(error: unknown): unknown[] {
  const list: unknown[] = [];
  for (let rest = error;; rest = rest.suppressed) {
    const one: unknown = rest instanceof SuppressedError ? rest.error : rest;
    const isSaid = one instanceof VfioError &&
      list.some((other) => other instanceof VfioError && other.message === one.message);
    if (!isSaid) list.unshift(one);
    if (!(rest instanceof SuppressedError)) return list;
  }
}

/** Says what went wrong, and gives the exit status for it. */
function tell(error: unknown, out: Output, command: CommandRow | undefined): number {
  if (error instanceof SuppressedError) {
    // Something could not be released after an error, which is the reason and comes first.
    const [first, ...more] = reasonsOf(error);
    const status = tell(first, out, command);
    // With the device went what was to be released.
    const isGone = first instanceof VfioError && first.details["gone"] === true;
    if (!isGone) { for (const one of more) tell(one, out, command); }
    return status;
  }
  if (error instanceof Interrupted) return error.status;
  if (error instanceof UsageError) {
    const { unknown } = error;
    const rows = command === undefined ? [...COMMON, VERSION_ROW] : optionsOf(command);
    const names = rows.map(({ name }) => `--${name}`);
    const near = unknown === undefined ? undefined : nearest(unknown, names);
    out.note(`${error.message}${near === undefined ? "" : `; did you mean ${near}?`}`);
    out.note(`see: pinscope ${command === undefined ? "" : `${command.name} `}--help`);
    return 2;
  }
  if (error instanceof OutputError) {
    // The reader of a pipe has what it wanted, as with `| head`.
    if (error.cause instanceof Deno.errors.BrokenPipe) return 0;
    out.note(error.message);
    return 1;
  }
  if (error instanceof VfioError || error instanceof InputError) {
    out.note(error.message);
    return 1;
  }
  if (error instanceof Deno.errors.NotCapable) {
    out.note(`${error.message}; pinscope needs no permission with --model`);
    return 1;
  }
  const stack = error instanceof Error ? error.stack ?? error.message : String(error);
  out.explain(`pinscope: this is a fault of pinscope itself, please report it\n${stack}`);
  return 1;
}
