import { equal, ok } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";

const ROOT = new URL("../../", import.meta.url);
const README = await Deno.readTextFile(new URL("README.md", ROOT));

/** The fenced blocks of the README with their languages, in order. */
const blocks = [...README.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language, text]) => ({
  language: language ?? "",
  text: text ?? "",
}));

async function run(args: string[], stdin: string = ""): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(stdin));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  equal(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

describe("README.md", () => {
  it("begins with a program that runs as it stands, and shows its real output", async () => {
    const [program, output] = blocks;
    equal([program?.language, output?.language], ["ts", ""]);
    ok(README.indexOf(program?.text ?? "") < README.split("\n").slice(0, 20).join("\n").length);
    // The one thing that differs on the model is what the container talks to.
    const text = (program?.text ?? "").replace(
      "Container.open()",
      "Container.open({ kernel: new ModelKernel() })",
    );
    const whole = `import { ModelKernel } from "@pinscope/vfio/model";\n${text}`;
    const args = ["run", "--cached-only", "--no-prompt", "--no-check", "--config=deno.json", "-"];
    equal(await run(args, whole), output?.text);
  });

  it("shows what the demo prints", async () => {
    const demo = await run(["run", "--cached-only", "--no-prompt", "cli/main.ts", "demo"]);
    ok(blocks.some(({ text }) => text === demo), `the demo prints:\n${demo}`);
  });

  it("names only files that are there", () => {
    const names = [...README.matchAll(/\]\(([^)#:]+)\)/g)].map(([, name]) => name ?? "");
    ok(names.length > 8);
    for (const name of names) ok(Deno.statSync(new URL(name, ROOT)), name);
  });

  it("names only tasks and commands that there are", async () => {
    const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
    for (const [, task = ""] of README.matchAll(/(?:deno|deno@2) task (\w+)/g)) {
      ok(task in tasks, `no task ${task}`);
    }
    const help = await run(["run", "--cached-only", "--no-prompt", "cli/main.ts", "--help"]);
    for (const [, command = ""] of README.matchAll(/`pinscope (\w+)/g)) {
      ok(new RegExp(`^  ${command}\\b`, "m").test(help), `no command ${command}`);
    }
  });
});
