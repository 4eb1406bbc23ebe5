/**
 * Gets the packages of @std into Deno's cache where that is possible, in a bounded time: a firewall
 * that drops packets lets a download wait for minutes, and a silent server for ever.
 *
 * @module
 */

import { ROOT, runChild } from "./child.ts";

/** What is used of each package: `cli/parse.ts` and `tests/std` import these. */
const ENTRIES: Readonly<Record<string, string>> = {
  "@std/assert": "",
  "@std/cli": "/parse-args",
  "@std/testing": "/bdd",
};

/** The entries with the versions that `deno.json` asks for. */
function specifiers(): string[] {
  const config = JSON.parse(Deno.readTextFileSync(`${ROOT}deno.json`)) as {
    imports: Record<string, string>;
  };
  return Object.entries(ENTRIES).map(([name, entry]) => `${config.imports[name]}${entry}`);
}

async function cache(seconds: number, ...flags: string[]): Promise<boolean> {
  const { code } = await runChild(
    [Deno.execPath(), "cache", "--quiet", ...flags, ...specifiers()],
    { seconds, output: "keep" },
  );
  return code === 0;
}

/**
 * Looks for @std in the cache and, if it is not there, tries to fetch it.
 *
 * @param seconds How long to try.
 * @returns Whether all of it is in the cache now.
 */
export async function cacheStd(seconds = 10): Promise<boolean> {
  return await cache(seconds, "--cached-only") || await cache(seconds);
}
