import { Interrupted } from "../../cli/interrupt.ts";
import { main } from "../../cli/main.ts";
import type { Sink, Source } from "../../cli/main.ts";
import { DEFAULT_MDEV } from "../../lib/model/mod.ts";
import { equal, match, ok } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { Kept, records, run, unwrapped } from "./capture.ts";

const PCI = "0000:00:10.0";
const fast = ["--interval", "0", "--map", "1M:1M", "--source", "type1", "--model"];

// The device of the model works whenever a round waits: before the drain, and before the two reads that
// tell what is pinned.
describe("pinscope watch without a terminal", () => {
  it("writes a line for each round", async () => {
    const { code, out, err } = await run(["watch", DEFAULT_MDEV, ...fast, "--count", "3"]);
    equal([code, err], [0, ""]);
    const lines = out.trimEnd().split("\n");
    equal(lines.length, 3);
    match(
      lines[0]!,
      /^round 1: 8 pages dirty, 4 pinned, \+8 -0, .*\/s, VmLck 16 KiB \(no limit\), /,
    );
    match(lines[2]!, /^round 3: 8 pages dirty, 4 pinned, \+4 -4, .* ms, pinned-scope$/);
    ok(!out.includes("\x1b"));
  });

  it("tells what is pinned beside the log of a device, which knows what was written", async () => {
    const args = ["--interval", "0", "--map", "1M:1M", "--model", "--count", "2"];
    const { out, err } = await run(["watch", DEFAULT_MDEV, ...args]);
    match(err, /^pinscope: source log: /);
    match(out, /^round 2: 6 pages dirty, 4 pinned, \+6 -6, .*, written$/m);
  });

  it("says once why pinned pages cannot be told apart", async () => {
    const { out, err } = await run(["watch", PCI, ...fast, "--count", "2"]);
    match(out, /^round 2: 256 pages dirty, \+0 -0, .*all-mapped$/m);
    equal(unwrapped(err).match(/cannot be told apart: group 3 keeps it/g)?.length, 1);
  });

  it("gives an object for each round as JSON", async () => {
    const { out } = await run(["watch", DEFAULT_MDEV, ...fast, "--count", "2", "--json"]);
    const [mapping, source, first, second] = records(out);
    equal([mapping, source, first, second].map((one) => one?.type), [
      "mapping",
      "source",
      "sample",
      "sample",
    ]);
    equal(second?.round, 2);
    equal(first?.mappings, [{ iova: "0x100000", size: "0x100000", pages: 8, pinned: 4 }]);
    equal([second?.pages, second?.pinned, second?.fresh, second?.gone], [8, 4, 4, 4]);
  });
});

/** A terminal that keeps each write by itself, and says when there was one. */
class Terminal extends Kept {
  readonly writes: string[] = [];
  onWrite: ((text: string) => void) | undefined;

  constructor() {
    super(true);
  }

  override writeSync(bytes: Uint8Array): number {
    const text = new TextDecoder().decode(bytes);
    if (text !== "") {
      this.writes.push(text);
      this.onWrite?.(text);
    }
    return super.writeSync(bytes);
  }
}

/** A keyboard: each key is pressed when a frame matches what it waits for. */
class Keyboard implements Source {
  readonly modes: boolean[] = [];
  readonly #script: (readonly [RegExp, string])[];
  #waiting: ((key: string | null) => void) | undefined;
  #keys = "";

  constructor(script: readonly (readonly [RegExp, string])[]) {
    this.#script = [...script];
  }

  see(text: string): void {
    const [next] = this.#script;
    if (next === undefined || !next[0].test(text)) return;
    this.#script.shift();
    this.#keys += next[1];
    this.#give();
  }

