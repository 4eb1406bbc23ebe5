import { equal, ok } from "../std/assert.ts";
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

  for (const name of NAMES) {
    it(`${name} runs on the model without a permission and prints its sample`, async () => {
      const source = await Deno.readTextFile(new URL(name, FOLDER));
      const lines = source.trimEnd().split("\n").length;
      ok(lines >= 10 && lines <= 45, `${name} has ${lines} lines`);
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--cached-only", "--no-prompt", "--no-check", name, "--model"],
        cwd: FOLDER,
        env: { NO_COLOR: "1" },
      }).output();
      const errors = new TextDecoder().decode(stderr);
      equal(code, 0, errors);
      const output = new TextDecoder().decode(stdout) + errors;
      const expected = sample(source);
      ok(expected.length > 0, `${name} has no sample output`);
      // A long sentence is broken in the sample; "..." stands for the rest of it.
      const text = expected.join(" ").replace(/\s*\.\.\.$/, "");
      ok(output.trim().split("\n").join(" ").startsWith(text), `${output}\nis not\n${text}`);
    });
  }
});
