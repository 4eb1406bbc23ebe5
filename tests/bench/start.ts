import { median, type Row } from "./row.ts";

const ROUNDS = 21;

async function time(args: readonly string[]): Promise<number> {
  const start = performance.now();
  const { success, stderr } = await new Deno.Command(Deno.execPath(), { args: [...args] }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return performance.now() - start;
}

/** Compares `pinscope --version` with a Deno that does nothing. */
export async function startRow(): Promise<Row> {
  const main = new URL("../../cli/main.ts", import.meta.url).pathname;
  const pinscope = ["run", "--cached-only", "--allow-ffi", main, "--version"];
  const nothing = ["eval", "0"];
  await time(pinscope); // the cache of compiled modules is warm from the first start on
  await time(nothing);
  const times: [number, number][] = [];
  for (let i = 0; i < ROUNDS; i += 1) times.push([await time(pinscope), await time(nothing)]);
  const ms = (side: 0 | 1): string => `${median(times.map((t) => t[side])).toFixed(0)} ms`;
  return {
    name: "pinscope --version / deno eval 0",
    ours: ms(0),
    against: ms(1),
    figure: median(times.map(([a, b]) => a / b)),
    better: "less",
    must: 1.5,
  };
}
