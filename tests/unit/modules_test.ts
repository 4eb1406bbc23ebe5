import { ok } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";

const LIB = new URL("../../lib/", import.meta.url);

/** Every file below a folder. */
function files(folder: URL): URL[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
    isDirectory ? files(new URL(`${name}/`, folder)) : [new URL(name, folder)]
  );
}

describe("the modules of lib", () => {
  // What no test loads would be missing from the coverage, and not count as uncovered.
  it("can all be loaded", async () => {
    // lib/dirty/wasm is AssemblyScript, of which only what was built is loaded.
    const modules = files(LIB).filter(({ pathname }) =>
      pathname.endsWith(".ts") && !pathname.includes("/dirty/wasm/")
    );
    ok(modules.length > 50, `only ${modules.length} were found`);
    for (const { href } of modules) await import(href);
  });
});
