import { COMMANDS } from "../../cli/commands.ts";
import { manualPage } from "../../cli/man.ts";
import { MANUAL } from "../../cli/manual.ts";
import { optionsOf } from "../../cli/option.ts";
import { equal, match, ok } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
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
    for (const section of ["NAME", "SYNOPSIS", "COMMANDS", "FIELDS", "CAVEATS", "EXAMPLES"]) {
      ok(page.includes(`\n.SH ${section}\n`), section);
    }
    for (const name of ["dirty", "pins", "scope", "plan"]) {
      equal(page.match(new RegExp(`^\\.SS ${name}$`, "gm"))?.length !== undefined, true, name);
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
