/** `pinscope new`: what it writes is checked as TypeScript, and runs at once. */
import { scriptText, TEMPLATES } from "../../cli/template.ts";
import { equal, match, ok } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { type Ran, records, run } from "./capture.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const NAMES = Object.keys(TEMPLATES);

/** What each prints on the model. */
const PRINTS: Readonly<Record<string, readonly RegExp[]>> = {
  setup: [/^group 3 has 0000:00:10\.0 vfio-pci$/m, /^region 7 256 bytes$/m, /^VmLck is 1 MiB$/m],
  dirty: [/^round 3 has 6 dirty pages, new: 2$/m, /^0x100010000 4 pages pinned-scope$/m],
  pins: [/^pinned 4 at 0x50000$/m, /^VmLck 16 KiB of 8 MiB$/m, /^map 16 MiB .* cost 0 bytes$/m],
  dma: [/^seen by a device\n0x100000 256 pages all-mapped$/m],
};

async function deno(args: readonly string[], cwd: string): Promise<Ran> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

/** Runs a script with the flags of its first line, as a shell would; with `--allow-ffi` or without. */
async function start(
  path: string,
  args: readonly string[],
  mayCall: boolean = false,
): Promise<Ran> {
  const [first = ""] = Deno.readTextFileSync(path).split("\n");
  match(first, /^#!\/usr\/bin\/env -S deno run .*--allow-ffi$/);
  const flags = first.split(" ").slice(4);
  const given = mayCall ? flags : flags.filter((flag) => flag !== "--allow-ffi");
  return await deno(["run", "--no-prompt", ...given, path, ...args], path.replace(/[^/]*$/, ""));
}

/** A folder of its own, which is removed at the end. */
function place(): { readonly path: string } & Disposable {
  const path = Deno.makeTempDirSync();
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}

describe("pinscope new", () => {
  it("writes each template as a program that runs on the model without a permission", async () => {
    using folder = place();
    equal(NAMES, Object.keys(PRINTS));
    for (const name of NAMES) {
      const path = `${folder.path}/${name}`;
      const { code, out, err } = await run(["new", path, "--template", name]);
      equal([code, err], [0, ""]);
      ok(out.includes(`try it:        ${path}.ts --model\n`), out);
      const lines = Deno.readTextFileSync(`${path}.ts`).trimEnd().split("\n");
      ok(lines.length >= 15 && lines.length < 50, `${name}: ${lines.length} lines`);
      ok(lines.filter((line) => line.includes("//")).length >= 8, `${name} is commented`);
      equal((Deno.statSync(`${path}.ts`).mode ?? 0) & 0o700, 0o700);
      for (const args of [["--model"], ["--model", "--device", TEMPLATES[name]!.device]]) {
        const ran = await start(`${path}.ts`, args);
        equal([ran.code, ran.err], [0, ""]);
        for (const text of PRINTS[name]!) match(ran.out, text);
      }
    }
    const files = NAMES.map((name) => `${folder.path}/${name}.ts`);
    const config = `--config=${ROOT}deno.json`;
    equal((await deno(["check", "--quiet", config, ...files], ROOT)).err, "");
    equal((await deno(["fmt", "--quiet", "--check", config, ...files], ROOT)).err, "");
  });

  it("gives a script that says how it is called, and what it may not do", async () => {
    using folder = place();
    equal((await run(["new", `${folder.path}/a.ts`])).code, 0);
    const usage = "usage: a.ts --model, or --device DEVICE\n";
    for (
      const [args, status] of [
        [["--help"], 0],
        [[], 2],
        [["--modle"], 2],
        [["--device"], 2],
        [["0000:00:10.0"], 2],
      ] as const
    ) {
      equal(await start(`${folder.path}/a.ts`, args), { code: status, out: "", err: usage });
    }
    const { code, out, err } = await start(`${folder.path}/a.ts`, ["--device", "group:1"]);
    equal([code, out], [1, ""]);
    match(err, /^Cannot call the kernel without --allow-ffi: [^\n]*\n$/);
  });

  it("gives a script that says why this host refuses", async () => {
    using folder = place();
    equal((await run(["new", `${folder.path}/a.ts`])).code, 0);
    const device = ["--device", "ffff:ff:1f.7"];
    const { code, out, err } = await start(`${folder.path}/a.ts`, device, true);
    equal([code, out], [1, ""]);
    match(err, /^Cannot [^\n]*\n$/);
  });

  it("imports in a way that works from JSR too", async () => {
    using folder = place();
    const url = "https://jsr.io/@pinscope/vfio/0.1.0/cli/origin.ts";
    for (const name of NAMES) {
      Deno.writeTextFileSync(`${folder.path}/${name}.ts`, scriptText(TEMPLATES[name]!, name, url));
    }
    // What stands for the registry: Deno takes the checkout for the package of that name.
    Deno.writeTextFileSync(`${folder.path}/deno.json`, JSON.stringify({ links: [ROOT] }));
    const { code, err } = await deno(
      ["check", "--quiet", ...NAMES.map((n) => `${n}.ts`)],
      folder.path,
    );
    equal([code, err], [0, ""]);
    for (const name of NAMES) {
      const ran = await deno(
        ["run", "--cached-only", "--no-prompt", `${name}.ts`, "--model"],
        folder.path,
      );
      equal([ran.code, ran.err], [0, ""]);
      for (const text of PRINTS[name]!) match(ran.out, text);
    }
  });

  it("quotes a checkout's path where a shebang would take it apart", () => {
    const text = scriptText(
      TEMPLATES["setup"]!,
      "a.ts",
      "file:///my%20work/pinscope/cli/origin.ts",
    );
    match(text, /^#!.* --config="\/my work\/pinscope\/deno\.json" --allow-ffi\n/);
  });

  it("never writes over a file", async () => {
    using folder = place();
    const path = `${folder.path}/a.ts`;
    Deno.writeTextFileSync(path, "mine");
    for (const name of [path, `${folder.path}/a`]) {
      const { code, out, err } = await run(["new", name]);
      equal([code, out], [1, ""]);
      match(err, /^pinscope: Cannot write .*take\s+another name\n$/s);
    }
    equal(Deno.readTextFileSync(path), "mine");
  });

  it("says what is wrong with a name, a template, a folder", async () => {
    using folder = place();
    for (const name of ["", `${folder.path}/`, ".ts"]) {
      const { code, err } = await run(["new", name]);
      equal(code, 2);
      match(err, /NAME wants a file's name/);
    }
    const wrong = await run(["new", `${folder.path}/a`, "--template", "dirt"]);
    equal(wrong.code, 2);
    match(wrong.err, /one of setup, dirty, pins,\s+dma; got dirt; did you\s+mean dirty\?/);
    equal((await run(["new", `${folder.path}/a`, "--template", "toString"])).code, 2);
    const nowhere = await run(["new", `${folder.path}/no/a`]);
    equal(nowhere.code, 1);
    match(nowhere.err, /^pinscope: Cannot write /);
    equal([...Deno.readDirSync(folder.path)], []);
  });

  it("tells programs what it wrote", async () => {
    using folder = place();
    const file = `${folder.path}/a.ts`;
    const { out } = await run(["new", file, "-t", "dma", "--json"]);
    const runs = [`${file} --model`, `${file} --device 0000:00:10.0`];
    equal(records(out), [{ type: "script", file, template: "dma", runs }]);
  });
});
