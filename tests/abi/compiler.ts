/** Asks a C compiler what the headers in a folder say. */
import { run, which } from "../lab/command.ts";
import type { Fact } from "./tables.ts";

/** A C compiler and the folder of headers it takes. */
export interface Target {
  readonly compiler: string;
  readonly headers: string;
}

/** The compiler of this machine: `$CC`, or a usual name. */
export function findCompiler(): string | undefined {
  const own = Deno.env.get("CC");
  return [...(own ? [own] : []), "cc", "gcc", "clang"].map(which).find((path) =>
    path !== undefined
  );
}

const HEAD = `#include <linux/vfio.h>
#if __has_include(<linux/iommufd.h>)
#include <linux/iommufd.h>
#endif
#include <stdio.h>
`;

/**
 * Headers of a package have a folder for each machine (asm/) beside them. It must be this machine's:
 * with that of another one, as powerpc, all request numbers have one more bit.
 */
async function includeFlags(headers: string): Promise<string[]> {
  const own = `${headers}/${Deno.build.arch}-linux-gnu`;
  const there = await Deno.stat(own).then(({ isDirectory }) => isDirectory, () => false);
  return [headers, ...(there ? [own] : [])].flatMap((folder) => ["-isystem", folder]);
}

async function compile(
  { compiler, headers }: Target,
  source: string,
  flags: readonly string[],
): Promise<{ code: number; stdout: string; stderr: string }> {
  const include = await includeFlags(headers);
  const answer = await run(compiler, ["-std=gnu11", "-w", ...include, ...flags, source], {
    env: { LC_ALL: "C" },
    seconds: 120,
  });
  return { ...answer, stdout: new TextDecoder().decode(answer.stdout) };
}

async function inFolder<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "pinscope-abi-" });
  try {
    return await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** One C expression, and whose it is. */
interface Probe {
  readonly key: string;
  readonly index: number;
  readonly expression: string;
}

/**
 * Evaluates facts against the headers; those whose first expression names what the headers do not
 * have are left out. A later expression that does not compile gives NaN: the thing has another shape.
 *
 * A first run compiles one line for each expression and takes the lines with errors; so two runs are
 * enough, whatever is missing.
 */
export async function evaluate(
  target: Target,
  facts: readonly Fact[],
): Promise<Map<string, number[]>> {
  const probes = facts.flatMap(({ key, expressions }): Probe[] =>
    expressions.map((expression, index) => ({ key, index, expression }))
  );
  return await inFolder(async (folder) => {
    const bad = await failing(target, probes, `${folder}/probe.c`);
    const good = probes.filter((_, i) => !bad.has(i));
    const rows = await print(target, good.map(({ expression }) => expression), folder);
    const found = new Map(good.map(({ key, index }, i) => [`${key} ${index}`, rows[i] ?? NaN]));
    return new Map(
      facts.filter(({ key }) => found.has(`${key} 0`)).map(({ key, expressions }) => [
        key,
        expressions.map((_, index) => found.get(`${key} ${index}`) ?? NaN),
      ]),
    );
  });
}

/** The numbers of the probes that the compiler refuses. */
async function failing(
  target: Target,
  probes: readonly Probe[],
  source: string,
): Promise<Set<number>> {
  const before = HEAD.split("\n").length - 1;
  const lines = probes.map(({ expression }, i) => `enum { probe_${i} = (${expression}) != 0 };`);
  await Deno.writeTextFile(source, `${HEAD}${lines.join("\n")}\n`);
  const limit = target.compiler.includes("clang") ? "-ferror-limit=0" : "-fmax-errors=0";
  const { stderr } = await compile(target, source, ["-fsyntax-only", limit]);
  const bad = new Set<number>();
  for (const match of stderr.matchAll(/^(.*?):(\d+):(?:\d+:)? (?:fatal )?error: .*$/gm)) {
    const index = Number(match[2]) - 1 - before;
    if (match[1] !== source || probes[index] === undefined) {
      throw new Error(`The compiler does not take the headers in ${target.headers}: ${match[0]}`);
    }
    bad.add(index);
  }
  return bad;
}

/** Compiles and runs a program that prints the expressions. */
async function print(
  target: Target,
  expressions: readonly string[],
  folder: string,
): Promise<number[]> {
  const lines = expressions.map((one) => `  printf("%llu\\n", (unsigned long long)(${one}));`);
  const source = `${folder}/print.c`;
  await Deno.writeTextFile(source, `${HEAD}int main(void) {\n${lines.join("\n")}\nreturn 0;\n}\n`);
  const built = await compile(target, source, ["-o", `${folder}/print`]);
  if (built.code !== 0) throw new Error(`The compiler fails on known names: ${built.stderr}`);
  const { code, stdout } = await run(`${folder}/print`, [], { seconds: 30 });
  const rows = new TextDecoder().decode(stdout).trimEnd().split("\n").map(Number);
  if (code !== 0 || rows.length !== expressions.length) {
    throw new Error(`The compiled program ended with ${code} and ${rows.length} rows`);
  }
  return rows;
}

/** Names of the macros that the headers define as one number; those of functions and texts not. */
export async function macros(target: Target): Promise<string[]> {
  return await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/macros.c`, HEAD);
    const { code, stdout, stderr } = await compile(target, `${folder}/macros.c`, ["-E", "-dM"]);
    if (code !== 0) throw new Error(`The compiler lists no macros: ${stderr}`);
    const names: string[] = [];
    for (const [, name, body] of stdout.matchAll(/^#define (\w+) (.*)$/gm)) {
      if (name && body && /^(?:__)?(?:VFIO|IOMMU)/.test(name) && !body.startsWith('"')) {
        names.push(name);
      }
    }
    return names;
  });
}
