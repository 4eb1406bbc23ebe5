/** The packed command line: an empty folder, an empty cache, and no network. */
import { DEFAULT_MDEV } from "../../lib/model/mod.ts";
import { type Ran, run } from "../cli/capture.ts";
import { equal, match, ok, rejects } from "../std/assert.ts";
import { describe, it, skip } from "../std/testing.ts";
import { importsOf, NoBundlerError, pack } from "./pack.ts";

/** Whatever asks for the network is refused at once: nothing listens at port 9. */
const NO_NETWORK = Object.fromEntries(
  ["http_proxy", "https_proxy", "all_proxy"].flatMap((name) =>
    [name, name.toUpperCase()].map((key) => [key, "http://127.0.0.1:9"])
  ),
);

const LINES = [
  "--version",
  "--help",
  "demo",
  "demo --json",
  "info --model",
  "info 0000:00:10.0 --model --json",
  `dirty ${DEFAULT_MDEV} --model --map 1M:1M --interval 0 --count 2`,
  "dirty 0000:00:10.0 --model --interval 0 --count 1 --json",
  "plan --map 1M:1M --model",
  "conform --model=6.1",
  "man",
  "dirtyy",
  "dirty --bogus",
];

/** Packs into a folder of its own; the reason where this machine has no bundler. */
async function packed(folder: string): Promise<string | undefined> {
  try {
    await pack(`${folder}/pinscope.js`, { env: NO_NETWORK });
    return undefined;
  } catch (error) {
    if (!(error instanceof NoBundlerError)) throw error;
    return "Deno's bundler is not in its cache: deno task pack fetches it, with a network";
  }
}

const folder = Deno.makeTempDirSync();
addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
const missing = await packed(folder);

/** Runs a program in an empty folder and knows nothing of this machine but where to write. */
async function alone(program: string, args: readonly string[]): Promise<Ran> {
  const place = Deno.makeTempDirSync({ dir: folder });
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    cwd: place,
    clearEnv: true,
    env: { ...NO_NETWORK, DENO_DIR: `${place}/cache`, DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

const FILE = `${folder}/pinscope.js`;
const RUN = ["run", "--no-prompt"];

describe("deno task pack", () => {
  it("says what is missing where the bundler is neither cached nor to be had", async () => {
    const empty = Deno.makeTempDirSync({ dir: folder });
    const target = `${folder}/none.js`;
    await rejects(
      () => pack(target, { env: { ...NO_NETWORK, DENO_DIR: empty } }),
      NoBundlerError,
    );
    equal([...Deno.readDirSync(folder)].some(({ name }) => name === "none.js"), false);
  });

  it("sees what a file imports, of packages and of others", async () => {
    const path = `${folder}/imports.js`;
    Deno.writeTextFileSync(
      path,
      `import "node:util"; import "./other.js"; export const load = async () =>
      [await import("npm:nothing@1"), await import("@std/nothing"), await import("jsr:@std/cli@1")];`,
    );
    Deno.writeTextFileSync(`${folder}/other.js`, `export const load = () => import("x:y");`);
    const found = ["./other.js", "npm:nothing@1", "@std/nothing", "jsr:@std/cli@1", "x:y"];
    equal((await importsOf(path)).toSorted(), found.toSorted());
  });

  if (missing !== undefined) {
    skip("makes one file that runs alone", missing);
    return;
  }

  it("makes a file that imports nothing, with its licence, for all to run", async () => {
    equal(await importsOf(FILE), []);
    const licence = Deno.readTextFileSync(new URL("../../LICENSE", import.meta.url));
    const text = Deno.readTextFileSync(FILE).replaceAll(/^\/\/ ?/gm, "");
    ok(text.includes(licence.trim()), "the licence stands in it");
    equal((Deno.statSync(FILE).mode ?? 0) & 0o777, 0o755);
  });

  it("keeps what a thread of its own is made of free of everything around it", () => {
    // The text of `serve` becomes the script of that thread: nothing of the bundle is there.
    const [, body = ""] =
      /^(function serve\(\) \{\n.*?\n\})$/ms.exec(Deno.readTextFileSync(FILE)) ??
        [];
    const names = [...body.matchAll(/\b__?[a-z]\w*\b/gi)].map(([name]) => name);
    equal([...new Set(names)], ["__errno_location"]);
  });

  for (const line of LINES) {
    it(`does as the checkout: ${line}`, async () => {
      const args = line.split(" ");
      equal(await alone(Deno.execPath(), [...RUN, FILE, ...args]), await run(args));
    });
  }

  it("gives scripts what the package gives them", async () => {
    const { exports } = JSON.parse(
      Deno.readTextFileSync(new URL("../../deno.json", import.meta.url)),
    ) as { exports: Record<string, string> };
    const names = new Set(["main"]);
    for (const [entry, path] of Object.entries(exports)) {
      if (entry === "./cli") continue;
      const module = await import(new URL(`../../${path}`, import.meta.url).href) as object;
      for (const name of Object.keys(module)) names.add(name);
    }
    const script = `${folder}/script.ts`;
    Deno.writeTextFileSync(
      script,
      `import { Container, ModelKernel } from "./pinscope.js";
      import * as all from "./pinscope.js";
      using container = Container.open({ kernel: new ModelKernel() });
      using group = container.attach("0000:00:10.0");
      const names = Object.entries(all).map(([name, value]) => value === undefined ? "?" : name);
      console.log(JSON.stringify([group.devices[0].name, names.sort()]));`,
    );
    const { out, err } = await alone(Deno.execPath(), [...RUN, script]);
    equal([err, JSON.parse(out || "0")], ["", ["0000:00:10.0", [...names].sort()]]);
  });

  it("writes scripts that run beside it", async () => {
    const script = `${folder}/written.ts`;
    const made = await alone(Deno.execPath(), [...RUN, "--allow-write", FILE, "new", script]);
    equal([made.code, made.err], [0, ""]);
    const { code, out, err } = await alone(Deno.execPath(), [...RUN, script, "--model"]);
    equal([code, err], [0, ""]);
    match(out, /^VmLck is 1 MiB$/m);
  });

  it("does so with --allow-ffi, and on this host", async () => {
    const args = [...RUN, "--allow-ffi", FILE];
    equal(await alone(Deno.execPath(), [...args, "demo"]), await run(["demo"]));
    const { code, out, err } = await alone(Deno.execPath(), [...args, "info", "--json"]);
    equal([code, err], [0, ""]);
    equal(JSON.parse(out.split("\n")[0]!).kernel, Deno.osRelease());
  });
});