  #give(): void {
    if (this.#waiting === undefined || this.#keys === "") return;
    const [give, keys] = [this.#waiting, this.#keys];
    [this.#waiting, this.#keys] = [undefined, ""];
    give(keys);
  }

  get left(): number {
    return this.#script.length;
  }

  isTerminal(): boolean {
    return true;
  }

  setRaw(mode: boolean): void {
    this.modes.push(mode);
  }

  readSync(): null {
    return null;
  }

  async read(into: Uint8Array): Promise<number | null> {
    const { promise, resolve } = Promise.withResolvers<string | null>();
    this.#waiting = resolve;
    this.#give();
    const keys = await promise;
    return keys === null ? null : new TextEncoder().encodeInto(keys, into).written;
  }

  close(): void {
    this.#waiting?.(null);
  }
}

async function onTerminal(
  args: readonly string[],
  script: readonly (readonly [RegExp, string])[],
  signal: AbortSignal = new AbortController().signal,
): Promise<{ code: number; writes: string[]; keyboard: Keyboard }> {
  const [stdout, stdin] = [new Terminal(), new Keyboard(script)];
  stdout.onWrite = (text) => stdin.see(text);
  const stderr: Sink = new Kept();
  const consoleSize = (): { columns: number; rows: number } => ({ columns: 100, rows: 30 });
  const code = await main(args, { stdout, stderr, stdin, signal, consoleSize, noColor: true });
  return { code, writes: stdout.writes, keyboard: stdin };
}

const ENTER = "\x1b[?1049h\x1b[?25l";
const LEAVE = "\x1b[?25h\x1b[?1049l";

describe("pinscope watch on a terminal", () => {
  const slow = [
    "watch",
    DEFAULT_MDEV,
    "--map",
    "1M:1M",
    "--source",
    "type1",
    "--model",
    "--interval",
    "3600",
  ];

  it("makes a round for each step, zooms, and ends with q", async () => {
    const { code, writes, keyboard } = await onTerminal(slow, [
      [/no round yet/, "s"],
      [/PAUSED {2}round 1\b/, "ss"],
      [/PAUSED {2}round 3\b/, "+"],
      [/zoom 2: 0x140000 to 0x1bffff, 512 KiB/, "0q"],
    ]);
    equal([code, keyboard.left, keyboard.modes], [0, 0, [true, false]]);
    equal(writes[0], ENTER);
    const [leave, line] = writes.slice(-2);
    equal(leave, LEAVE);
    match(line!, /^round 3: 8 pages dirty, 4 pinned, /);
  });

  it("writes each frame at once, and never clears what it writes again", async () => {
    const { writes } = await onTerminal(slow, [[/no round yet/, "s"], [/round 1\b/, "q"]]);
    const frames = writes.slice(1, -2);
    ok(frames.length >= 2);
    for (const text of frames) {
      ok(text.startsWith("\x1b[?2026h\x1b[H") && text.endsWith("\x1b[J\x1b[?2026l"));
      equal(text.split("\r\n").length, 30);
      ok(!text.includes("\x1b[2J") && !text.includes("\x1bc"));
    }
  });

  it("goes on by itself, and ends after its rounds", async () => {
    const args = ["watch", DEFAULT_MDEV, ...fast, "--count", "4"];
    const { code, writes } = await onTerminal(args, []);
    equal(code, 0);
    ok(writes.some((text) => /^\S*pinscope watch.* round 4\b/.test(text.split("\x1b[H")[1] ?? "")));
    match(writes.at(-1)!, /^round 4: /);
  });

  it("does nothing while it is paused", async () => {
    const { writes, keyboard } = await onTerminal(["watch", DEFAULT_MDEV, ...fast], [
      [/round 2\b/, " "],
      [/PAUSED/, "+"],
      [/PAUSED[^]*zoom 2/, "-"],
      [/PAUSED(?![^]*zoom 2)/, "q"],
    ]);
    equal(keyboard.left, 0);
    const paused = writes.filter((text) => text.includes("PAUSED"))
      .map((text) => /round (\d+)/.exec(text)?.[1]);
    equal(new Set(paused).size, 1);
  });

  it("gives the terminal back after Ctrl-C, with 130", async () => {
    const controller = new AbortController();
    const [stdout, stdin] = [new Terminal(), new Keyboard([])];
    stdout.onWrite = (text) => {
      if (/round 2\b/.test(text)) controller.abort(new Interrupted());
    };
    const { signal } = controller;
    const args = ["watch", DEFAULT_MDEV, ...fast];
    const code = await main(args, { stdout, stderr: new Kept(), stdin, signal });
    equal([code, stdout.writes.at(-1), stdin.modes], [130, LEAVE, [true, false]]);
  });

  it("plays a recording, says so, and stays at its end until q", async () => {
    const path = await Deno.makeTempFile({ suffix: ".psr" });
    try {
      await run(["dirty", DEFAULT_MDEV, ...fast, "--count", "3", "--save", path]);
      const { code, writes, keyboard } = await onTerminal(
        ["watch", "--from", path, "--interval", "0"],
        [[/END {2}round 3 of 3\b/, "+"], [/END[^]*zoom 2/, "s"], [/END[^]*zoom 2/, "q"]],
      );
      equal([code, keyboard.left], [0, 0]);
      const name = path.split("/").at(-1);
      const frames = writes.filter((text) => text.includes("round 3 of 3"));
      ok(frames.length >= 3);
      ok(frames.every((text) => text.includes(`pinscope watch from ${name}: ${DEFAULT_MDEV}`)));
      match(writes.at(-1)!, /^round 3: 6 pages dirty, /);
    } finally {
      await Deno.remove(path);
    }
  });

  it("says of how many rounds it is, and does not stay behind the last of a device", async () => {
    const { writes } = await onTerminal(["watch", DEFAULT_MDEV, ...fast, "--count", "2"], []);
    ok(writes.some((text) => text.includes("round 2 of 2") && !text.includes("END")));
  });

  it("refuses --verbose, which would write over it", async () => {
    const io = { stdout: new Kept(true), stderr: new Kept(true), stdin: new Keyboard([]) };
    const signal = new AbortController().signal;
    equal(await main(["watch", DEFAULT_MDEV, ...fast, "-v"], { ...io, signal }), 2);
    match(io.stderr.text, /--verbose would write over the screen: send it to a file with 2> FILE/);
  });

  it("leaves the terminal alone where it cannot begin", async () => {
    const { code, writes } = await onTerminal(["watch", "0000:00:03.0", "--model"], []);
    equal([code, writes], [1, []]);
  });
});
