import { checkKind, checkOptions, given, type Kinds } from "../../../lib/base/argument.ts";
import { equal, throws } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";

interface Options {
  readonly iova?: bigint;
  readonly access?: "r" | "w" | "rw";
  readonly count?: number;
  readonly kernel?: object;
}

const KINDS: Kinds<Options> = {
  iova: "bigint",
  access: ["r", "w", "rw"],
  count: "number",
  kernel: "object",
};

describe("given", () => {
  it("tells every kind of value by its type", () => {
    class Thing {}
    const cases: [unknown, string][] = [
      [4096, "the number 4096"],
      [4096n, "the bigint 4096n"],
      ["a\nb", 'the string "a\\nb"'],
      [undefined, "undefined"],
      [null, "null"],
      [true, "true"],
      [[1], "an array"],
      [{}, "an object"],
      [Object.create(null), "an object"],
      [new Thing(), "an object of class Thing"],
      [() => 0, "a function"],
      [Symbol("x"), "a symbol"],
    ];
    for (const [value, text] of cases) equal(given(value), text);
  });
});

describe("checkKind", () => {
  it("takes what is of the kind", () => {
    checkKind("iova", 0n, "bigint");
    checkKind("count", NaN, "number");
    checkKind("body", () => 0, "function");
    checkKind("access", "rw", ["r", "w", "rw"]);
    checkKind("kernel", {}, "object");
  });

  it("names argument, wanted kind and given value", () => {
    throws(
      () => checkKind("iova", 4096, "bigint"),
      TypeError,
      "iova must be a bigint, as 0x1000n; got the number 4096",
    );
    throws(
      () => checkKind("pages", 4n, "number"),
      TypeError,
      "a number, as 4096; got the bigint 4n",
    );
    throws(() => checkKind("kernel", null, "object"), TypeError, "must be an object; got null");
    throws(
      () => checkKind("access", "x", ["r", "w", "rw"]),
      TypeError,
      'access must be "r", "w" or "rw"; got the string "x"',
    );
    // A name that every object inherits is no word of the list.
    throws(() => checkKind("access", "toString", ["r"]), TypeError, 'must be "r"; got');
  });
});

describe("checkOptions", () => {
  it("gives the options back, and takes none and undefined ones", () => {
    const options: Options = { iova: 1n };
    equal(checkOptions(options, KINDS) === options, true);
    equal(checkOptions<Options>(undefined, KINDS), {});
    checkOptions({ iova: undefined } as unknown as Options, KINDS);
  });

  it("names an option that it does not know, and the one that was meant", () => {
    const check = (options: unknown): unknown => checkOptions(options as Options, KINDS);
    throws(() => check({ iove: 1n }), TypeError, 'Unknown option "iove"; did you mean "iova"?');
    throws(
      () => check({ frobnicate: undefined }),
      TypeError,
      'Unknown option "frobnicate"; known: iova, access, count, kernel',
    );
    throws(() => check({ constructor: 1 }), TypeError, 'Unknown option "constructor"');
    throws(
      () => check({ count: "3" }),
      TypeError,
      "count must be a number, as 4096; got the string",
    );
  });

  it("refuses what is no object of options", () => {
    for (const [value, text] of [[4096n, "the bigint 4096n"], [null, "null"], [[], "an array"]]) {
      throws(
        () => checkOptions(value as Options, KINDS),
        TypeError,
        `Options are an object, as { iova: ... }; got ${text}`,
      );
    }
  });
});
