/**
 * The one module that reaches @std/cli. Where the package is not cached and JSR does not answer, the
 * parser built into Deno serves; both mean the same here, and `tests/cli/parse_test.ts` holds every
 * implementation at hand to it.
 *
 * @module
 */

/** One option of a command line. */
export interface OptionSpec {
  /** The long name, without dashes. */
  readonly name: string;
  /** `flag` takes no value, `value` the last one given, `list` every one given. */
  readonly kind: "flag" | "value" | "list";
  /** One letter, without a dash. */
  readonly short?: string;
}

/** What was on the command line. */
export interface ParsedOptions {
  readonly flags: ReadonlySet<string>;
  readonly values: ReadonlyMap<string, string>;
  readonly lists: ReadonlyMap<string, readonly string[]>;
  /** Everything that is no option, and all behind `--`, as it was written. */
  readonly positional: readonly string[];
}

/** A command line that cannot be understood; the command line exits with 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  /** The option that is in no table, if that is what is wrong. */
  readonly unknown: string | undefined;

  /** Makes the error; its sentence ends without a full stop. */
  constructor(message: string, unknown?: string) {
    super(message);
    this.unknown = unknown;
  }
}

/** Splits arguments by a table of options; throws a {@link UsageError} for what is not in it. */
export type OptionParser = (specs: readonly OptionSpec[], args: readonly string[]) => ParsedOptions;

const UNKNOWN = (option: string): UsageError => new UsageError(`Unknown option ${option}`, option);
const NO_VALUE = (name: string): UsageError => new UsageError(`Option --${name} needs a value`);
const NOT_TAKEN = (name: string): UsageError => new UsageError(`Option --${name} takes no value`);

type Raw = Record<string, unknown>;

/** Brings what either parser found into one form, and refuses an empty value in both. */
function collect(specs: readonly OptionSpec[], raw: Raw, positional: string[]): ParsedOptions {
  const flags = new Set<string>();
  const values = new Map<string, string>();
  const lists = new Map<string, readonly string[]>();
  for (const { name, kind } of specs) {
    const value = raw[name];
    if (kind === "flag") {
      if (value === true) flags.add(name);
    } else {
      const list = (Array.isArray(value) ? value : value === undefined ? [] : [value]).map(String);
      if (list.includes("")) throw NO_VALUE(name);
      const last = list.at(-1);
      if (kind === "list") lists.set(name, list);
      else if (last !== undefined) values.set(name, last);
    }
  }
  return { flags, values, lists, positional };
}

type StdParseArgs = (args: string[], options: Raw) => Raw & { _: unknown[] };

/** Refuses what the two libraries take in different ways, or refuse in different words. */
function refuseEarly(specs: readonly OptionSpec[], args: readonly string[]): void {
  for (const [i, argument] of args.entries()) {
    if (argument === "--") return;
    const [, long, short, equals] = /^(?:--([^=]+)|-(.))(=)?/s.exec(argument) ?? [];
    const spec = specs.find((one) =>
      one.name === long || (short !== undefined && one.short === short)
    );
    if (spec === undefined) continue;
    if (spec.kind === "flag") {
      if (long !== undefined && equals !== undefined) throw NOT_TAKEN(spec.name);
    } else if (argument === `--${spec.name}` || argument === `-${spec.short}`) {
      // A value that looks like an option may be one: it has to stand behind "=".
      if (/^-(?!$|\.?\d)/.test(args[i + 1] ?? "")) throw NO_VALUE(spec.name);
    }
  }
}

/**
 * Joins a negative number, or the dash that stands for stdin, to its option: a library may take it for
 * an option.
 */
function joinDashes(specs: readonly OptionSpec[], args: readonly string[]): string[] {
  const joined: string[] = [];
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  for (let i = 0; i < args.length; i += 1) {
    const [argument = "", next = ""] = [args[i], args[i + 1]];
    const spec = specs.find(({ name, short }) =>
      argument === `--${name}` || argument === `-${short}`
    );
    if (i < end && spec !== undefined && spec.kind !== "flag" && /^-($|\.?\d)/.test(next)) {
      joined.push(`--${spec.name}=${next}`);
      i += 1;
    } else joined.push(argument);
  }
  return joined;
}

/** The parser on top of `parseArgs` of @std/cli. */
export function parserFromStd(parseArgs: StdParseArgs): OptionParser {
  return (specs, args) => {
    const named = (kinds: string): string[] =>
      specs.filter((spec) => kinds.includes(spec.kind)).map((spec) => spec.name);
    refuseEarly(specs, args);
    const raw = parseArgs(joinDashes(specs, args), {
      boolean: named("flag"),
      string: [...named("value list"), "_"],
      collect: named("list value"),
      alias: Object.fromEntries(
        specs.flatMap((s) => s.short === undefined ? [] : [[s.name, s.short]]),
      ),
      "--": true,
      unknown: (argument: string, key?: string) => {
        if (key === undefined) return true;
        throw UNKNOWN(`${argument.startsWith("--") ? "--" : "-"}${key}`);
      },
    });
    const rest = raw["--"];
    return collect(specs, raw, [...raw._, ...(Array.isArray(rest) ? rest : [])].map(String));
  };
}

type NodeParseArgs = (config: {
  args: string[];
  options: Record<string, { type: "string" | "boolean"; multiple: boolean; short?: string }>;
  allowPositionals: true;
  strict: true;
}) => { values: Raw; positionals: string[] };

/** The parser on top of `parseArgs` of node:util. */
export function parserFromNode(parseArgs: NodeParseArgs): OptionParser {
  return (specs, args) => {
    refuseEarly(specs, args);
    try {
      const { values, positionals } = parseArgs({
        args: joinDashes(specs, args),
        options: Object.fromEntries(specs.map(({ name, kind, short }) => [name, {
          type: kind === "flag" ? "boolean" as const : "string" as const,
          multiple: kind !== "flag",
          ...(short === undefined ? {} : { short }),
        }])),
        allowPositionals: true,
        strict: true,
      });
      return collect(specs, values, positionals);
    } catch (error) {
      throw usage(error);
    }
  };
}

/** Node tells the cases apart by code and names the option in its sentence. */
function usage(error: unknown): unknown {
  if (!(error instanceof Error) || !("code" in error)) return error;
  const option = /'(?:-\w, )?(--?[^' =]+)/.exec(error.message)?.[1] ?? "";
  const name = option.replace(/^--/, "");
  if (error.code === "ERR_PARSE_ARGS_UNKNOWN_OPTION") return UNKNOWN(option);
  if (error.code !== "ERR_PARSE_ARGS_INVALID_OPTION_VALUE") return error;
  return /does not take an argument/.test(error.message) ? NOT_TAKEN(name) : NO_VALUE(name);
}

/** The parser of @std/cli, where the package is cached: nothing here waits for the network. */
export async function stdParser(): Promise<OptionParser | undefined> {
  try {
    const { parseArgs } = await import("@std/cli/parse-args");
    return parserFromStd(parseArgs as StdParseArgs);
  } catch {
    return undefined;
  }
}

/** The parser of the runtime, which is always there. */
export async function nodeParser(): Promise<OptionParser> {
  const { parseArgs } = await import("node:util");
  return parserFromNode(parseArgs as NodeParseArgs);
}

/** The parser of @std/cli, or the one that means the same. */
export async function loadParser(): Promise<OptionParser> {
  return await stdParser() ?? await nodeParser();
}
