/**
 * What the packed file begins with: the program, and for scripts that import the file what the
 * package exports.
 *
 * @module
 */

import { ROOT } from "../gate/child.ts";

/** The modules of the package that scripts import, in the order of deno.json. */
function published(): string[] {
  const { exports } = JSON.parse(Deno.readTextFileSync(`${ROOT}deno.json`)) as {
    exports: Record<string, string>;
  };
  return Object.values(exports).map((path) => new URL(path, `file://${ROOT}`).href);
}

/**
 * Writes the text of that module.
 *
 * A module's exports are named when it is parsed; their values come only where it is imported, so
 * that the program does not load all that it may never need.
 *
 * @returns TypeScript.
 * @throws {Error} Where two modules export different things by one name.
 */
export async function entryText(): Promise<string> {
  const program = `${ROOT}cli/main.ts`;
  const modules = published().filter((url) => url !== `file://${program}`);
  const values = new Map<string, unknown>();
  for (const url of modules) {
    for (const [name, value] of Object.entries(await import(url) as Record<string, unknown>)) {
      if (values.has(name) && values.get(name) !== value) {
        throw new Error(`Cannot pack: ${url} exports another ${name} than those before it`);
      }
      values.set(name, value);
    }
  }
  const load = (url: string): string => `...await import(${JSON.stringify(url)})`;
  return [
    `import { main } from ${JSON.stringify(`file://${program}`)};`,
    `export { main };`,
    `export const {\n  ${[...values.keys()].join(",\n  ")},`,
    `} = import.meta.main ? {} : { ${modules.map(load).join(", ")} };`,
    // The bundler takes this line out of the program itself, which is not the entry any more.
    `if (import.meta.main) Deno.exitCode = await main(Deno.args);`,
    "",
  ].join("\n");
}
