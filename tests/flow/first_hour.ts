/**
 * The transcript of the README, typed again. To write down what the commands print now:
 *
 *     deno run --cached-only -A tests/flow/first_hour.ts
 *
 * @module
 */

const ROOT = new URL("../../", import.meta.url);
const README = new URL("README.md", ROOT);
const SECTION = /(?<=^## A first hour\n).*?(?=^## )/ms;
const BLOCK = /(?<=^```console\n).*?(?=^```$)/gms;

/** A command and what it prints. */
export interface Step {
  readonly line: string;
  readonly printed: string;
}

/** The steps of a block. */
function stepsOf(block: string): Step[] {
  return block.split(/^(?=\$ )/m).map((step) => {
    const end = step.indexOf("\n");
    return { line: step.slice(2, end), printed: step.slice(end + 1) };
  });
}

/** The steps as the README has them, in order. */
export function readSteps(): Step[] {
  const [section = ""] = SECTION.exec(Deno.readTextFileSync(README)) ?? [];
  return [...section.matchAll(BLOCK)].flatMap(([block]) => stepsOf(block));
}

/** Lines of progress, of which there are more where a machine is slow. */
const PROGRESS = /^pinscope: round \d+ of \d+, .*\n/gm;

/**
 * Types the lines one after another, in a folder of their own, with no right but for its files.
 *
 * @param look Sees the folder before it is removed.
 * @returns What each prints.
 */
export async function type(
  lines: readonly string[],
  look: (folder: string) => void = () => {},
): Promise<string[]> {
  const folder = await Deno.makeTempDir({ prefix: "first-hour-" });
  try {
    const entry = new URL("cli/main.ts", ROOT).pathname;
    const flags = "--quiet --cached-only --no-prompt --allow-read=. --allow-write=.";
    const call = `exec "${Deno.execPath()}" run ${flags} "${entry}" "$@"`;
    await Deno.writeTextFile(`${folder}/pinscope`, `#!/bin/sh\n${call}\n`, { mode: 0o755 });
    const printed: string[] = [];
    for (const line of lines) {
      const { stdout } = await new Deno.Command("sh", {
        args: ["-c", `${line} 2>&1`],
        cwd: folder,
        env: { PATH: `${folder}:${Deno.env.get("PATH")}`, NO_COLOR: "1" },
        stdin: "null",
      }).output();
      printed.push(new TextDecoder().decode(stdout).replaceAll(PROGRESS, ""));
    }
    look(folder);
    return printed;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) {
  const printed = await type(readSteps().map(({ line }) => line));
  const text = Deno.readTextFileSync(README).replace(SECTION, (section) =>
    section.replaceAll(
      BLOCK,
      (block) => stepsOf(block).map(({ line }) => `$ ${line}\n${printed.shift()}`).join(""),
    ));
  Deno.writeTextFileSync(README, text);
}
