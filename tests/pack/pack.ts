/**
 * The whole command line as one file of JavaScript, which a Deno without a network runs.
 *
 * @module
 */

import { ROOT, runChild } from "../gate/child.ts";
import { entryText } from "./entry.ts";

/** The one import of a package, in `cli/parse.ts`, which does without it where it is missing. */
const STD_PARSER = `await import("@std/cli/parse-args")`;
const NO_STD_PARSER = `await Promise.reject(new Error("@std/cli is not packed"))`;

/** What the bundler of Deno says where it has to fetch the compiler that it drives. */
const NEEDS_FETCH = /esbuild/;

/** There is no bundler in Deno's cache, and none could be fetched. */
export class NoBundlerError extends Error {
  override readonly name = "NoBundlerError";
}

/** How to pack. */
export interface PackOptions {
  /** More environment variables for the bundler, as one that keeps it off the network. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs Deno; gives back what it wrote. */
async function deno(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Done> {
  const options = { seconds: 120, output: "keep", env: { ...env, NO_COLOR: "1" } } as const;
  return await runChild([Deno.execPath(), ...args], options);
}

interface Done {
  readonly code: number;
  readonly text: string;
}

/** Bundles the program and the package as they come. */
async function bundle(folder: string, env: Readonly<Record<string, string>>): Promise<string> {
  const [entry, made] = [`${folder}/entry.ts`, `${folder}/bundle.js`];
  Deno.writeTextFileSync(entry, await entryText());
  // Not minified: who carries the file to a host without a network wants to read it there, and
  // Deno starts either form in the same time.
  const { code, text } = await deno([
    ...["bundle", "--quiet", "--no-remote", "--platform", "deno", "--packages", "bundle"],
    ...["--external", "@std/cli/parse-args", "--config", `${ROOT}deno.json`],
    ...["--output", made, entry],
  ], env);
  // Each file's name stands over what was in it; that one is another every time.
  if (code === 0) return Deno.readTextFileSync(made).replace(/^\/\/ .*\/entry\.ts\n/m, "");
  if (!NEEDS_FETCH.test(text)) throw new Error(`Cannot bundle the command line:\n${text}`);
  throw new NoBundlerError(
    "Cannot bundle the command line: Deno fetches its bundler, esbuild, from the npm registry " +
      `the first time, and cannot\n${text}`,
  );
}

/** The licence wants to go with every copy; the first line makes the file a program. */
function heading(): string {
  const licence = Deno.readTextFileSync(`${ROOT}LICENSE`).trim().split("\n");
  return [
    "#!/usr/bin/env -S deno run --cached-only --no-config --allow-ffi",
    "// Pinscope in one file, made by `deno task pack`. It needs nothing beside it but Deno:",
    "//     deno run --cached-only --allow-ffi pinscope.js --help",
    "// Scripts import from it what they would import from @pinscope/vfio and its entries.",
    "//",
    ...licence.map((line) => `// ${line}`.trimEnd()),
    "",
  ].join("\n");
}

/** Takes out the only import that could want a network. */
function withoutStd(code: string): string {
  const parts = code.split(STD_PARSER);
  if (parts.length !== 2) {
    throw new Error(`Cannot pack: wanted one ${STD_PARSER} in the bundle; got ${parts.length - 1}`);
  }
  return parts.join(NO_STD_PARSER);
}

/**
 * What a module still imports.
 *
 * @param path Of the module.
 * @returns The specifiers, without those of modules that are part of Deno.
 */
export async function importsOf(path: string): Promise<readonly string[]> {
  // What it writes on stderr would spoil the JSON.
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "--no-config", "--no-remote", "--no-npm", path],
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`Cannot look at ${path}:\n${decoder.decode(stderr)}`);
  const { modules } = JSON.parse(decoder.decode(stdout)) as {
    modules: { kind: string; dependencies?: { specifier: string }[] }[];
  };
  const found = modules.flatMap(({ dependencies }) => dependencies ?? []);
  return found.map(({ specifier }) => specifier).filter((name) => !name.startsWith("node:"));
}

/**
 * Packs the command line.
 *
 * @param target The file to write, for all to read and run.
 * @throws {NoBundlerError} Where the bundler is neither cached nor to be had.
 */
export async function pack(target: string, options: PackOptions = {}): Promise<void> {
  const folder = Deno.makeTempDirSync();
  try {
    const made = `${folder}/pinscope.js`;
    const code = withoutStd(await bundle(folder, options.env ?? {}));
    Deno.writeTextFileSync(made, `${heading()}\n${code}`);
    const imports = await importsOf(made);
    if (imports.length > 0) {
      throw new Error(`Cannot pack: the file would still import ${imports.join(", ")}`);
    }
    Deno.copyFileSync(made, target);
    Deno.chmodSync(target, 0o755);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}
