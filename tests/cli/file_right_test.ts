/** Files of a command line without the right to them, and recordings that come on stdin instead. */
import { main } from "../../cli/main.ts";
import type { Source } from "../../cli/input.ts";
import { originOf } from "../../cli/origin.ts";
import { equal, match, ok } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { command, Kept, type Ran, run, spawn } from "./capture.ts";

const live = ["group:5", "--map", "4G:1M", "--interval", "0", "--count", "3", "--model", "-q"];

/** Gives a folder with a recording, and removes it. */
async function withRecording(body: (path: string, folder: string) => Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync();
  try {
    const path = `${folder}/a.psr`;
    equal((await run(["dirty", ...live, "--save", path])).code, 0);
    await body(path, folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** A pipe that gives bytes once, a few at a time, as pipes do. */
function pipe(bytes: Uint8Array, isTerminal = false): Source {
  let rest = bytes;
  return {
    isTerminal: () => isTerminal,
    readSync: (into) => {
      if (rest.length === 0) return null;
      const some = rest.subarray(0, Math.min(100, into.length));
      into.set(some);
      rest = rest.subarray(some.length);
      return some.length;
    },
  };
}

async function reading(stdin: Source, args: readonly string[]): Promise<Ran> {
  const [stdout, stderr] = [new Kept(), new Kept()];
  const code = await main(args, { stdout, stderr, stdin, signal: new AbortController().signal });
  return { code, out: stdout.text, err: stderr.text };
}

describe("a recording on stdin", () => {
  for (const name of ["dirty", "watch", "heat", "report", "converge"]) {
    for (const from of [["--from", "-"], ["--from=-"]]) {
      it(`is read as a file is: ${name} ${from.join(" ")}`, async () => {
        await withRecording(async (path) => {
          const file = await run([name, "--from", path]);
          equal(file.code, 0, file.err);
          equal(await reading(pipe(Deno.readFileSync(path)), [name, ...from]), file);
        });
      });
    }
  }

  it("is one of the two that diff takes, and not both", async () => {
    await withRecording(async (path) => {
      const bytes = Deno.readFileSync(path);
      const right = await reading(pipe(bytes), ["diff", path, "-"]);
      equal([right.code, right.err], [0, ""]);
      equal(await reading(pipe(bytes), ["diff", "-", path]), right);
      const both = await reading(pipe(bytes), ["diff", "-", "-"]);
      equal([both.code, both.out], [2, ""]);
      match(both.err, /one recording from stdin, and the other from a file/);
    });
  });

  it("is called stdin in messages, and not expected from somebody who types", async () => {
    const none = await reading(pipe(new Uint8Array(3)), ["heat", "--from", "-"]);
    equal(none.code, 1);
    match(none.err, /^pinscope: stdin: 3 bytes from byte 0 on not read/);
    const typed = await reading(pipe(new Uint8Array(), true), ["heat", "--from", "-"]);
    equal([typed.code, typed.out], [2, ""]);
    match(typed.err, /--from - reads a recording from stdin, as --from - < FILE/);
  });
});

describe("files without the right to them", () => {
  it("are told with the lines that help, each of which can be typed", async () => {
    await withRecording(async (path) => {
      const { code, err } = await spawn(["heat", "--from", path]);
      equal(code, 1);
      const { run, install } = originOf();
      equal(err.split("\n").slice(-4), [
        `  pinscope ... --from - < ${path}`,
        `  ${run([`--allow-read=${path}`])} ...`,
        `  ${install}`,
        "",
      ]);
      // The first two lines, as somebody would type them.
      const child = command(["heat", "--from", "-", "-o", "-"]);
      equal((await child.output()).code, 1);
      const once = run([`--allow-read=${path}`]).replace(/^deno/, Deno.execPath());
      const [program = "", ...words] = [...once.split(" "), "heat", "--from", path];
      const ran = await new Deno.Command(program, { args: words, cwd: "/" }).output();
      equal(ran.code, 0, new TextDecoder().decode(ran.stderr));
    });
  });

  it("are missed before anything is measured", async () => {
    const slow = ["report", "group:5", "--model", "--interval", "3600", "-o", "/tmp/x.html"];
    const { code, out, err } = await spawn(slow);
    equal([code, out], [1, ""]);
    match(err, /^pinscope: Cannot write \/tmp\/x\.html: Deno was started without --allow-write/);
    match(err, /^ {2}pinscope \.\.\. -o - > \/tmp\/x\.html$/m);
  });

  it("are not meant by a dash, but where it stands for stdin or stdout", async () => {
    for (const option of ["--save", "--trace"]) {
      const { code, err } = await run(["dirty", "group:5", "--model", option, "-"]);
      equal(code, 2);
      match(err, new RegExp(`^pinscope: ${option} takes the name of a file; got "-"`));
    }
    const [dash, none] = [
      await run(["report", ...live, "-o", "-"]),
      await run(["report", ...live]),
    ];
    equal([dash.code, dash.out.slice(0, 15)], [0, none.out.slice(0, 15)]);
  });
});

describe("originOf", () => {
  it("installs as the README says", () => {
    const root = new URL("../../", import.meta.url).pathname;
    const readme = Deno.readTextFileSync(`${root}README.md`);
    const line = originOf().install.replaceAll(root, "");
    ok(readme.split("\n").includes(line), line);
  });

  it("has a line to run and one to install, wherever the program came from", () => {
    const [jsr, packed, checkout] = [
      "https://jsr.io/@pinscope/vfio/0.1.0/cli/origin.ts",
      "file:///opt/my%20tools/pinscope.js",
      "file:///home/me/pinscope/cli/origin.ts",
    ].map((url) => originOf(url));
    match(jsr?.install ?? "", /^deno install -g -f .* jsr:@pinscope\/vfio@\^[\d.]+\/cli$/);
    equal(
      packed?.run(["--allow-read"]).endsWith(` --allow-read "/opt/my tools/pinscope.js"`),
      true,
    );
    match(checkout?.install ?? "", / --config \/home\/me\/pinscope\/deno\.json --allow-ffi /);
    match(checkout?.install ?? "", / -n pinscope \/home\/me\/pinscope\/cli\/main\.ts$/);
  });
});
