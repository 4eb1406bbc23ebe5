// Holds the tables of lib/uapi against real headers: all that a C compiler can see of them here,
// and always against the committed table of numbers that real headers gave.
//
// Newer headers than the machine's own: deno run -A tests/abi/fetch_headers.ts
// Headers of your own: PINSCOPE_UAPI_HEADERS=/path/to/include, a folder that holds linux/vfio.h
import { compareVersions } from "../lab/kernels.ts";
import { equal, ok } from "../std/assert.ts";
import { describe, it, skip } from "../std/testing.ts";
import { compare } from "./compare.ts";
import { findCompiler } from "./compiler.ts";
import { parseExpected } from "./expected.ts";
import { findHeaders } from "./headers.ts";
import { constants, forms } from "./tables.ts";

const compiler = findCompiler();
const headers = await findHeaders((name) => Deno.env.get(name));
const expected = parseExpected(
  await Deno.readTextFile(new URL("expected.txt", import.meta.url)),
);

describe("the tables of lib/uapi", () => {
  it("agree with the committed numbers of real headers", () => {
    const facts = [...constants, ...forms.flatMap(({ self, members }) => [self, ...members])];
    const ours = facts.map(({ key, values }) => `${key} = ${values.join(" ")}`);
    const theirs = [...expected.numbers].map(([key, values]) => `${key} = ${values.join(" ")}`);
    equal(ours.toSorted(), theirs.toSorted());
    ok(expected.unchecked.size * 20 < facts.length, "nearly all of it is from headers");
    const count = facts.reduce((sum, { values }) => sum + values.length, 0);
    console.log(
      `${count} numbers, from ${expected.sources.join(", ")}; ` +
        `not in the headers compared: ${[...expected.unchecked].join(" ")}`,
    );
  });

  for (const { folder, about } of headers) {
    const name = `agree with ${about}`;
    if (compiler === undefined) {
      skip(name, "there is no C compiler: apt-get install gcc, or set CC");
      continue;
    }
    it(name, async () => {
      const found = await compare({ compiler, headers: folder });
      const { compared, differences, lacking, superseded, unlisted } = found;
      equal(differences, []);
      ok(compared > 500, `only ${compared} numbers were compared`);
      if (isKnown(about)) equal(unlisted, [], "nothing of these headers is left out");
      const lines = [
        `${compared} numbers compared`,
        `the headers lack ${lacking.length}: ${shorten(lacking)}`,
        `the headers have a newer form of ${superseded.length}: ${shorten(superseded)}`,
        `our tables lack ${unlisted.length}: ${shorten(unlisted)}`,
      ];
      console.log(lines.filter((line) => !/ 0: $/.test(line)).join("\n"));
    });
  }
  if (headers.length === 0) {
    skip("agree with headers", "there are none: deno run -A tests/abi/fetch_headers.ts");
  }
});

/** Headers newer than those of the committed table may have what we never saw. */
function isKnown(about: string): boolean {
  const versionIn = (text: string): string => /\d+(?:\.\d+)+/.exec(text)?.[0] ?? "";
  const [version, newest] = [versionIn(about), versionIn(expected.sources.at(-1) ?? "")];
  return version !== "" && compareVersions(version, newest) <= 0;
}

/** Headers from before iommufd lack all of it; the rest is worth reading. */
function shorten(names: readonly string[]): string {
  if (names.length <= 60) return names.join(" ");
  const iommufd = names.filter((name) => /^(?:struct )?iommu/i.test(name));
  const others = names.filter((name) => !iommufd.includes(name));
  return `${others.join(" ")} and ${iommufd.length} of iommufd.h`;
}
