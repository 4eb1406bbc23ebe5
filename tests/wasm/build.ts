/**
 * Builds `lib/dirty/scan_wasm.ts` from the AssemblyScript in `lib/dirty/wasm`.
 *
 *     deno task wasm [--check]
 *
 * The compiler comes from npm, by exact version, and is needed for nothing else. `--check` builds and
 * compares with what is there, byte for byte.
 *
 * @module
 */

import { sourceHash } from "./source.ts";

/** Exact: another version may give other bytes. */
const COMPILER = "npm:assemblyscript@0.28.20/asc";
const ROOT = new URL("../../", import.meta.url);
const TARGET = new URL("lib/dirty/scan_wasm.ts", ROOT);

interface Compiler {
  main(
    args: readonly string[],
    options: {
      readonly readFile: (name: string, base: string) => string | null;
      readonly writeFile: (name: string, contents: Uint8Array | string, base: string) => void;
      readonly listFiles: (folder: string, base: string) => string[] | null;
    },
  ): Promise<{ readonly error: Error | null; readonly stderr: { toString(): string } }>;
}

async function loadCompiler(): Promise<Compiler> {
  try {
    // Not a literal: otherwise every check of this file would want the package.
    return await import(`${COMPILER}`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `Cannot build: ${COMPILER} is not to be had, it needs an npm registry.\n${reason}`,
    );
  }
}

async function compile(): Promise<Uint8Array<ArrayBuffer>> {
  const { main } = await loadCompiler();
  let binary: Uint8Array<ArrayBuffer> | undefined;
  const read = (name: string): string | null => {
    const url = new URL(`lib/dirty/wasm/${name}`, ROOT);
    try {
      return Deno.readTextFileSync(url);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
  };
  const flags = ["-O3", "--noAssert", "--runtime", "stub", "--enable", "simd"];
  const memory = ["--importMemory", "--initialMemory", "1", "--noExportMemory"];
  const { error, stderr } = await main(["index.ts", "-o", "scan.wasm", ...flags, ...memory], {
    readFile: read,
    writeFile: (_name, contents) => {
      if (typeof contents !== "string") binary = new Uint8Array(contents);
    },
    listFiles: () => [],
  });
  if (error !== null || binary === undefined) {
    throw new Error(`Cannot build lib/dirty/wasm: ${error?.message}\n${stderr.toString()}`);
  }
  return binary;
}

function moduleOf(binary: Uint8Array<ArrayBuffer>, hash: string): string {
  const lines = binary.toBase64().match(/.{1,92}/g) ?? [];
  return [
    "// Generated from lib/dirty/wasm by `deno task wasm`: change that, not this.",
    "",
    "/** SHA-256 of the sources. */",
    `export const SOURCE = "${hash}";`,
    "",
    `/** The module of the scan kernels in base64: ${binary.length} bytes. */`,
    `export const SCAN_WASM: string = \`\n${lines.join("\n")}\n\`;`,
    "",
  ].join("\n");
}

const built = moduleOf(await compile(), await sourceHash());
if (Deno.args.includes("--check")) {
  if (Deno.readTextFileSync(TARGET) !== built) {
    throw new Error("lib/dirty/scan_wasm.ts is not what lib/dirty/wasm gives: run deno task wasm");
  }
  console.log("lib/dirty/scan_wasm.ts is what lib/dirty/wasm gives, byte for byte");
} else {
  Deno.writeTextFileSync(TARGET, built);
  console.log(`Wrote lib/dirty/scan_wasm.ts (${built.length} bytes)`);
}
