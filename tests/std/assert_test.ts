/** One contract for the assertions, on every library at hand. */
import { type Assert, fromNode, fromStd, rejects, source, throws } from "./assert.ts";
import { describe, it, skip } from "./testing.ts";

type Std = Parameters<typeof fromStd>[0];
type Node = Parameters<typeof fromNode>[0];

class Point {
  constructor(readonly x: number) {}
}

class Other {
  constructor(readonly x: number) {}
}

const EQUAL: readonly (readonly [string, unknown, unknown])[] = [
  ["numbers", 1, 1],
  ["0 and -0", 0, -0],
  ["-0 in arrays and objects", [{ a: -0 }], [{ a: 0 }]],
  ["NaN", NaN, NaN],
  ["bigints", 1n << 64n, 1n << 64n],
  ["text", "a", "a"],
  ["undefined", undefined, undefined],
  ["arrays", [1, [2]], [1, [2]]],
  ["objects in another order", { a: 1, b: 2n }, { b: 2n, a: 1 }],
  ["typed arrays", Uint32Array.of(1, 2), Uint32Array.of(1, 2)],
  ["maps", new Map([["a", 1]]), new Map([["a", 1]])],
  ["sets", new Set([1, 2]), new Set([2, 1])],
  ["instances", new Point(1), new Point(1)],
];

const DIFFERENT: readonly (readonly [string, unknown, unknown])[] = [
  ["numbers", 1, 2],
  ["a number and a bigint", 1, 1n],
  ["a number and text", 1, "1"],
  ["null and undefined", null, undefined],
  ["a property more", { a: 1 }, { a: 1, b: 2 }],
  ["a property that is undefined", { a: undefined }, {}],
  ["the order of an array", [1, 2], [2, 1]],
  ["the length of an array", [1], [1, undefined]],
  ["the kind of a typed array", Uint32Array.of(1), Int32Array.of(1)],
  ["the class", new Point(1), new Other(1)],
  ["the values of a map", new Map([["a", 1]]), new Map([["a", 2]])],
];

function fails(body: () => void): Error {
  return throws(body, Error);
}

function contract(assert: Assert): void {
  for (const [name, a, b] of EQUAL) it(`equal: ${name}`, () => assert.equal(a, b));
  for (const [name, a, b] of DIFFERENT) {
    it(`not equal: ${name}`, () => void fails(() => assert.equal(a, b)));
    it(`not equal: ${name}, the other way round`, () => void fails(() => assert.equal(b, a)));
  }
  it("equal says the message", () => {
    const { message } = fails(() => assert.equal(1, 2, "the count of runs"));
    if (!message.includes("the count of runs")) throw new Error(message);
  });
  it("ok takes what is truthy", () => {
    for (const value of [1, "0", [], {}, 1n]) assert.ok(value);
    for (const value of [0, "", null, undefined, NaN, 0n, false]) fails(() => assert.ok(value));
  });
  it("ok says the message", () => {
    const { message } = fails(() => assert.ok(false, "a run was found"));
    if (!message.includes("a run was found")) throw new Error(message);
  });
  it("match takes text that matches", () => {
    assert.match("abc", /b/);
    fails(() => assert.match("abc", /d/));
  });
  it("match says the message", () => {
    const { message } = fails(() => assert.match("abc", /d/, "the first line"));
    if (!message.includes("the first line")) throw new Error(message);
  });
}

/** @std/assert, where it is cached. */
async function loadStd(): Promise<Std | undefined> {
  try {
    return await import("@std/assert") as Std;
  } catch {
    return undefined;
  }
}

const node = await import("node:assert/strict");
describe("node:assert", () => contract(fromNode(node.default as unknown as Node)));

const std = await loadStd();
describe("@std/assert", () => {
  if (std !== undefined) contract(fromStd(std));
  else skip("keeps the contract", "@std/assert is not cached; run: deno cache jsr:@std/assert");
});

describe("throws and rejects", () => {
  it("give the error back", async () => {
    const body = (): never => {
      throw new RangeError("too far");
    };
    if (throws(body, RangeError, "too").message !== "too far") throw new Error("the error");
    const error = await rejects(() => Promise.reject(new TypeError("x")), TypeError, /^x$/);
    if (error.message !== "x") throw new Error("the error");
  });

  it("refuse another class, another text, and no error", async () => {
    const body = (): never => {
      throw new RangeError("too far");
    };
    throws(() => throws(body, TypeError), Error, "Expected a TypeError, got RangeError");
    throws(() => throws(body, RangeError, "near"), Error, "Expected a message with near");
    throws(() => throws(() => 7, RangeError), Error, "nothing was thrown; the call gave 7");
    await rejects(
      () => rejects(() => Promise.resolve(7), RangeError),
      Error,
      "nothing was thrown; the call gave 7",
    );
  });
});

describe("the assertions in use", () => {
  it("say where they come from", () => {
    const wanted = std === undefined ? "node:assert" : "@std/assert";
    if (source !== wanted) throw new Error(`${source} is in use, not ${wanted}`);
  });
});
