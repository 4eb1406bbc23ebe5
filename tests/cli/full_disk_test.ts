/** Recordings where the disk is full: what was complete stays, and the message says what to do. */
import { equal, match, ok } from "../std/assert.ts";
import { describe, it, skip } from "../std/testing.ts";
import { run, unwrapped } from "./capture.ts";

const PCI = "0000:00:10.0";

/** Calls mount or umount; says why it did not work. */
function call(program: string, ...args: string[]): string | undefined {
  try {
    const { success, stderr } = new Deno.Command(program, { args }).outputSync();
    return success ? undefined : new TextDecoder().decode(stderr).trim();
  } catch (error) {
    return String(error);
  }
}

/** A disk of a few pages. */
class TinyDisk implements Disposable {
  readonly path: string = Deno.makeTempDirSync();
  /** Why there is none. */
  readonly problem: string | undefined;

  constructor() {
    this.problem = call("mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", this.path);
  }

  [Symbol.dispose](): void {
    if (this.problem === undefined) call("umount", this.path);
    Deno.removeSync(this.path);
  }
}

/** Why no small disk can be made here. */
function obstacle(): string | undefined {
  using disk = new TinyDisk();
  return disk.problem === undefined
    ? undefined
    : `run it as root, to mount a tmpfs: ${disk.problem}`;
}

const LINES = ["watch", "dirty", "heat", "report", "converge"];

describe("a recording on a full disk", () => {
  const reason = obstacle();
  for (const name of LINES) {
    const test = `${name} keeps the rounds that are complete, and says so`;
    if (reason !== undefined) {
      skip(test, reason);
      continue;
    }
    it(test, async () => {
      using disk = new TinyDisk();
      const file = `${disk.path}/a.psr`;
      const line = [name, PCI, "--model", "--interval", "0", "--count", "1000", "--save", file];
      const { code, err } = await run(line);
      equal(code, 1);
      match(unwrapped(err), /Cannot write [^ ]+: No space left.* treat all as dirty/s);
      ok(!err.includes("SuppressedError") && !err.includes("    at "), err);
      const [, kept] = /The (\d+) complete rounds of this session are kept/.exec(unwrapped(err)) ??
        [];
      ok(Number(kept) > 1, err);
      const heat = await run(["heat", "--from", file]);
      equal(heat.code, 0, heat.err);
      match(heat.err, /the session has no end/);
      match(heat.out, new RegExp(`\\b${kept} rounds`));
    });
  }
});
