/** Finds a kernel's modules and the order in which they must be loaded. */
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { mustRun } from "./command.ts";
import { LabProblem } from "./problem.ts";

/** What a folder lib/modules/<release> holds. */
export interface ModuleIndex {
  /** Module name (with underscores) to its file. */
  files: ReadonlyMap<string, string>;
  /** What is built into the kernel; undefined where the folder does not say. */
  builtin: ReadonlySet<string> | undefined;
}

/** A module ready for the guest. */
export interface LoadableModule {
  name: string;
  bytes: Uint8Array;
}

const ending = /\.ko(\.xz|\.gz|\.zst)?$/;

/** Gives the name the kernel knows a module by: a file says vfio-pci.ko.xz, the kernel vfio_pci. */
export function moduleName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1).replace(ending, "").replaceAll("-", "_");
}

/** Reads which modules a folder holds; links (build, source) are not followed. */
export async function indexModules(folder: string): Promise<ModuleIndex> {
  const files = new Map<string, string>();
  const walk = async (path: string): Promise<void> => {
    for await (const entry of Deno.readDir(path)) {
      const name = `${path}/${entry.name}`;
      if (entry.isDirectory) await walk(name);
      else if (entry.isFile && ending.test(name)) files.set(moduleName(name), name);
    }
  };
  await walk(folder);
  const list = await Deno.readTextFile(`${folder}/modules.builtin`).catch(() => undefined);
  const builtin = list === undefined
    ? undefined
    : new Set(list.split("\n").filter((line) => line !== "").map(moduleName));
  return { files, builtin };
}

/** Reads a module, decompressed. */
export async function readModule(path: string): Promise<Uint8Array> {
  if (path.endsWith(".xz")) {
    return await mustRun("xz", ["-dc", path], { what: `unpack ${path}`, from: "xz-utils" });
  }
  const bytes = await Deno.readFile(path);
  if (path.endsWith(".gz")) return gunzipSync(bytes);
  if (path.endsWith(".zst")) return zstdDecompressSync(bytes);
  return bytes;
}

const decoder = new TextDecoder("latin1");

/** Reads a value that the module's author or the build left in it, e.g. "depends". */
export function moduleInfo(bytes: Uint8Array, key: string): string | undefined {
  const text = decoder.decode(bytes);
  const start = text.indexOf(`\0${key}=`);
  if (start < 0) return undefined;
  const from = start + key.length + 2;
  return text.slice(from, text.indexOf("\0", from));
}

/** Lists the modules that a module needs loaded before it. */
export function moduleDepends(bytes: Uint8Array): string[] {
  const value = moduleInfo(bytes, "depends") ?? "";
  return value.split(",").filter((name) => name !== "").map(moduleName);
}

/**
 * Puts the wanted modules and all they need into an order in which each can be loaded.
 * @param wanted names, in the order of wish
 * @param dependsOf what a module needs; undefined when there is no such module (it is left out)
 */
export function loadOrder(
  wanted: readonly string[],
  dependsOf: (name: string) => readonly string[] | undefined,
): string[] {
  const done = new Set<string>();
  const under = new Set<string>();
  const visit = (name: string): void => {
    if (done.has(name)) return;
    const depends = dependsOf(name);
    if (depends === undefined) return;
    if (under.has(name)) throw new LabProblem(`the modules need each other in a circle at ${name}`);
    under.add(name);
    depends.forEach(visit);
    under.delete(name);
    done.add(name);
  };
  wanted.forEach(visit);
  return [...done];
}

/** Modules, and for each wanted one what is to be loaded in which order, itself last. */
export interface Collection {
  modules: LoadableModule[];
  orders: Map<string, string[]>;
}

/** Reads the wanted modules and all they need; what does not exist is left out. */
export async function collectModules(
  index: ModuleIndex,
  wanted: readonly string[],
): Promise<Collection> {
  const read = new Map<string, Uint8Array>();
  const pending = [...wanted];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const file = index.files.get(name);
    if (file === undefined || read.has(name)) continue;
    const bytes = await readModule(file);
    read.set(name, bytes);
    const depends = moduleDepends(bytes);
    // Only modules are listed there, never what is built in: a missing one is really missing.
    const missing = depends.filter((other) => !index.files.has(other));
    if (missing.length > 0) {
      throw new LabProblem(`the module ${name} needs ${missing.join(", ")}, which is not there`);
    }
    pending.push(...depends);
  }
  const dependsOf = (name: string): string[] | undefined => {
    const bytes = read.get(name);
    return bytes && moduleDepends(bytes);
  };
  return {
    modules: [...read].map(([name, bytes]) => ({ name, bytes })),
    orders: new Map(
      wanted.filter((name) => read.has(name)).map((name) => [name, loadOrder([name], dependsOf)]),
    ),
  };
}
