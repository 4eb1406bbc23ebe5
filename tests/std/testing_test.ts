/** One contract for describe, it and skip, on every library at hand. */
import { equal } from "./assert.ts";
import { type Bdd, describe, fromStd, it, onDenoTest, skip, source } from "./testing.ts";

type Std = Parameters<typeof fromStd>[0];

/** @std/testing, where it is cached. */
async function loadStd(): Promise<Std | undefined> {
  try {
    return await import("@std/testing/bdd") as unknown as Std;
  } catch {
    return undefined;
  }
}

const std = await loadStd();

describe("onDenoTest", () => {
  const seen: { name: string; ignore: boolean }[] = [];
  const calls: string[] = [];
  const bdd = onDenoTest(({ name, fn, ignore }) => {
    seen.push({ name, ignore });
    if (!ignore) void fn();
  });
  bdd.it("alone", () => void calls.push("alone"));
  bdd.describe("outer", () => {
    bdd.describe("inner", () => bdd.it("works", () => void calls.push("works")));
    bdd.it("follows", () => void calls.push("follows"));
    bdd.skip("waits", "no device");
  });

  it("registers flat tests by their full name, in order", () => {
    equal(seen, [
      { name: "alone", ignore: false },
      { name: "outer > inner > works", ignore: false },
      { name: "outer > follows", ignore: false },
      { name: "outer > waits (skipped: no device)", ignore: true },
    ]);
  });

  it("runs the bodies of those that are not skipped", () => {
    equal(calls, ["alone", "works", "follows"]);
  });

  it("leaves a family although its body throws", () => {
    let thrown = false;
    try {
      bdd.describe("broken", () => {
        throw new Error("in the body");
      });
    } catch {
      thrown = true;
    }
    bdd.it("after", () => {});
    equal([thrown, seen.at(-1)?.name], [true, "after"]);
  });
});

describe("fromStd", () => {
  it("skips by it.ignore, with the reason in the name", () => {
    const names: string[] = [];
    const std: Std = {
      describe: (_, body) => body(),
      it: Object.assign(() => {}, { ignore: (name: string) => void names.push(name) }),
    };
    fromStd(std).skip("waits", "no device");
    equal(names, ["waits (skipped: no device)"]);
  });
});

// What a library registers can only be seen by the order in which its tests run.
const order: string[] = [];

function contract(bdd: Bdd): void {
  bdd.describe("describe and it", () => {
    bdd.it("run a test", () => void order.push("first"));
    bdd.it("wait for an asynchronous test", async () => {
      await Promise.resolve();
      order.push("second");
    });
    bdd.describe("in a family within", () => {
      bdd.it("run too", () => void order.push("third"));
    });
  });
}

const library: Bdd = std === undefined ? onDenoTest((test) => Deno.test(test)) : fromStd(std);

describe(`the contract on ${library.source}`, () => {
  contract(library);
  it("ran every test, in order", () => equal(order, ["first", "second", "third"]));
});

describe("the bdd functions in use", () => {
  it("say where they come from", () => {
    equal(source, std === undefined ? "Deno.test" : "@std/testing");
  });
  if (std === undefined) {
    skip("those of @std/testing", "it is not cached; run: deno cache jsr:@std/testing/bdd");
  }
});
