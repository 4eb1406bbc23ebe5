/** Gets the packages of `packages.ts` into Deno's cache; exits with 1 if that is not possible. */

import { AJV, DUCKDB } from "./packages.ts";
import { runChild } from "../gate/child.ts";

const { code } = await runChild(
  [Deno.execPath(), "cache", "--quiet", `${AJV}/dist/2020.js`, DUCKDB],
  { seconds: 300, output: "show" },
);
Deno.exitCode = code === 0 ? 0 : 1;
