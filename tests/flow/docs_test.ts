/** Every block of the README and of docs: programs run on the model and print what stands below. */
import { run as runCommand } from "../cli/capture.ts";
import { needs } from "../lab/needs.ts";
import { equal, match, ok, rejects } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { type Block, blocksOf, loose, pages, ROOT, textOf } from "./doc_blocks.ts";
import { checkCommand, commandsOf } from "./doc_shell.ts";

const README = "README.md";

/** What the parts of programs in the README stand in. */
const AROUND = `
import { Container } from "@pinscope/vfio";
import { LAB_SCENES, ModelKernel } from "@pinscope/vfio/model";
const uuid = (end: number): string => "50696e73-0000-4000-8000-00000000000" + end;
const kernel = new ModelKernel(LAB_SCENES.own_vendor);
using container = Container.open({ kernel });
using one = container.attach(uuid(1));
using two = container.attach(uuid(2));
using device = one.device();
using other = two.device();
using memory = container.allocate(1n << 20n);
using _mapping = container.map(memory);
using tracker = container.trackDirty();
void [device, other, tracker];
`;

/** A block as a program that runs as it stands. */
function programOf({ place, text }: Block): string {
  if (!text.includes("import ")) {
    ok(place.startsWith(README), `${place} is no whole program`);
    // Nobody waits for the rounds of an example.
    return `${AROUND}{\n${text.replace("interval: 500", "interval: 0")}\n}\n`;
  }
  if (!place.startsWith(README) || text.includes("new ModelKernel()")) return text;
  // The one thing that differs on the model is what the container talks to.
  const onModel = text.replace("Container.open()", "Container.open({ kernel: new ModelKernel() })");
  return `import { ModelKernel } from "@pinscope/vfio/model";\n${onModel}`;
}

async function deno(args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

const all = pages().flatMap(blocksOf);
const inLanguage = (language: string): Block[] =>
  all.filter((block) => block.language === language);

describe("programs in the documentation", () => {
  const programs = inLanguage("ts");

  it("pass the type check", async () => {
    const folder = Deno.makeTempDirSync();
    try {
      const files = programs.map((block, i) => {
        const path = `${folder}/${i}.ts`;
        Deno.writeTextFileSync(path, `// ${block.place}\n${programOf(block)}`);
        return path;
      });
      const { code, err } = await deno(["check", "--quiet", "--config=deno.json", ...files]);
      equal(code, 0, err);
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  });

  for (const block of programs) {
    it(`runs without a permission: ${block.place}`, async () => {
      const path = Deno.makeTempFileSync({ suffix: ".ts" });
      try {
        Deno.writeTextFileSync(path, programOf(block));
        const flags = ["--cached-only", "--no-prompt", "--no-check", "--config=deno.json"];
        const { code, out, err } = await deno(["run", ...flags, path]);
        equal([code, err], [0, ""]);
        // The answer that explains a request in the README is for a device with an IOMMU, and is
        // tested in readme_test.ts.
        if (!block.text.includes("container.explain(") || block.text.includes("import ")) {
          if (block.output !== undefined) equal(out, block.output);
          else ok(block.place.startsWith(README), `${block.place} does not show what it prints`);
        }
      } finally {
        Deno.removeSync(path);
      }
    });
  }
});

describe("commands in the documentation", () => {
  for (const block of inLanguage("sh")) {
    it(`are there, and take what they are given: ${block.place}`, async () => {
      const commands = commandsOf(block.text);
      ok(commands.length > 0);
      for (const words of commands) await checkCommand(words);
      if (block.output === undefined) return;
      let out = "";
      for (const [program, ...args] of commands) {
        equal(program, "pinscope");
        const ran = await runCommand(args);
        ok(ran.code < 2, ran.err);
        out += ran.out;
      }
      equal(out, block.output);
    });
  }

  it("are refused where they are wrong", async () => {
    const wrong = [
      ["pinscope frobnicate", /no command frobnicate/],
      ["pinscope dirty 0000:00:10.0 --mapp 1M:1M", /--mapp/],
      ["pinscope diff a", /2 to 2 operands/],
      ["deno task frob", /no task frob/],
      ["npx -y deno@2 task lab run --profile nothing x.ts", /no profile nothing/],
      ["deno task lab run examples/nothing.ts", /no examples\/nothing\.ts/],
      ["deno run examples/nothing.ts --model", /no examples\/nothing\.ts/],
      ["sudo frobnicate /dev/vfio", /frobnicate is not known/],
      ["bash .ci/nothing", /no \.ci\/nothing/],
    ] as const;
    for (const [line, text] of wrong) {
      const [words = []] = commandsOf(`${line}   # why not`);
      await rejects(() => checkCommand(words), Error, text);
    }
  });
});

describe("other blocks of the documentation", () => {
  it("are of a kind that is checked", () => {
    const kinds = new Set(all.map(({ language }) => language));
    for (const kind of kinds) {
      ok(["ts", "sh", "console", "sql", "json", "text", ""].includes(kind), kind);
    }
    // tests/flow/first_hour_test.ts types it.
    for (const { place } of inLanguage("console")) match(place, /^README\.md/);
    // tests/data/duckdb_test.ts runs it.
    equal(inLanguage("sql").map(({ place }) => place.replace(/:.*/, "")), ["docs/data.md"]);
    for (const { text } of inLanguage("json")) equal(typeof JSON.parse(text), "object");
    for (const page of pages()) if (page !== README) equal(loose(page), [], page);
  });

  it("say what the lab needs of a kernel, and how a message reads", async () => {
    const [form, options, ...rest] = inLanguage("text");
    equal(rest, []);
    const { err } = await runCommand(["info", "0000:00:1f.7", "--model"]);
    const pattern = form!.text.trim().replaceAll(/<[^>]+>/g, ".+").replaceAll(/[()]/g, "\\$&");
    const [first = ""] = err.replaceAll(/\n {2}/g, " ").split("\n");
    match(first, new RegExp(`^pinscope: ${pattern}$`));
    equal(
      options!.text.split(/\s+/).filter(Boolean),
      needs.map(({ config }) => `CONFIG_${config}`),
    );
  });
});

describe("pages of the documentation", () => {
  const { publish } = JSON.parse(Deno.readTextFileSync(new URL("deno.json", ROOT))) as {
    publish: { include: string[] };
  };

  for (const page of pages()) {
    it(`links only to what is there, and is published with it: ${page}`, () => {
      const links = [...textOf(page).matchAll(/\]\(([^)#:]+)\)/g)].map(([, name]) => name ?? "");
      for (const name of links) {
        const url = new URL(name, new URL(page, ROOT));
        ok(Deno.statSync(url), name);
        const [top = ""] = url.pathname.slice(ROOT.pathname.length).split("/");
        ok(publish.include.includes(top), `${name} is not published`);
      }
    });
  }

  it("can each be reached from the README", () => {
    const seen = new Set<string>([README]);
    for (const page of seen) {
      for (const [, name = ""] of textOf(page).matchAll(/\]\(([^)#:]+\.md)\)/g)) {
        seen.add(new URL(name, new URL(page, ROOT)).pathname.slice(ROOT.pathname.length));
      }
    }
    for (const page of pages()) ok(seen.has(page), `no link leads to ${page}`);
  });
});
