/** The command line as a process: permissions, signals, pipes, start time. */
import { DEFAULT_MDEV } from "../../lib/model/mod.ts";
import { equal, match, ok } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { command, records, run, spawn } from "./capture.ts";

const PCI = "0000:00:10.0";
const FFI = ["--allow-ffi"];
const FOREVER = ["dirty", PCI, "--model", "--interval", "0.02"];

/** Reads a stream until a text has come. */
async function until(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  text: string,
): Promise<string> {
  const decoder = new TextDecoder();
  for (let seen = "";;) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`the output ended before ${JSON.stringify(text)}: ${seen}`);
    seen += decoder.decode(value, { stream: true });
    if (seen.includes(text)) return seen;
  }
}

describe("without any permission", () => {
  const lines = [
    "demo",
    "demo --json",
    "info --model",
    `info ${PCI} --model --json`,
    `info ${DEFAULT_MDEV} --model`,
    `dirty ${DEFAULT_MDEV} --model --interval 0 --count 2`,
    "pins --model",
    "bind 0000:00:11.0 --model",
    `unbind ${PCI} --model`,
    "bind 0000:00:04.0 --model",
    "--version",
    "dirty --help",
    "infoo",
  ];
  for (const line of lines) {
    it(`does as in this process: ${line}`, async () => {
      const args = line.split(" ");
      equal(await spawn(args), await run(args));
    });
  }

  it("says what the real kernel needs", async () => {
    const { code, out, err } = await spawn(["info"]);
    equal([code, out], [1, ""]);
    match(err, /--allow-ffi/);
    match(err, /needs no\s+permission with --model/);
    ok(!err.includes("    at "), "no stack trace");
  });
});

describe("with --allow-ffi alone", () => {
  it("looks at this host", async () => {
    const { code, out, err } = await spawn(["info", "--json"], FFI);
    equal([code, err], [0, ""]);
    equal(records(out)[0]?.["kernel"], Deno.osRelease());
  });

  it("reads the processes of this host", async () => {
    const { code, out, err } = await spawn(["pins", "--pid", `${Deno.pid}`, "--json"], FFI);
    equal([code, err], [0, ""]);
    equal(records(out)[0]?.["pid"], Deno.pid);
  });

  it("refuses a device that is not there, without a stack trace", async () => {
    for (const verb of ["info", "bind", "unbind", "dirty"]) {
      const { code, out, err } = await spawn([verb, "ffff:ff:1f.7"], FFI);
      equal([code, out], [1, ""]);
      match(err, /^pinscope: Cannot /);
      ok(!err.includes("    at "), err);
    }
  });
});

describe("signals", () => {
  const watch = ["pins", "--model", "--watch", "--interval", "0.02"];
  const cases = [
    ["SIGINT", 130, FOREVER, "round 2"],
    ["SIGTERM", 143, FOREVER, "round 2"],
    ["SIGINT", 130, watch, "\n\n PID"],
  ] as const;
  for (const [signal, status, args, seen] of cases) {
    it(`end ${args[0]} with ${status} after ${signal}, without a trace`, async () => {
      await using child = command(args).spawn();
      const reader = child.stdout.getReader();
      await until(reader, seen);
      child.kill(signal);
      while (!(await reader.read()).done);
      const err = await new Response(child.stderr).text();
      equal([(await child.status).code, /Error| {4}at /.test(err)], [status, false]);
    });
  }
});

describe("a reader that goes away", () => {
  for (const args of [FOREVER, ["demo"], ["--help"], ["--version"], [...FOREVER, "--json"]]) {
    it(`ends ${args[0]} quietly`, async () => {
      await using child = command(args).spawn();
      await child.stdout.cancel();
      const err = await new Response(child.stderr).text();
      equal([(await child.status).code, /BrokenPipe| {4}at /.test(err)], [0, false]);
    });
  }
});

describe("a disk that is full", () => {
  it("is told, with 1", async () => {
    const entry = new URL("../../cli/main.ts", import.meta.url).pathname;
    const line = `"${Deno.execPath()}" run --quiet --cached-only --no-prompt "${entry}" demo`;
    const { code, stderr } = await new Deno.Command("sh", {
      args: ["-c", `${line} > /dev/full`],
      stdout: "null",
      stderr: "piped",
    }).output();
    equal(code, 1);
    match(new TextDecoder().decode(stderr), /^pinscope: Cannot write to stdout: .*No space left/);
  });
});

describe("the start", () => {
  it("loads nothing but the version: the rest comes when it is asked for", async () => {
    // What that is worth in time: deno task bench.
    const source = await Deno.readTextFile(new URL("../../cli/main.ts", import.meta.url));
    const loaded = [...source.matchAll(/^(?:import|export) (?!type\b)[^;]* from "([^"]+)";$/gm)];
    equal(loaded.map(([, specifier]) => specifier), ["./version.ts"]);
  });
});
