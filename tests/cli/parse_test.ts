/** One contract for every parser at hand: the line must not mean one thing here and another there. */
import {
  loadParser,
  nodeParser,
  type OptionParser,
  type OptionSpec,
  type ParsedOptions,
  stdParser,
  UsageError,
} from "../../cli/parse.ts";
import { equal, ok, throws } from "../std/assert.ts";
import { describe, it, skip } from "../std/testing.ts";

const SPECS: readonly OptionSpec[] = [
  { name: "json", kind: "flag" },
  { name: "help", kind: "flag", short: "h" },
  { name: "verbose", kind: "flag", short: "v" },
  { name: "count", kind: "value", short: "n" },
  { name: "max-runs", kind: "value" },
  { name: "map", kind: "list" },
];

/** Plain data, so that results can be compared. */
function plain({ flags, values, lists, positional }: ParsedOptions): unknown {
  return {
    flags: [...flags].sort(),
    values: Object.fromEntries(values),
    map: lists.get("map"),
    positional,
  };
}

const nothing = { flags: [], values: {}, map: [], positional: [] };

const UNDERSTOOD: readonly (readonly [string, readonly string[], Record<string, unknown>])[] = [
  ["nothing", [], {}],
  ["a flag", ["--json"], { flags: ["json"] }],
  ["a flag twice", ["--json", "--json"], { flags: ["json"] }],
  ["a short flag", ["-h"], { flags: ["help"] }],
  ["short flags together", ["-vh"], { flags: ["help", "verbose"] }],
  ["a value behind a blank", ["--count", "5"], { values: { count: "5" } }],
  ["a value behind =", ["--count=5"], { values: { count: "5" } }],
  ["a short option's value", ["-n", "5"], { values: { count: "5" } }],
  ["a short option's value without a blank", ["-n5"], { values: { count: "5" } }],
  ["a name with a dash", ["--max-runs", "3"], { values: { "max-runs": "3" } }],
  ["the last of several values", ["--count", "1", "--count=2"], { values: { count: "2" } }],
  ["a value as text", ["--count", "0x10"], { values: { count: "0x10" } }],
  ["a value with zeros in front", ["--count", "007"], { values: { count: "007" } }],
  ["a value that begins with a dash, behind =", ["--count=-5"], { values: { count: "-5" } }],
  ["a negative number, behind a blank", ["--count", "-5"], { values: { count: "-5" } }],
  ["a negative number of a short option", ["-n", "-.5"], { values: { count: "-.5" } }],
  ["a negative number in a list", ["--map", "-1", "x"], { map: ["-1"], positional: ["x"] }],
  ["a negative number behind --", ["--", "-5"], { positional: ["-5"] }],
  ["a value with = in it", ["--count=a=b"], { values: { count: "a=b" } }],
  ["a value true", ["--count", "true"], { values: { count: "true" } }],
  ["a dash as a value, behind =", ["--count=-"], { values: { count: "-" } }],
  ["a dash as a value, behind a blank", ["--count", "-"], { values: { count: "-" } }],
  ["a dash as a short option's value", ["-n", "-"], { values: { count: "-" } }],
  ["a list of one", ["--map", "1:2"], { map: ["1:2"] }],
  ["a list in its order", ["--map", "b", "--map=a"], { map: ["b", "a"] }],
  ["operands", ["x", "y"], { positional: ["x", "y"] }],
  ["operands as text", ["007", "1e3", "true"], { positional: ["007", "1e3", "true"] }],
  ["an operand behind a flag", ["--json", "x"], { flags: ["json"], positional: ["x"] }],
  ["operands between options", ["x", "--count", "1", "y"], {
    values: { count: "1" },
    positional: ["x", "y"],
  }],
  ["operands behind --", ["x", "--", "--json", "-z"], { positional: ["x", "--json", "-z"] }],
  ["= behind --", ["--", "--json=1"], { positional: ["--json=1"] }],
  ["a second --", ["--", "--", "x"], { positional: ["--", "x"] }],
  ["a dash alone", ["-"], { positional: ["-"] }],
  ["an empty operand", [""], { positional: [""] }],
];

const REFUSED: readonly (readonly [readonly string[], string, string | undefined])[] = [
  [["--jsom"], "Unknown option --jsom", "--jsom"],
  [["--js"], "Unknown option --js", "--js"],
  [["--no-json"], "Unknown option --no-json", "--no-json"],
  [["--other=1"], "Unknown option --other", "--other"],
  [["--other", "1"], "Unknown option --other", "--other"],
  [["-x"], "Unknown option -x", "-x"],
  [["-vx"], "Unknown option -x", "-x"],
  [["--__proto__", "x"], "Unknown option --__proto__", "--__proto__"],
  [["--constructor"], "Unknown option --constructor", "--constructor"],
  [["--json=true"], "Option --json takes no value", undefined],
  [["--json=false"], "Option --json takes no value", undefined],
  [["--json="], "Option --json takes no value", undefined],
  [["--count"], "Option --count needs a value", undefined],
  [["--count="], "Option --count needs a value", undefined],
  [["--count", ""], "Option --count needs a value", undefined],
  [["--count", "--json"], "Option --count needs a value", undefined],
  [["--count", "--"], "Option --count needs a value", undefined],
  [["--json", "-5"], "Unknown option -5", "-5"],
  [["-n", "--json"], "Option --count needs a value", undefined],
  [["--map", "--count", "1"], "Option --map needs a value", undefined],
  [["-n"], "Option --count needs a value", undefined],
  [["--map", "a", "--map"], "Option --map needs a value", undefined],
];

function contract(parser: OptionParser): void {
  for (const [name, args, found] of UNDERSTOOD) {
    it(`understands ${name}`, () => equal(plain(parser(SPECS, args)), { ...nothing, ...found }));
  }
  for (const [args, message, unknown] of REFUSED) {
    it(`refuses ${JSON.stringify(args)}`, () => {
      const error = throws(() => parser(SPECS, args), UsageError);
      equal([error.message, error.unknown], [message, unknown]);
    });
  }
  it("leaves its arguments as they are", () => {
    const args = Object.freeze(["--map", "a", "--", "b"]);
    parser(SPECS, args);
    equal(args, ["--map", "a", "--", "b"]);
  });
}

const node = await nodeParser();
describe("the parser of node:util", () => contract(node));

const std = await stdParser();
describe("the parser of @std/cli", () => {
  if (std !== undefined) contract(std);
  else {skip(
      "keeps the contract",
      "@std/cli is not cached; run: deno cache jsr:@std/cli/parse-args",
    );}
});

describe("loadParser", () => {
  it("finds one that works", async () => {
    ok((await loadParser())(SPECS, ["--json"]).flags.has("json"));
  });
});
