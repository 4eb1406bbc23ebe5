/**
 * Entry of the command line `pinscope`.
 *
 * Everything but the version is loaded when it is asked for.
 *
 * @module
 */

import type { Source } from "./input.ts";
import type { Io, Sink } from "./output.ts";
import { VERSION } from "./version.ts";

export { VERSION };
export type { Io, Sink, Source };

/**
 * Runs the command line.
 *
 * @param args What stands behind `pinscope`.
 * @param io Where to write; the terminal by default.
 * @returns The exit status: 0 done, 1 refused or failed, 2 wrong use, 130 Ctrl-C, 143 SIGTERM.
 */
export async function main(args: readonly string[], io: Io = Deno): Promise<number> {
  if (args.length === 1 && (args[0] === "--version" || args[0] === "-V")) {
    return showVersion(io.stdout);
  }
  const { run } = await import("./run.ts");
  return await run(args, io);
}

function showVersion(stdout: Sink): number {
  try {
    stdout.writeSync(new TextEncoder().encode(`pinscope ${VERSION}\n`));
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
  return 0;
}

// Never Deno.exit: it would skip what `using` releases.
if (import.meta.main) Deno.exitCode = await main(Deno.args);
