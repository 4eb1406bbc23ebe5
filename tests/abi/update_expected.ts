#!/usr/bin/env -S deno run -A
// Makes tests/abi/expected.txt from the headers that fetch_headers.ts put into the cache.
//
// usage: deno run -A tests/abi/update_expected.ts
import { compare } from "./compare.ts";
import { findCompiler } from "./compiler.ts";
import { formatExpected, type Source } from "./expected.ts";
import { findHeaders } from "./headers.ts";
import { constants, forms } from "./tables.ts";

const compiler = findCompiler();
const fetched = (await findHeaders((name) => Deno.env.get(name)))
  .filter(({ folder }) => folder !== "/usr/include");
if (compiler === undefined || fetched.length === 0) {
  console.error("Needs a C compiler, and headers: deno run -A tests/abi/fetch_headers.ts");
  Deno.exit(1);
}

const sources: Source[] = [];
let faults = 0;
for (const { folder, about } of fetched.toReversed()) {
  const { compared, differences, unlisted, numbers } = await compare({ compiler, headers: folder });
  console.log(`${about}: ${compared} numbers compared`);
  for (const text of differences) console.error(`  different: ${text}`);
  for (const name of unlisted) console.error(`  not in our tables: ${name}`);
  faults += differences.length + unlisted.length;
  sources.push({ about: about.replace(/ \(.*$/, ""), numbers });
}
if (faults > 0) {
  console.error(`${faults} faults: the table stays as it is`);
  Deno.exit(1);
}
const facts = [...constants, ...forms.flatMap(({ self, members }) => [self, ...members])];
const file = new URL("expected.txt", import.meta.url);
await Deno.writeTextFile(file, formatExpected(facts, sources));
console.log(`${facts.length} entries in ${file.pathname}`);
