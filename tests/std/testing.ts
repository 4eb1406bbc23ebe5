/**
 * The one module that reaches @std/testing: `describe` and `it` of its bdd part, or the same on
 * `Deno.test` where the package is not cached (not node:test, which turns the sanitizers off).
 */

/** A test; it may be asynchronous. */
type Body = () => void | Promise<void>;

/** What one library gives. */
export interface Bdd {
  /** Where it comes from. */
  readonly source: string;
  /** Names a family of tests; may stand inside another. */
  describe(name: string, body: () => void): void;
  /** One test. */
  it(name: string, body: Body): void;
  /** A test that cannot run here: the reason, and how to enable it, stand in its name. */
  skip(name: string, reason: string): void;
}

/** What registers a test; `Deno.test` fits. */
export type Register = (test: { name: string; fn: Body; ignore: boolean }) => void;

/** `describe` and `it` that register flat tests by their full name. */
export function onDenoTest(register: Register): Bdd {
  const path: string[] = [];
  const add = (name: string, fn: Body, ignore: boolean): void =>
    register({ name: [...path, name].join(" > "), fn, ignore });
  return {
    source: "Deno.test",
    describe: (name, body) => {
      path.push(name);
      try {
        body();
      } finally {
        path.pop();
      }
    },
    it: (name, body) => add(name, body, false),
    skip: (name, reason) => add(`${name} (skipped: ${reason})`, () => {}, true),
  };
}

interface StdBdd {
  describe(name: string, body: () => void): unknown;
  it: ((name: string, body: Body) => unknown) & { ignore(name: string, body: Body): unknown };
}

/** The same on @std/testing. */
export function fromStd(std: StdBdd): Bdd {
  return {
    source: "@std/testing",
    describe: (name, body) => void std.describe(name, body),
    it: (name, body) => void std.it(name, body),
    skip: (name, reason) => void std.it.ignore(`${name} (skipped: ${reason})`, () => {}),
  };
}

async function load(): Promise<Bdd> {
  try {
    return fromStd(await import("@std/testing/bdd") as unknown as StdBdd);
  } catch {
    return onDenoTest((test) => Deno.test(test));
  }
}

const loaded = await load();

/** Where the tests are registered. */
export const source: string = loaded.source;
/** See {@link Bdd.describe}. */
export const describe: Bdd["describe"] = loaded.describe;
/** See {@link Bdd.it}. */
export const it: Bdd["it"] = loaded.it;
/** See {@link Bdd.skip}. */
export const skip: Bdd["skip"] = loaded.skip;
