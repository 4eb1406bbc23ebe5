/**
 * The committed table: numbers that real headers gave, for machines that have neither newer headers
 * nor a compiler. Made by update_expected.ts.
 */
import type { Fact } from "./tables.ts";

/** The table's numbers by key, and where they come from. */
export interface Expected {
  readonly sources: readonly string[];
  readonly numbers: ReadonlyMap<string, readonly number[]>;
  /** Keys whose numbers are our own, because no headers at hand have them. */
  readonly unchecked: ReadonlySet<string>;
}

/** Stands in a section's title instead of a kernel version. */
export const UNCHECKED = "not in the headers compared";

const TITLE = /^## (.+)$/;
const LINE = /^(\w+(?:\.\w+)?) = (\d+(?: \d+)*)$/;

/** Reads the table. */
export function parseExpected(text: string): Expected {
  const sources: string[] = [];
  const numbers = new Map<string, readonly number[]>();
  const unchecked = new Set<string>();
  let title = "";
  for (const [index, line] of text.split("\n").entries()) {
    const section = TITLE.exec(line)?.[1];
    if (section !== undefined) {
      title = section;
      if (!title.startsWith(UNCHECKED)) sources.push(title);
      continue;
    }
    if (line === "" || line.startsWith("# ")) continue;
    const [, key, values] = LINE.exec(line) ?? [];
    if (key === undefined || values === undefined || numbers.has(key)) {
      throw new Error(`Cannot read line ${index + 1} of the committed table: ${line}`);
    }
    numbers.set(key, values.split(" ").map(Number));
    if (title.startsWith(UNCHECKED)) unchecked.add(key);
  }
  return { sources, numbers, unchecked };
}

/** The numbers of one set of headers. */
export interface Source {
  readonly about: string;
  readonly numbers: ReadonlyMap<string, readonly number[]>;
}

/** Writes the table: each fact from the first source that has it. */
export function formatExpected(facts: readonly Fact[], sources: readonly Source[]): string {
  const left = new Map(facts.map((fact) => [fact.key, fact.values]));
  const sections: string[] = [];
  for (const { about, numbers } of sources) {
    const lines: string[] = [];
    for (const key of [...left.keys()]) {
      const values = numbers.get(key);
      if (values === undefined) continue;
      lines.push(`${key} = ${values.join(" ")}\n`);
      left.delete(key);
    }
    if (lines.length > 0) sections.push(`## ${about}\n\n${lines.join("")}`);
  }
  const rest = [...left].map(([key, values]) => `${key} = ${values.join(" ")}\n`);
  if (rest.length > 0) sections.push(`## ${UNCHECKED}\n\n${rest.join("")}`);
  return `${HEAD}\n${sections.join("\n")}`;
}

const HEAD = `# Numbers of linux/vfio.h and linux/iommufd.h on x86-64, as a C compiler gave them.
# constant = value; struct = size alignment; struct.member = offset size [1 if signed, 0 if not]
# A flexible array has the size of one element. Made by:
#   deno run -A tests/abi/fetch_headers.ts                      (bookworm-backports)
#   deno run -A tests/abi/fetch_headers.ts sid
#   deno run -A tests/abi/fetch_headers.ts trixie-backports
#   deno run -A tests/abi/update_expected.ts
# Each number is from the oldest of these headers that has it; the newer ones were compared as well.
`;
