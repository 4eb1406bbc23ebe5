import type { Row } from "./row.ts";

interface Measured {
  readonly resident: number;
  readonly heap: number;
  readonly external: number;
}

/** Memory of a drain, measured in a process of its own. */
export async function drainRows(): Promise<Row[]> {
  const child = new URL("./drain_child.ts", import.meta.url).pathname;
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--cached-only", "--no-prompt", "--no-check", child],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  const measured: Measured = JSON.parse(new TextDecoder().decode(stdout));
  const mib = measured.resident / (1 << 20);
  return [
    {
      name: "10 drains of 64 GiB on the model: resident MiB over the start",
      ours: `${mib.toFixed(1)} MiB`,
      against: "",
      figure: mib,
      better: "less",
      must: 32,
    },
    {
      name: "JavaScript heap of a window and its plan, bytes",
      ours: `${measured.heap.toFixed(0)} B`,
      against: "",
      figure: measured.heap,
      better: "less",
      must: 1024,
    },
    {
      name: "buffers allocated per window, bytes",
      ours: `${measured.external.toFixed(0)} B`,
      against: "",
      figure: measured.external,
      better: "less",
      must: 0,
    },
  ];
}
