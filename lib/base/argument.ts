/**
 * Arguments of the public calls: a wrong kind is told by name, before the engine tells it in its own
 * words ("Cannot mix BigInt and other types"), and before a name nobody reads is passed over.
 *
 * @module
 */

import { nearest } from "./nearest.ts";

/** What a value may be: a kind, one of some words, or anything at all. */
export type Kind =
  | "bigint"
  | "number"
  | "string"
  | "boolean"
  | "function"
  | "object"
  | readonly string[];

/** The kind of each option there is. */
export type Kinds<T> = { readonly [Name in keyof Required<T>]: Kind };

const SAMPLE: Readonly<Record<string, string>> = {
  bigint: "a bigint, as 0x1000n",
  number: "a number, as 4096",
  string: "a string",
  boolean: "true or false",
  function: "a function",
  object: "an object",
};

/** Names a value with its type: "the number 4096". */
export function given(value: unknown): string {
  switch (typeof value) {
    case "bigint":
      return `the bigint ${value}n`;
    case "number":
      return `the number ${value}`;
    case "string":
      return `the string ${JSON.stringify(value)}`;
    case "boolean":
      return String(value);
    case "function":
      return "a function";
    case "symbol":
      return "a symbol";
    case "object": {
      if (value === null) return "null";
      if (Array.isArray(value)) return "an array";
      const name: unknown = value.constructor?.name;
      return typeof name === "string" && name !== "Object"
        ? `an object of class ${name}`
        : "an object";
    }
    default:
      return String(value);
  }
}

/** `"r", "w" or "rw"`. */
function choice(words: readonly string[]): string {
  const quoted = words.map((word) => JSON.stringify(word));
  return [quoted.slice(0, -1).join(", "), quoted.at(-1)].filter(Boolean).join(" or ");
}

/**
 * Checks the kind of an argument.
 *
 * @param name What the argument is called; the error begins with it.
 * @throws {TypeError} With the wanted kind and the given value.
 */
export function checkKind(name: string, value: unknown, kind: Kind): void {
  const fits = typeof kind === "string"
    ? typeof value === kind && value !== null
    : typeof value === "string" && kind.includes(value);
  if (fits) return;
  const wanted = typeof kind === "string" ? SAMPLE[kind] : choice(kind);
  throw new TypeError(`${name} must be ${wanted}; got ${given(value)}`);
}

/**
 * Checks an object of options: that each is known and of its kind. One that is undefined is as if it
 * were not there.
 *
 * @param options What the script gave.
 * @param kinds All options there are.
 * @returns The options; an empty object for none.
 * @throws {TypeError} With the option that is not known and the nearest that is, or the wrong kind.
 */
export function checkOptions<T extends object>(
  options: T | undefined,
  kinds: Kinds<T>,
): Partial<T> {
  if (options === undefined) return {};
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new TypeError(
      `Options are an object, as { ${Object.keys(kinds)[0]}: ... }; got ${given(options)}`,
    );
  }
  const known: Readonly<Record<string, Kind>> = kinds;
  for (const [name, value] of Object.entries(options)) {
    const kind = Object.hasOwn(known, name) ? known[name] : undefined;
    if (kind === undefined) throw new TypeError(unknown(name, Object.keys(known)));
    if (value !== undefined) checkKind(name, value, kind);
  }
  return options;
}

function unknown(name: string, names: readonly string[]): string {
  const near = nearest(name, names);
  const rest = near === undefined ? `known: ${names.join(", ")}` : `did you mean "${near}"?`;
  return `Unknown option ${JSON.stringify(name)}; ${rest}`;
}
