import { COMMANDS } from "../../cli/commands.ts";
import { manualPage } from "../../cli/man.ts";
import { MANUAL } from "../../cli/manual.ts";
import { OVERHEAD, OVERHEAD_OF_ALL } from "../../cli/manual_overhead.ts";
import { TOPICS } from "../../cli/topics.ts";
import { optionsOf } from "../../cli/option.ts";
import { equal, match, ok } from "../std/assert.ts";
import { describe, it, skip } from "../std/testing.ts";
import { run } from "./capture.ts";

describe("pinscope man", () => {
  const page = manualPage();

  it("has every command and option of the table, with FIELDS and CAVEATS", () => {
    for (const command of COMMANDS) {
      match(page, new RegExp(`^\\.SS "${command.name}`, "m"));
      for (const { name } of optionsOf(command)) {
        ok(page.includes(`\\-\\-${name.replaceAll("-", "\\-")}\\fR`), name);
      }
    }
    const sections = ["NAME", "SYNOPSIS", "COMMANDS", "FIELDS", "OVERHEAD", "CAVEATS", "TOPICS"];
    for (const section of [...sections, "EXAMPLES"]) {
      ok(page.includes(`\n.SH ${section}\n`), section);
    }
  });

  it("has the fields of every command that shows some, and what the others lack", () => {
    const names = COMMANDS.map(({ name }) => name as string);
    // What they print is a script, a page or a sentence.
    const plain = ["bind", "unbind", "man", "completion", "demo", "new"];
    const fields = new Map(
      Object.entries(MANUAL).map(([name, text]) => [name, text.fields.length]),
    );
    equal(names.filter((name) => (fields.get(name) ?? 0) === 0 && !plain.includes(name)), []);
    // No more than a start of Deno.
    const light = [...plain, "mdev", "decode", "quirks"];
    equal(names.filter((name) => !Object.hasOwn(OVERHEAD, name) && !light.includes(name)), []);
    for (const text of [...OVERHEAD_OF_ALL, ...Object.values(OVERHEAD).flat()]) {
      ok(page.includes(text.replaceAll("-", "\\-")), text);
    }
  });

  it("has the topics of help, with all their words", () => {
    const words = (text: string): string[] => text.match(/[A-Za-z_]{3,}/g) ?? [];
    const all = new Set(words(page.replaceAll(/\\f[BIR]/g, "")));
    for (const { name, text } of TOPICS) {
      ok(page.split("\n").includes(`.SS ${name.replaceAll("-", "\\-")}`), name);
      equal(words(text).filter((word) => !all.has(word)), [], name);
    }
  });

  it("explains every column and group of checks that conform shows", async () => {
    const texts = (MANUAL.conform?.fields ?? []).flatMap(([names]) => names.split(", "));
    const [head = "", ...rows] = (await run(["conform", "--model"])).out.split("\n");
    const groups = rows.slice(0, rows.indexOf("")).map((row) => row.split(/ {2,}/)[0] ?? "");
    const shown = [...head.split(/ {2,}/).slice(1), ...groups];
    ok(shown.length > 15);
    equal(shown.filter((name) => !texts.includes(name)), []);
    for (const name of ["info", "mdev", "replay", "decode"] as const) {
      ok((MANUAL[name]?.fields.length ?? 0) > 0, name);
    }
  });

  it("has no line that troff takes for a request of its own", () => {
    const known = /^\.(TH|SH|SS|TP|PP|nf|fi)\b/;
    const odd = page.split("\n").filter((line) => line.startsWith(".") && !known.test(line));
    equal(odd, []);
  });

  const hasMan = (() => {
    try {
      return new Deno.Command("man", { args: ["--version"] }).outputSync().success;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  })();
  if (!hasMan) skip("reads well in man", "man is not installed here: apt-get install man-db groff");
  else {
    it("reads well in man: no warning, and at most 80 columns", async () => {
      const path = await Deno.makeTempFile({ suffix: ".1" });
      try {
        await Deno.writeTextFile(path, page);
        const { code, stdout, stderr } = await new Deno.Command("man", {
          args: ["--warnings=all", "-P", "cat", "-l", path],
          env: { MANWIDTH: "80", MAN_KEEP_FORMATTING: "", LC_ALL: "C.UTF-8" },
          stdin: "null",
        }).output();
        equal([code, new TextDecoder().decode(stderr)], [0, ""]);
        const lines = new TextDecoder().decode(stdout).split("\n");
        ok(lines.length > 500);
        equal(lines.filter((line) => [...line].length > 80), []);
      } finally {
        await Deno.remove(path);
      }
    });
  }

  it("is printed", async () => {
    const { code, out } = await run(["man"]);
    equal([code, out.trimEnd()], [0, page.trimEnd()]);
  });

  it("is printed by the program itself: no module waits for the one that runs", async () => {
    const signal = AbortSignal.timeout(30_000);
    const { code, stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--cached-only", "--no-prompt", "--no-check", "cli/main.ts", "man"],
      cwd: new URL("../../", import.meta.url),
      signal,
    }).output();
    equal([code, new TextDecoder().decode(stdout).trimEnd()], [0, page.trimEnd()]);
  });
});
