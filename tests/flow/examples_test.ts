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

describe("examples", () => {
  for (const { name } of [...Deno.readDirSync(FOLDER)].sort((a, b) => a.name < b.name ? -1 : 1)) {
    if (!name.endsWith(".ts")) continue;
    it(`${name} runs on the model without a permission and prints its sample`, async () => {
      const source = await Deno.readTextFile(new URL(name, FOLDER));
      ok(source.split("\n").length <= 46, `${name} is longer than 45 lines`);
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
