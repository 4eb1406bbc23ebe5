import { linux } from "../../lib/sys/libc.ts";
import { median, missing, type Row } from "./row.ts";

const FIONREAD = 0x541b;
const CALLS = 200_000;
const ROUNDS = 15;
const NAME = "ioctl through the seam / C loop";
const LIMIT = 1.15;

/** Compiles the native side; undefined where there is no compiler. */
async function compile(folder: string): Promise<string | undefined> {
  const source = new URL("./ioctl.c", import.meta.url).pathname;
  const program = `${folder}/ioctl`;
  try {
    const { success } = await new Deno.Command("cc", {
      args: ["-O2", "-pthread", "-o", program, source],
    }).output();
    return success ? program : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Our side: nanoseconds of the same calls. */
function ours(fd: number, value: Uint8Array): number {
  const start = performance.now();
  let bad = 0;
  for (let i = 0; i < CALLS; i += 1) bad |= linux.ioctlBuffer(fd, FIONREAD, value);
  const took = performance.now() - start;
  if (bad !== 0) throw new Error("FIONREAD failed");
  return took * 1e6;
}

/** Compares one ioctl through the seam with the same ioctl from C, round by round in one run. */
export async function ioctlRow(): Promise<Row> {
  const folder = await Deno.makeTempDir();
  try {
    const program = await compile(folder);
    if (program === undefined) return missing(NAME, LIMIT, "no C compiler: install gcc");
    return await interleave(program);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function interleave(program: string): Promise<Row> {
  using _library = linux.retain();
  const fd = linux.memfd("bench", 1);
  const value = new Uint8Array(8);
  await using native = new Deno.Command(program, { stdin: "piped", stdout: "piped" }).spawn();
  const reader = native.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const writer = native.stdin.getWriter();
  const theirs = async (): Promise<number> => {
    await writer.write(new TextEncoder().encode(`${CALLS}\n`));
    return Number((await reader.read()).value);
  };
  ours(fd, value); // compiled by now
  await theirs();
  const times: [number, number][] = [];
  for (let i = 0; i < ROUNDS; i += 1) times.push([ours(fd, value), await theirs()]);
  await writer.close();
  linux.close(fd);
  const ns = (side: 0 | 1): string =>
    `${(median(times.map((t) => t[side])) / CALLS).toFixed(0)} ns`;
  return {
    name: NAME,
    ours: ns(0),
    against: ns(1),
    figure: median(times.map(([a, b]) => a / b)),
    better: "less",
    must: LIMIT,
  };
}
