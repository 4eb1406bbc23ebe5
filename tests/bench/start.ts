import { NoBundlerError, pack } from "../pack/pack.ts";
import { median, missing, type Row } from "./row.ts";

const ROUNDS = 21;
const NOTHING = ["eval", "0"];

async function time(args: readonly string[]): Promise<number> {
  const start = performance.now();
  const { success, stderr } = await new Deno.Command(Deno.execPath(), { args: [...args] }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return performance.now() - start;
}

/** Compares the start of something with that of a Deno that does nothing, in turns. */
async function startOf(
  name: string,
  entry: string,
  wanted: { readonly must?: number; readonly aim?: number },
): Promise<Row> {
  const version = ["run", "--cached-only", "--allow-ffi", entry, "--version"];
  await time(version); // the cache of compiled modules is warm from the first start on
  await time(NOTHING);
  const times: [number, number][] = [];
  for (let i = 0; i < ROUNDS; i += 1) times.push([await time(version), await time(NOTHING)]);
  const ms = (side: 0 | 1): string => `${median(times.map((t) => t[side])).toFixed(0)} ms`;
  return {
    name: `${name} --version / deno eval 0`,
    ours: ms(0),
    against: ms(1),
    figure: median(times.map(([a, b]) => a / b)),
    better: "less",
    ...wanted,
  };
}

async function packedRow(): Promise<Row> {
  const name = "packed pinscope";
  const folder = Deno.makeTempDirSync();
  try {
    await pack(`${folder}/pinscope.js`);
    return await startOf(name, `${folder}/pinscope.js`, { must: 1.5 });
  } catch (error) {
    if (!(error instanceof NoBundlerError)) throw error;
    return { ...missing(name, 1.5, "Deno could not fetch its bundler"), isOptional: true };
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/**
 * Compares `pinscope --version`, from a checkout and packed, with a Deno that does nothing.
 *
 * From a checkout Deno looks at each module that any command may load before it runs the first line:
 * some hundreds, at 40 microseconds each, which nothing here can help. So the promise is for the file
 * that is carried to hosts, and the checkout is shown beside it.
 */
export async function startRows(): Promise<Row[]> {
  const main = new URL("../../cli/main.ts", import.meta.url).pathname;
  return [await startOf("pinscope", main, {}), await packedRow()];
}
