/**
 * Gets packages into Deno's cache where that is possible, in a bounded time: a firewall that drops
 * packets lets a download wait for minutes, and a silent server for ever. Nothing needs one of them.
 *
 * @module
 */

import { FAST_CHECK } from "../differential/fast_check.ts";
import { ROOT, runChild } from "./child.ts";

/** What is used of each package of @std: `cli/parse.ts` and `tests/std` import these. */
const STD: Readonly<Record<string, string>> = {
  "@std/assert": "",
  "@std/cli": "/parse-args",
  "@std/testing": "/bdd",
};

/** The entries with the versions that `deno.json` asks for. */
function specifiers(): string[] {
  const config = JSON.parse(Deno.readTextFileSync(`${ROOT}deno.json`)) as {
    imports: Record<string, string>;
  };
  return Object.entries(STD).map(([name, entry]) => `${config.imports[name]}${entry}`);
}

async function cache(names: readonly string[], seconds: number): Promise<boolean> {
  for (const flags of [["--cached-only"], []]) {
    const { code } = await runChild(
      [Deno.execPath(), "cache", "--quiet", ...flags, ...names],
      { seconds, output: "keep" },
    );
    if (code === 0) return true;
  }
  return false;
}

/**
 * Looks for @std in the cache and, if it is not there, tries to fetch it.
 *
 * @param seconds How long to try.
 * @returns Whether all of it is in the cache now.
 */
export async function cacheStd(seconds = 10): Promise<boolean> {
  return await cache(specifiers(), seconds);
}

/** The same for fast-check, which the differential test draws its requests with. */
export async function cacheFastCheck(seconds = 10): Promise<boolean> {
  return await cache([FAST_CHECK], seconds);
}
