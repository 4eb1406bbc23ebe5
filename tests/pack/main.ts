/**
 * Writes the whole command line as one file, for a host without a network.
 *
 *     deno task pack [FILE]
 *
 * Deno's bundler comes from the npm registry the first time, and from Deno's cache afterwards.
 *
 * @module
 */

import { ROOT } from "../gate/child.ts";
import { NoBundlerError, pack } from "./pack.ts";

async function main(args: readonly string[]): Promise<number> {
  const [given, ...rest] = args;
  if (rest.length > 0 || given?.startsWith("-")) {
    console.error(`Usage: deno task pack [FILE]; got ${args.join(" ")}`);
    return 2;
  }
  // A task runs in the folder of deno.json: INIT_CWD is where it was called.
  const target = given === undefined
    ? `${ROOT}dist/pinscope.js`
    : new URL(given, `file://${Deno.env.get("INIT_CWD") ?? Deno.cwd()}/`).pathname;
  if (given === undefined) Deno.mkdirSync(`${ROOT}dist`, { recursive: true });
  try {
    await pack(target);
  } catch (error) {
    if (!(error instanceof NoBundlerError)) throw error;
    console.error(error.message);
    return 1;
  }
  const size = (Deno.statSync(target).size / 1e6).toFixed(1);
  console.log(`${target}: ${size} MB, made with Deno ${Deno.version.deno}`);
  console.log("Carry it and a Deno to the host, and run there:");
  console.log("  ./deno run --cached-only --allow-ffi pinscope.js --help");
  return 0;
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
