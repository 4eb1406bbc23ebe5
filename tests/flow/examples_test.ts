import { equal, match, ok } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";

const FOLDER = new URL("../../examples/", import.meta.url);

/** The lines below "sample output:" in the header of an example. */
function sample(source: string): string[] {
  const lines = source.split("\n");
  const start = lines.findIndex((line) => line === "// sample output:");
  const end = lines.findIndex((line, i) => i > start && !line.startsWith("//   "));
  return lines.slice(start + 1, end).map((line) => line.slice("//   ".length));
}

const NAMES = [...Deno.readDirSync(FOLDER)].map(({ name }) => name).filter((name) =>
  name.endsWith(".ts")
).sort();

/** It asks an ABI that no kernel has. */
const ON_MODEL = "11_proposal_v9.ts";

interface Started {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs an example without a permission. */
async function start(name: string, given: readonly string[]): Promise<Started> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--cached-only", "--no-prompt", "--no-check", name, ...given],
    cwd: FOLDER,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

describe("examples", () => {
  it("are a ladder: numbered, and none much shorter than the one before", async () => {
    let before = 0;
    for (const [i, name] of NAMES.entries()) {
      ok(name.startsWith(`${String(i + 1).padStart(2, "0")}_`), name);
      const { length } = (await Deno.readTextFile(new URL(name, FOLDER))).split("\n");
      ok(length >= before - 2, `${name} stands too high`);
      before = length;
    }
  });

  for (const name of NAMES.filter((name) => name !== ON_MODEL)) {
    it(`${name} says how it is called where nothing, or a wrong option, is given`, async () => {
      for (const given of [[], ["--modle"], ["-h"]]) {
        const { code, stdout, stderr } = await start(name, given);
        equal([code, stdout], [2, ""]);
        match(stderr, new RegExp(`^usage: ${name} DEVICE.*, or --model\n$`));
      }
    });

    it(`${name} says in a line what it may not do`, async () => {
      const { code, stdout, stderr } = await start(name, ["0000:00:10.0"]);
      equal([code, stdout], [1, ""]);
      match(stderr, /^Cannot call the kernel without --allow-ffi: .*\n$/);
    });
  }

  for (const name of NAMES) {
    it(`${name} runs on the model without a permission and prints its sample`, async () => {
      const source = await Deno.readTextFile(new URL(name, FOLDER));
      const lines = source.trimEnd().split("\n").length;
      ok(lines >= 10 && lines <= 45, `${name} has ${lines} lines`);
      const { code, stdout, stderr } = await start(name, ["--model"]);
      equal(code, 0, stderr);
      const output = stdout + stderr;
      const expected = sample(source);
      ok(expected.length > 0, `${name} has no sample output`);
      // A long sentence is broken in the sample; "..." stands for the rest of it.
      const text = expected.join(" ").replace(/\s*\.\.\.$/, "");
      ok(output.trim().split("\n").join(" ").startsWith(text), `${output}\nis not\n${text}`);
    });
  }
});
