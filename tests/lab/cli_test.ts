import { UsageError } from "../../cli/parse.ts";
import { equal, match, rejects } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { help, ownModule, parse, scriptNamed, splitAtWord } from "./cli.ts";
import { UsageProblem } from "./problem.ts";

describe("the lab's command line", () => {
  it("is a shell without words", async () => {
    const line = await parse([]);
    equal([line.command, line.options.memory, line.options.timeout], ["shell", 512, 300]);
  });

  it("passes on what follows the script as it is", async () => {
    const line = await parse(["run", "--profile", "entry_limit", "a.ts", "--memory", "x", "-v"]);
    equal(line.words, ["a.ts", "--memory", "x", "-v"]);
    equal(line.options.profile?.name, "entry_limit");
    equal(line.options.verbose, false);
  });

  it("takes options before the command and after a filter", async () => {
    const line = await parse(["--memory=1024", "test", "dirty", "-v"]);
    equal([line.words, line.options.memory, line.options.verbose], [["dirty"], 1024, true]);
  });

  it("takes the own kernel before the command or after it", async () => {
    for (const args of [["--own", "test"], ["test", "--own"], ["run", "--own", "a.ts"]]) {
      equal((await parse(args)).options.ownKernel, true);
    }
    equal((await parse(["test"])).options.ownKernel, false);
    const { options } = await parse(["test", "--own", "--kernel", "7"]);
    equal([options.ownKernel, options.kernel], [true, "7"]);
  });

  it("splits at the first word that is no option's value", () => {
    equal(splitAtWord(["--kernel", "k", "-v", "run"]), [["--kernel", "k", "-v"], ["run"]]);
    equal(splitAtWord(["--user", "a", "b"]), [["--user"], ["a", "b"]]);
    equal(splitAtWord(["--", "-x"]), [[], ["-x"]]);
  });

  it("knows scripts by their names, and the command line by its own", () => {
    equal(["a.ts", "x/b.mjs", "dmesg", "pinscope"].map((word) => scriptNamed(word, "/p")), [
      "a.ts",
      "x/b.mjs",
      undefined,
      "/p/cli/main.ts",
    ]);
  });

  it("shows examples of files that are there", () => {
    const root = new URL("../../", import.meta.url);
    const files = [...help().matchAll(/examples\/\w+\.ts/g)].map(([file]) => file);
    equal(files.map((file) => Deno.statSync(new URL(file, root)).isFile), [true]);
  });

  it("reads modules with their parameters", () => {
    equal(ownModule("a/b.ko:x=1 y=a:b"), { file: "a/b.ko", parameters: "x=1 y=a:b" });
    equal(ownModule("a/b.ko"), { file: "a/b.ko", parameters: "" });
  });

  for (
    const [args, text] of [
      [["boot"], "no command boot"],
      [["run"], "wants a script"],
      [["test", "a", "b"], "takes no b"],
      [["--profile", "x", "run", "a"], "no profile x"],
      [["--memory", "12", "run", "a"], "--memory takes"],
      [["--timeout", "1.5", "run", "a"], "--timeout takes"],
      [["--accel", "xen", "run", "a"], "--accel takes"],
      [["--modules", "m", "run", "a"], "belongs to"],
      [["--own", "--kernel", "6.1", "test"], "--kernel 6.12, 7; not of 6.1"],
      [["--own", "--kernel-build", "b", "module"], "belongs to"],
      [["--own", "--kernel", "7", "--kernel-build", "b", "module"], "belongs to"],
      [["--own", "--kernel", "7", "--modules", "m", "test"], "belongs to"],
      [["--kernel-build", "b", "module"], "belongs to"],
      [["--module", "a.c", "run", "a"], ".ko"],
    ] as const
  ) {
    it(`refuses ${args.join(" ")}`, async () => {
      await rejects(() => parse(args), UsageProblem, text);
    });
  }

  it("refuses an option that is in no table", async () => {
    await rejects(() => parse(["run", "--bogus", "a"]), UsageError, "--bogus");
  });

  it("has a help with every command", async () => {
    equal((await parse(["run", "--help"])).command, "help");
    for (const word of ["shell", "prepare", "module", "run", "test", "profiles"]) {
      match(help(), new RegExp(`^  .*${word}`, "m"));
    }
  });
});
