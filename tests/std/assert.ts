/**
 * The one module that reaches @std/assert: a few assertions that mean the same on the package and
 * on node:assert, which serves where the package is not cached.
 */

/** Any error class. */
// deno-lint-ignore no-explicit-any -- a constructor may take anything; only the instance matters
type ErrorClass<E extends Error> = abstract new (...args: any[]) => E;

/** What one library gives. */
export interface Assert {
  /** Where it comes from. */
  readonly source: string;
  /** Structural equality of values of the same type; 0 and -0 are equal. */
  equal(actual: unknown, expected: unknown, message?: string): void;
  /** The value is truthy. */
  ok(value: unknown, message?: string): asserts value;
  /** The text matches. */
  match(actual: string, expected: RegExp, message?: string): void;
}

/** -0 is where the libraries differ: it is 0 in the numbers, arrays and plain objects compared. */
function positive(value: unknown): unknown {
  if (Object.is(value, -0)) return 0;
  if (Array.isArray(value)) return value.map(positive);
  if (typeof value !== "object" || value === null) return value;
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, positive(v)]));
}

interface StdAssert {
  assertEquals(actual: unknown, expected: unknown, message?: string): void;
  assert(value: unknown, message?: string): void;
  assertMatch(actual: string, expected: RegExp, message?: string): void;
}

/** The assertions on top of @std/assert. */
export function fromStd(std: StdAssert): Assert {
  return {
    source: "@std/assert",
    equal: (a, e, message) => std.assertEquals(positive(a), positive(e), message),
    ok: (value, message) => std.assert(value, message),
    match: (a, e, message) => std.assertMatch(a, e, message),
  };
}

interface NodeAssert {
  deepStrictEqual(actual: unknown, expected: unknown, message?: string): void;
  ok(value: unknown, message?: string): void;
  match(actual: string, expected: RegExp, message?: string): void;
}

/** The assertions on top of node:assert/strict. */
export function fromNode(node: NodeAssert): Assert {
  return {
    source: "node:assert",
    equal: (a, e, message) => node.deepStrictEqual(positive(a), positive(e), message),
    ok: (value, message) => node.ok(value, message),
    match: (a, e, message) => node.match(a, e, message),
  };
}

/** @std/assert where it is cached, node:assert where not. */
async function load(): Promise<Assert> {
  try {
    return fromStd(await import("@std/assert") as StdAssert);
  } catch {
    const node = await import("node:assert/strict");
    return fromNode(node.default as unknown as NodeAssert);
  }
}

const loaded = await load();

/** Where the assertions come from. */
export const source: string = loaded.source;
/** See {@link Assert.equal}. */
export const equal: Assert["equal"] = loaded.equal;
/** See {@link Assert.ok}. */
export const ok: Assert["ok"] = loaded.ok;
/** See {@link Assert.match}. */
export const match: Assert["match"] = loaded.match;

function expected<E extends Error>(error: unknown, type: ErrorClass<E>, text: string | RegExp): E {
  if (!(error instanceof type)) {
    throw new Error(`Expected a ${type.name}, got ${error}`, { cause: error });
  }
  const fits = typeof text === "string" ? error.message.includes(text) : text.test(error.message);
  if (!fits) throw new Error(`Expected a message with ${text}, got: ${error.message}`);
  return error;
}

/** Calls `body`, which must throw a `type` whose message has `text`; gives the error back. */
export function throws<E extends Error>(
  body: () => unknown,
  type: ErrorClass<E>,
  text: string | RegExp = "",
): E {
  let result: unknown;
  try {
    result = body();
  } catch (error) {
    return expected(error, type, text);
  }
  throw new Error(`Expected a ${type.name}, but nothing was thrown; the call gave ${result}`);
}

/** Awaits `body`, which must be rejected with a `type` whose message has `text`. */
export async function rejects<E extends Error>(
  body: () => Promise<unknown>,
  type: ErrorClass<E>,
  text: string | RegExp = "",
): Promise<E> {
  let result: unknown;
  try {
    result = await body();
  } catch (error) {
    return expected(error, type, text);
  }
  throw new Error(`Expected a ${type.name}, but nothing was thrown; the call gave ${result}`);
}
