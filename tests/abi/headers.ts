/** Finds folders of kernel headers, and reads the names that they declare. */
import { compareVersions } from "../lab/kernels.ts";

/** A folder that holds linux/vfio.h. */
export interface Headers {
  readonly folder: string;
  /** Which headers they are, for people. */
  readonly about: string;
}

/** Where fetched headers are kept: everything in it can be fetched again. */
export function cacheFolder(env: (name: string) => string | undefined): string | undefined {
  const home = env("HOME");
  const base = env("XDG_CACHE_HOME") || (home ? `${home}/.cache` : undefined);
  return base === undefined ? undefined : `${base}/pinscope/headers`;
}

/** The names that entries of the cache begin with. */
export const PACKAGE = "linux-libc-dev";

/**
 * The headers to compare with: those of `$PINSCOPE_UAPI_HEADERS` alone, if it is set; otherwise the
 * fetched ones, newest first, and the system's.
 */
export async function findHeaders(env: (name: string) => string | undefined): Promise<Headers[]> {
  const own = env("PINSCOPE_UAPI_HEADERS");
  if (own) {
    if (await has(own)) return [await describe(own, "PINSCOPE_UAPI_HEADERS")];
    throw new Error(`PINSCOPE_UAPI_HEADERS is ${own}, where there is no linux/vfio.h`);
  }
  const found: Headers[] = [];
  const cache = cacheFolder(env);
  for (const entry of cache === undefined ? [] : await entries(cache)) {
    const folder = await headersIn(`${cache}/${entry}`);
    if (folder !== undefined) found.push(await describe(folder, "fetched"));
  }
  if (await has("/usr/include")) found.push(await describe("/usr/include", "the system's"));
  return found;
}

/** The folder of headers in an unpacked package; newer packages keep them in a place of their own. */
export async function headersIn(root: string): Promise<string | undefined> {
  const places = [`${root}/usr/include`, `${root}/usr/lib/linux/uapi/x86`];
  for (const place of places) if (await has(place)) return place;
  return undefined;
}

async function entries(folder: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(folder)) {
      if (name.startsWith(`${PACKAGE}-`)) names.push(name);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return names.sort(compareVersions).reverse();
}

const has = (folder: string): Promise<boolean> =>
  Deno.stat(`${folder}/linux/vfio.h`).then(({ isFile }) => isFile, () => false);

async function describe(folder: string, origin: string): Promise<Headers> {
  return { folder, about: `Linux ${await version(folder)} headers (${origin})` };
}

/** The kernel version as the headers state it; a kernel's own source tree does not. */
export async function version(folder: string): Promise<string> {
  const text = await Deno.readTextFile(`${folder}/linux/version.h`).catch(() => "");
  const number = (name: string): string | undefined =>
    new RegExp(`^#define LINUX_VERSION_${name} (\\d+)`, "m").exec(text)?.[1];
  const parts = [number("MAJOR"), number("PATCHLEVEL"), number("SUBLEVEL")];
  return parts.includes(undefined) ? "(of unknown version)" : parts.join(".");
}

/** What headers declare apart from macros. */
export interface Declarations {
  readonly structs: string[];
  /** As `tag.member`; those of a union within a struct are the struct's own. */
  readonly members: string[];
  readonly enumerators: string[];
}

/** Names of structs, their members and enumerators in the headers. */
export async function declarations(folder: string): Promise<Declarations> {
  const found: Declarations = { structs: [], members: [], enumerators: [] };
  for (const file of ["vfio.h", "iommufd.h"]) {
    const text = (await Deno.readTextFile(`${folder}/linux/${file}`).catch(() => ""))
      .replaceAll(/\/\*[\s\S]*?\*\//g, "")
      .replaceAll(/^[ \t]*#(?:.*\\\n)*.*$/gm, "");
    // It ends on its own line, or with the next brace that begins a line.
    for (const match of text.matchAll(/^struct (\w+) \{(?:(.*)\};$|([\s\S]*?)^\})/gm)) {
      const [, tag, line, lines] = match;
      const body = line ?? lines;
      if (tag === undefined || body === undefined) continue;
      found.structs.push(tag);
      found.members.push(...memberNames(body).map((name) => `${tag}.${name}`));
    }
    for (const [, body] of text.matchAll(/\benum\b\s*\w*\s*\{([^}]*)\}/g)) {
      for (const item of (body ?? "").split(",")) {
        const name = /^\s*(\w+)/.exec(item)?.[1];
        if (name !== undefined) found.enumerators.push(name);
      }
    }
  }
  return found;
}

/** `__u32 a, b[2]; union { __u8 c; };` declares a, b and c. */
function memberNames(body: string): string[] {
  const flat = body.replaceAll(/\b(?:union|struct)\s*\{|\}/g, ";");
  return flat.split(";").flatMap((declaration) => {
    if (!/\w+\s+\**\w/.test(declaration)) return [];
    return declaration.split(",").flatMap((part) =>
      /(\w+)\s*(?:\[[^\]]*\]\s*)?$/.exec(part.trim())?.[1] ?? []
    );
  });
}
