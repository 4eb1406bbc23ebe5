import { linux } from "../../lib/sys/libc.ts";
import { costRow, interleave, pool, timed } from "./measure.ts";
import { onOneCpu } from "./one_cpu.ts";
import { missing, type Row } from "./row.ts";

const FIONREAD = 0x541b;
/** Calls of a turn: a millisecond, in which a scheduler seldom lets somebody else in between. */
const CALLS = 4000;
const ROUNDS = 401;
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

/** Our side: the same calls. */
function ours(fd: number, value: Uint8Array): void {
  let bad = 0;
  for (let i = 0; i < CALLS; i += 1) bad |= linux.ioctlBuffer(fd, FIONREAD, value);
  if (bad !== 0) throw new Error("FIONREAD failed");
}

/** Compares one ioctl through the seam with the same ioctl from C, round by round in one run. */
export async function ioctlRow(): Promise<Row> {
  const folder = await Deno.makeTempDir();
  try {
    const program = await compile(folder);
    if (program === undefined) return missing(NAME, LIMIT, "no C compiler: install gcc");
    return await inTurns(program);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function inTurns(program: string): Promise<Row> {
  using _library = linux.retain();
  const fd = linux.memfd("bench", 1);
  const value = new Uint8Array(8);
  using _cpu = onOneCpu();
  await using native = new Deno.Command(program, { stdin: "piped", stdout: "piped" }).spawn();
  const reader = native.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const writer = native.stdin.getWriter();
  const theirs = async (): Promise<number> => {
    await writer.write(new TextEncoder().encode(`${CALLS}\n`));
    return Number((await reader.read()).value) / 1e6;
  };
  const sides = [() => timed(() => ours(fd, value)), theirs];
  const [through, loop] = await interleave(sides, ROUNDS);
  await writer.close();
  linux.close(fd);
  const wanted = { name: NAME, must: LIMIT, amount: CALLS, unit: "ns" } as const;
  const [row] = pool([[costRow(wanted, through!, loop!)]]);
  return row!;
}
