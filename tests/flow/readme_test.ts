import { equal, ok } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";

const ROOT = new URL("../../", import.meta.url);
const README = await Deno.readTextFile(new URL("README.md", ROOT));

/** The fenced blocks of the README with their languages, in order. */
const blocks = [...README.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language, text]) => ({
  language: language ?? "",
  text: text ?? "",
}));

async function run(args: string[], stdin: string = "", cwd: string | URL = ROOT): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args,
    cwd,
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

  it("shows what conform ends with", async () => {
    const entry = ["run", "--cached-only", "--no-prompt", "cli/main.ts"];
    const whole = await run([...entry, "conform", "--model=6.1"]);
    const end = whole.slice(whole.lastIndexOf("\n\n") + 2);
    ok(end.startsWith("The kernel behaves like"));
    ok(blocks.some(({ text }) => text === end), `conform ends with:\n${end}`);
  });

  it("explains a request with the program and the output that it shows", async () => {
    const at = blocks.findIndex(({ text }) => text.includes("container.explain("));
    const whole = [
      `import { Container } from "@pinscope/vfio";`,
      `import { ModelKernel } from "@pinscope/vfio/model";`,
      `using container = Container.open({ kernel: new ModelKernel() });`,
      `using _group = container.attach("0000:00:10.0");`,
      blocks[at]?.text,
    ].join("\n");
    const args = ["run", "--cached-only", "--no-prompt", "--no-check", "--config=deno.json", "-"];
    equal(await run(args, whole), blocks[at + 1]?.text);
  });

  it("logs a device's writes, and moves its state, with the lines that it shows", async () => {
    const find = (part: string): string =>
      blocks.find(({ text }) => text.includes(part))?.text ?? "";
    const whole = [
      `import { Container } from "@pinscope/vfio";`,
      `import { LAB_SCENES, ModelKernel } from "@pinscope/vfio/model";`,
      `const uuid = (end: number) => "50696e73-0000-4000-8000-00000000000" + end;`,
      `const kernel = new ModelKernel(LAB_SCENES.own_vendor);`,
      `using container = Container.open({ kernel });`,
      `using one = container.attach(uuid(1));`,
      `using two = container.attach(uuid(2));`,
      `using device = one.device();`,
      `using other = two.device();`,
      `using memory = container.allocate(1n << 20n);`,
      `using mapping = container.map(memory);`,
      `device.region(0).write(0x1000, Uint8Array.of(42));`,
      `kernel.vendor(uuid(1)).write(mapping.iova, new Uint8Array(1)); // before the log`,
      `{ ${find("device.logDma(")} }`,
      find("device.migration()"),
      `console.log(other.region(0).read(0x1000, 1)[0]);`,
    ].join("\n");
    const args = ["run", "--cached-only", "--no-prompt", "--no-check", "--config=deno.json", "-"];
    equal(await run(args, whole), "written 0\n42\n");
  });

  it("links only to files that are there, and are published with it", async () => {
    const names = [...README.matchAll(/\]\(([^)#:]+)\)/g)].map(([, name]) => name ?? "");
    const { publish } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
    ok(names.length >= 7);
    for (const name of names) {
      ok(Deno.statSync(new URL(name, ROOT)), name);
      ok(publish.include.includes(name.split("/")[0]), `${name} is not published`);
    }
  });

  it("tells a script outside the checkout how it finds the package", async () => {
    const root = ROOT.pathname.replace(/\/$/, "");
    const told = blocks.map(({ text }) => text.replaceAll("/path/to/pinscope", root));
    const config = told.find((text) => text.includes('"links"')) ?? "";
    const [, ...words] = told.find((text) => text.includes("--config /"))?.trim().split(" ") ?? [];
    equal(words.pop(), "script.ts");
    const folder = await Deno.makeTempDir();
    try {
      await Deno.writeTextFile(
        `${folder}/script.ts`,
        `import { Container } from "@pinscope/vfio";
        import { ModelKernel } from "@pinscope/vfio/model";
        import { VFIO_TYPE1v2_IOMMU } from "@pinscope/vfio/uapi";
        using container = Container.open({ kernel: new ModelKernel() });
        console.log(container.supports(VFIO_TYPE1v2_IOMMU));`,
      );
      equal(await run([...words, "--no-check", "script.ts"], "", folder), "true\n");
      await Deno.writeTextFile(`${folder}/deno.json`, config);
      equal(await run(["run", "--cached-only", "--no-check", "script.ts"], "", folder), "true\n");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
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
