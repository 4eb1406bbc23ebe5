/** The transcript of the README, typed again. */
import { equal, ok } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";

const ROOT = new URL("../../", import.meta.url);
const README = await Deno.readTextFile(new URL("README.md", ROOT));
const SECTION = /^## A first hour\n(.*?)^## /ms.exec(README)?.[1] ?? "";

/** Commands with what they print, in order. */
const STEPS = [...SECTION.matchAll(/^```console\n(.*?)^```$/gms)]
  .flatMap(([, text = ""]) => text.split(/^(?=\$ )/m))
  .map((step) => {
    const end = step.indexOf("\n");
    return { line: step.slice(2, end), wanted: step.slice(end + 1) };
  });

/** What does not depend on how fast the machine is: times are left out, and what moves with them. */
function timeless(text: string): string {
  return text.split("\n")
    .filter((line) => !/^pinscope: round \d+ of \d+/.test(line))
    .map((line) => line.replaceAll(/\d+(\.\d+)? m?s\b/g, "TIME").replaceAll(/ +/g, " "))
    .join("\n");
}

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "first-hour-" });
  try {
    const entry = new URL("cli/main.ts", ROOT).pathname;
    const flags = "--quiet --cached-only --no-prompt --allow-read=. --allow-write=.";
    const call = `exec "${Deno.execPath()}" run ${flags} "${entry}" "$@"`;
    await Deno.writeTextFile(`${folder}/pinscope`, `#!/bin/sh\n${call}\n`, { mode: 0o755 });
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

describe("the first hour of the README", () => {
  it("shows what the commands print, one after another, and leaves the files that it names", async () => {
    ok(STEPS.length >= 8, `${STEPS.length} steps`);
    await inFolder(async (folder) => {
      for (const { line, wanted } of STEPS) {
        const { stdout } = await new Deno.Command("sh", {
          args: ["-c", `${line} 2>&1`],
          cwd: folder,
          env: { PATH: `${folder}:${Deno.env.get("PATH")}`, NO_COLOR: "1" },
          stdin: "null",
        }).output();
        equal([line, timeless(new TextDecoder().decode(stdout))], [line, timeless(wanted)]);
      }
      const text = (name: string): string => Deno.readTextFileSync(`${folder}/${name}`);
      ok(/group:5[^]*<\/html>/.test(text("first.html")));
      ok(text("first.svg").startsWith("<svg"));
      ok(Deno.statSync(`${folder}/first.psr`).size > 0);
    });
  });

  it("fits into a terminal of 80 columns", () => {
    equal(STEPS.flatMap(({ wanted }) => wanted.split("\n")).filter((one) => one.length >= 80), []);
  });
});
