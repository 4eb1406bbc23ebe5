import type { Row } from "./row.ts";

const CHILD = new URL("./drain_child.ts", import.meta.url).pathname;

/** No collection may come between: what a window leaves behind is what it takes. */
const FLAGS = ["--expose-gc", "--min-semi-space-size=256", "--max-semi-space-size=256"];

/** Runs one measurement in a process of its own. */
async function measure<T>(what: string, flags: readonly string[] = []): Promise<T> {
  const v8 = flags.length === 0 ? [] : [`--v8-flags=${flags.join(",")}`];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--cached-only", "--no-prompt", "--no-check", ...v8, CHILD, what],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

const resident = async (name: string, what: string, must: number): Promise<Row> => {
  const mib = (await measure<{ resident: number }>(what)).resident / (1 << 20);
  const ours = `${mib.toFixed(1)} MiB`;
  return { name, ours, against: "", figure: mib, better: "less", must };
};

const bytes = (name: string, figure: number, must: number): Row => ({
  name,
  ours: `${figure.toFixed(0)} B`,
  against: "",
  figure,
  better: "less",
  must,
});

/** Memory of drains on the model. */
export async function drainRows(): Promise<Row[]> {
  const window = await measure<{ heap: number; external: number }>("window", FLAGS);
  return [
    await resident("10 drains of 64 GiB, all dirty: resident MiB over the start", "large", 32),
    await resident("10 drains of 16 TiB, sparse: most resident MiB over the start", "sparse", 64),
    bytes("JavaScript heap of a window and its plan, bytes", window.heap, 1024),
    bytes("buffers allocated per window, bytes", window.external, 0),
  ];
}
