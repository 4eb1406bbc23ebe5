/**
 * The Deno that formats, lints, checks, reads the documentation and publishes: its version stands in
 * `.deno-version` and nowhere else, so that a new release cannot change what the gate says. The tests
 * run on whatever Deno runs.
 *
 * @module
 */

import { ROOT, runChild } from "./child.ts";

/** Where the pinned Deno is. */
export interface Pinned {
  /** The executable; undefined where it cannot be had. */
  readonly path: string | undefined;
  /** What is said about it; undefined where the running Deno is the one. */
  readonly note: string | undefined;
}

/** Finds the pinned Deno; asks npx for it where another version runs. */
export async function findPinned(running: string = Deno.version.deno): Promise<Pinned> {
  const version = Deno.readTextFileSync(`${ROOT}.deno-version`).trim();
  if (running === version) return { path: Deno.execPath(), note: undefined };
  const { code, text } = await runChild(
    ["npx", "-y", `deno@${version}`, "eval", "console.log(Deno.execPath())"],
    { seconds: 180, output: "keep" },
  ).catch((error: unknown) => ({ code: 127, text: String(error) }));
  const path = text.split("\n").find((line) => line.startsWith("/"));
  const other = `This is Deno ${running}; all stages but the tests are pinned to ${version}`;
  if (code === 0 && path !== undefined) return { path, note: `${other}, through npx` };
  return { path: undefined, note: `${other}, which npx cannot get:\n${text.trim()}` };
}
