/**
 * The layers of the house as data: where a file belongs and what it may import. The lint plugin
 * reads this; `CONTRIBUTING.md` says it in words.
 *
 * @module
 */

/** What is below the objects that a script holds, whatever they are of. */
const UNDER_OBJECTS = [
  "lib/base",
  "lib/uapi",
  "lib/rules",
  "lib/dirty",
  "lib/pins",
  "lib/sys",
  "lib/track",
];

/** What each layer of lib may import besides its own files. */
export const LIB: Readonly<Record<string, readonly string[]>> = {
  "lib/base": [],
  "lib/uapi": [],
  "lib/rules": ["lib/base", "lib/uapi"],
  "lib/dirty": ["lib/base"],
  "lib/pins": ["lib/base", "lib/rules"],
  "lib/sys": ["lib/base"],
  "lib/track": ["lib/base", "lib/dirty", "lib/sys"],
  "lib/iommufd": UNDER_OBJECTS,
  "lib/vfio": [...UNDER_OBJECTS, "lib/iommufd"],
  "lib/model": ["lib/base", "lib/uapi", "lib/rules", "lib/sys"],
  "lib/conform": ["lib/base", "lib/uapi", "lib/rules", "lib/sys"],
  "lib/trace": ["lib/base", "lib/uapi", "lib/sys"],
  "lib/view": ["lib/base", "lib/dirty"],
  "lib/record": ["lib/base", "lib/dirty", "lib/view"],
};

/**
 * The files of lib that the command line may import: what the package exports, the nearest of
 * some words, which is no business of a script but is wanted for options of both.
 */
const PUBLIC = [
  "mod.ts",
  "lib/model/mod.ts",
  "lib/trace/mod.ts",
  "lib/conform/mod.ts",
  "lib/view/mod.ts",
  "lib/record/mod.ts",
  "lib/uapi/mod.ts",
  "lib/base/nearest.ts",
  "lib/base/wait.ts",
  "deno.json",
];

/** The package under its own name, whole or one entry of it. */
const SELF = /^@pinscope\/vfio(\/|$)/;

/** The only file that reaches fast-check: by a name that no tool sees, and so nothing waits for it. */
const REACHES_FAST_CHECK = "tests/differential/fast_check.ts";

/** The only files that reach the packages of @std, each with a fallback. */
const REACHES_STD = /^(cli\/parse\.ts|tests\/std\/[^/]+)$/;

/** An import as it is written. */
export interface Import {
  /** Path of the importing file from the root of the project. */
  readonly file: string;
  readonly specifier: string;
  /** Written `import(...)`: loaded when it is reached. */
  readonly dynamic: boolean;
}

/** What is wrong, and what to do. */
export interface Problem {
  readonly message: string;
  readonly hint: string;
}

/** The layer of a file: "lib/base", "mod.ts", "cli", "examples", "tests", or "" for others. */
export function layerOf(file: string): string {
  const [top = "", second] = file.split("/");
  if (top === "lib" && second !== undefined) return `lib/${second}`;
  return ["mod.ts", "cli", "examples", "tests"].includes(top) ? top : "";
}

/** Where a relative specifier leads, from the root; undefined for a package or a URL. */
function target(file: string, specifier: string): string | undefined {
  if (!/^\.{0,2}\//.test(specifier)) return undefined;
  const url = new URL(specifier, `file:///project/${file}`);
  return url.pathname.replace(/^\/project\//, "");
}

/** Finds what is wrong with an import. */
export function importProblem(found: Import): Problem | undefined {
  const { file, specifier } = found;
  const layer = layerOf(file);
  if (layer.startsWith("lib/") && LIB[layer] === undefined) {
    return {
      message: `${layer} is no layer of the house`,
      hint: "Give it a line in tests/lint/layers.ts that says what it may import",
    };
  }
  const path = target(file, specifier);
  return path === undefined ? packageProblem(found, layer) : pathProblem(layer, path);
}

function pathProblem(layer: string, path: string): Problem | undefined {
  const other = layerOf(path);
  if (layer in LIB) {
    const may = LIB[layer]!;
    if (other === layer || may.includes(other)) return undefined;
    return {
      message: `${layer} may import ${may.join(", ") || "nothing outside itself"}; not ${path}`,
      hint: "Imports point down only: move what both need into a lower layer, or pass it in",
    };
  }
  if (layer === "mod.ts" && !other.startsWith("lib/")) {
    return { message: `mod.ts re-exports from lib only; not ${path}`, hint: "Move it into lib" };
  }
  if (layer === "cli" && other !== "cli" && !PUBLIC.includes(path)) {
    return {
      message: `cli uses what the package exports (${PUBLIC.join(", ")}); not ${path}`,
      hint: "Export what is missing from mod.ts: a script would miss it too",
    };
  }
  if (layer === "examples") {
    return {
      message: `An example imports "@pinscope/vfio" only, as a reader's script would; not ${path}`,
      hint: 'Import from "@pinscope/vfio", "@pinscope/vfio/uapi" or "@pinscope/vfio/model"',
    };
  }
  return undefined;
}

function packageProblem(found: Import, layer: string): Problem | undefined {
  const { file, specifier, dynamic } = found;
  if (layer.startsWith("lib/") || layer === "mod.ts") {
    return {
      message: `${layer} has no dependencies; it may not import "${specifier}"`,
      hint: "Write it in lib, or do the work in cli or tests",
    };
  }
  if (specifier.startsWith("@std/")) return REACHES_STD.test(file) ? undefined : NO_STD(specifier);
  if (/^(npm:)?fast-check(@|$)/.test(specifier)) {
    return {
      message: `"fast-check" is loaded by ${REACHES_FAST_CHECK} only, which does without it`,
      hint: "Take what you need from there",
    };
  }
  if (/^(jsr|https?|data|blob):/.test(specifier)) {
    return {
      message: `No module is imported by address; got "${specifier}"`,
      hint: "Name the package in the imports of deno.json, and reach it through one module of ours",
    };
  }
  if (layer === "examples" && !SELF.test(specifier)) {
    return {
      message: `An example imports "@pinscope/vfio" only; not "${specifier}"`,
      hint: "An example shows the package alone",
    };
  }
  if (layer === "cli" && specifier.startsWith("npm:") && !dynamic) {
    return {
      message: `cli loads npm packages when they are asked for; "${specifier}" is loaded at start`,
      hint: `Write await import("${specifier}") where it is needed`,
    };
  }
  return undefined;
}

const NO_STD = (specifier: string): Problem => ({
  message: `"${specifier}" is reached only from cli/parse.ts and tests/std, which have a fallback`,
  hint: "Use tests/std/assert.ts, tests/std/testing.ts or cli/parse.ts",
});
