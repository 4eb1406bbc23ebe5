import { VERSION } from "../../cli/main.ts";
import { COMMANDS } from "../../cli/commands.ts";
import { optionsOf } from "../../cli/option.ts";
import { TOPICS } from "../../cli/topics.ts";
import config from "../../deno.json" with { type: "json" };
import { equal, match, ok } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { run, tooWide, unwrapped } from "./capture.ts";

describe("the version", () => {
  it("is that of deno.json", () => equal(VERSION, config.version));

  for (const option of ["--version", "-V"]) {
    it(`is shown by ${option}`, async () => {
      equal(await run([option]), { code: 0, out: `pinscope ${VERSION}\n`, err: "" });
    });
  }
});

describe("help", () => {
  it("names every command", async () => {
    const { code, out, err } = await run(["--help"]);
    equal([code, err], [0, ""]);
    for (const { name, about } of COMMANDS) {
      match(out, new RegExp(`^  ${name}\\b.*${about}$`, "m"));
    }
    equal(tooWide(out), []);
  });

  it("is an answer to no argument at all, on stderr", async () => {
    const { code, out, err } = await run([]);
    equal([code, out], [2, ""]);
    equal(err, (await run(["--help"])).out);
  });

  for (const command of COMMANDS) {
    it(`of ${command.name} has its usage, options, examples and exit codes`, async () => {
      const { code, out, err } = await run([command.name, "--help"]);
      equal([code, err], [0, ""]);
      match(out, new RegExp(`^usage: pinscope ${command.name}`));
      for (const { name, about } of optionsOf(command)) {
        ok(out.split("\n").some((line) => line.includes(`--${name}`) && line.endsWith(about)));
      }
      ok(command.examples.length >= 2 && command.examples.length <= 4);
      // Help puts "pinscope" in front: another program cannot stand first.
      const words = command.examples.map(([line]) => line.split(" ")[0]);
      ok(words.every((word) => COMMANDS.some(({ name }) => name === word)), words.join());
      for (const [line] of command.examples) ok(out.includes(`  pinscope ${line}\n`), line);
      const said = /^exit codes: [^]*/m.exec(unwrapped(out))?.[0] ?? "";
      match(said, /^exit codes: 0 .* 1 .* 2 .* 130 Ctrl-C, 143 SIGTERM\n$/);
      const verdicts = {
        plan: "the mappings do not fit",
        replay: "something differs",
        converge: "it does not converge for certain",
        diff: "the recordings differ",
        conform: "something differs, or nothing could be compared",
        quirks: "nothing could be probed",
      };
      const verdict = Object.entries(verdicts).find(([name]) => name === command.name)?.[1];
      match(said, new RegExp(verdict === undefined ? " failed, 2" : ` failed, or ${verdict}, 2`));
      equal(tooWide(out), []);
    });

    it(`of ${command.name} is also: help ${command.name}`, async () => {
      equal(await run(["help", command.name]), await run([command.name, "-h"]));
    });
  }

  it("may be asked for in any way", async () => {
    const general = await run(["--help"]);
    for (const args of [["-h"], ["help"], ["help", "--model"]]) equal(await run(args), general);
    equal(await run(["--help", "dirty"]), await run(["dirty", "--help"]));
  });
});

describe("help about a topic", () => {
  for (const { name, about, text } of TOPICS) {
    it(`is there for ${name}`, async () => {
      const { code, out, err } = await run(["help", name]);
      equal([code, err], [0, ""]);
      ok(out.startsWith(`${name}: ${about}\n\n${text}\n\nsee also: pinscope `), out);
      equal(tooWide(out), []);
      match((await run(["--help"])).out, new RegExp(`^  help ${name} +${about}$`, "m"));
    });

    it(`names in ${name} only what there is`, () => {
      const helps = [...text.matchAll(/pinscope help ([a-z-]+)/g)].map(([, word]) => word);
      for (const [path] of text.matchAll(/\b(examples|docs|tests|cli|lib)\/[\w./-]*\w/g)) {
        ok(Deno.statSync(new URL(`../../${path}`, import.meta.url)), path);
      }
      ok(helps.every((word) => TOPICS.some((topic) => topic.name === word)), helps.join());
      for (const [, word, rest = ""] of text.matchAll(/pinscope ([a-z]+)(.*)$/gm)) {
        if (word === "help") continue;
        const command = COMMANDS.find((one) => one.name === word);
        ok(command !== undefined, word);
        for (const [, option] of rest.matchAll(/--([a-z-]+)/g)) {
          ok(optionsOf(command).some((row) => row.name === option), `${word} --${option}`);
        }
      }
    });
  }

  it("is found in capitals too, as the error number is written", async () => {
    equal(await run(["help", "EINVAL"]), await run(["help", "einval"]));
  });

  it("is pointed to by the commands that it is about", async () => {
    for (const { name, commands } of TOPICS) {
      for (const command of commands) {
        const { out } = await run([command, "--help"]);
        match(unwrapped(out), new RegExp(`^see also: .*pinscope help ${name}\\b`, "m"));
      }
    }
  });

  it("has no name that a command has: that is what is shown then", () => {
    equal(TOPICS.filter(({ name }) => COMMANDS.some((one) => one.name as string === name)), []);
  });
});

describe("wrong use", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["infoo", /There is no command infoo: did you mean info\?/],
    ["dir", /did you mean dirty\?/],
    [
      "frobnicate",
      new RegExp(
        `no command frobnicate: there are ${COMMANDS.map(({ name }) => name).join(", ")}; ` +
          `topics of help are ${TOPICS.map(({ name }) => name).join(", ")}$`,
        "m",
      ),
    ],
    ["help infoo", /did you mean info\?/],
    ["help labls", /did you mean help labels\?/],
    ["Labls", /did you mean help labels\?/],
    ["EINVAL", /There is no command EINVAL, but a topic: pinscope help EINVAL/],
    ["labls", /did you mean help labels\?/],
    ["labels", /There is no command labels, but a topic: pinscope help labels/],
    ["--json", /A command is missing, as in: info --json/],
    ["--jsno", /Unknown option --jsno; did you mean --json\?/],
    ["--version --json", /--version stands alone/],
    ["demo --jsno", /Unknown option --jsno; did you mean --json\?/],
    ["dirty d --intervall 2", /Unknown option --intervall; did you mean --interval\?/],
    ["demo --zzz", /Unknown option --zzz$/m],
    ["demo -x", /Unknown option -x$/m],
    ["demo 1", /demo takes no argument; got 1/],
    ["pins 1301", /A device is a PCI address like .*; got "1301"/],
    ["pins --count 2", /--interval and --count go with --watch or a DEVICE/],
    ["pins --map 0:4K", /--map goes with a DEVICE/],
    ["pins group:3 --pid 1", /--pid goes without a DEVICE/],
    ["scope", /scope needs a DEVICE; got nothing/],
    ["diff a.psr", /diff needs A and B; got a\.psr/],
    ["plan", /plan needs at least one --map IOVA:SIZE\[,COUNT\]/],
    ["plan --map 4G", /--map takes IOVA:SIZE or IOVA:SIZE,COUNT, as 4G:64M,16; got "4G"/],
    ["plan --map 0:4K,0", /--map takes a whole number from 1 to 1000000; got "0"/],
    ["info a b", /info takes one DEVICE; got a b/],
    ["bind", /bind needs a DEVICE; got nothing$/m],
    ["diff x", /diff needs A and B; got x$/m],
    ["mdev", /mdev needs a VERB; got nothing$/m],
    ["dirty", /a DEVICE is needed, or --from FILE/],
    ["info x", /A device is a PCI address like .* device, or group:12; got "x"/],
    ["dirty 00:10.0", /got "00:10.0"/],
    ["bind group:3", /bind takes a PCI address like 0000:00:10.0; got "group:3"/],
    ["info 0000:00:99.0", /got "0000:00:99\.0"; a slot is 00 to 1f; got 99$/m],
    ["info 00:02.9", /got "00:02\.9"; a function is 0 to 7; got 9$/m],
    ["bind 00:10.0", /got "00:10.0"; did you mean 0000:00:10.0\?/],
    ["bind 12", /got "12"$/m],
    ["unbind x", /unbind takes a PCI address like 0000:00:10.0; got "x"/],
    ["pins --pid 0", /--pid takes a whole number from 1 to \d+; got "0"/],
    ["pins --pid 1.5", /--pid takes a whole number from 1 to \d+; got "1.5"/],
    ["pins --pid x", /--pid takes a whole number from 1 to \d+; got "x"/],
    ["dirty group:3 --count 0", /--count takes a whole number from 1 to \d+; got "0"/],
    ["dirty group:3 --count=-1", /--count takes a whole number from 1 to \d+; got "-1"/],
    ["dirty group:3 --count 1e3", /got "1e3"/],
    ["dirty group:3 --interval x", /--interval takes a number from 0 to 604800; got "x"/],
    ["dirty group:3 --interval -1", /from 0 to 604800; got "-1"/],
    ["dirty group:3 --interval=-1", /from 0 to 604800; got "-1"/],
    ["dirty group:3 --interval 604801", /from 0 to 604800; got "604801"/],
    ["dirty group:3 --max-runs x", /--max-runs takes a whole number from 0 to/],
    ["dirty group:3 --budget 7", /--budget takes a size from 8 bytes to 2G; got "7"/],
    ["dirty group:3 --budget 3G", /--budget takes a size from 8 bytes to 2G; got "3G"/],
    ["dirty group:3 --budget x", /--budget: A size is a whole number like .*; got "x"/s],
    ["dirty group:3 --map 4096", /--map takes IOVA:SIZE, as 4G:64M; got "4096"/],
    ["dirty group:3 --map 1:2:3", /--map takes IOVA:SIZE, as 4G:64M; got "1:2:3"/],
    ["dirty group:3 --map x:4K", /--map: A size is a whole number like .*; got "x"/s],
    ["dirty group:3 --map 0x1000:0 --model", /multiple of 0x1000 and more than 0; got 0x0/],
    ["dirty group:3 --map 0x1000:5 --model", /multiple of 0x1000 and more than 0; got 0x5/],
    ["dirty group:3 --map 1:4K --model --source type1", /iova must be a multiple of the page size/],
    ["dirty group:3 --map 0xfee00000:4K --model=6.12", /outside the IOVA ranges/],
    ["dirty group:3 --map 1:4K --model", /iova must be a multiple of 0x1000; got 0x1/],
    ["dirty group:3 --map 0xfee00000:4K --model", /must lie in one of/],
    ["dirty group:3 --map 1M:8K --map 1M:4K --model", /overlaps the mapping/],
  ];

  for (const [line, expected] of cases) {
    it(`is refused with 2: ${line}`, async () => {
      const { code, out, err } = await run(line.split(" "));
      equal([code, out.replace(/^{.*\n/gm, "")], [2, ""]);
      match(unwrapped(err), expected);
      match(err, /pinscope: see: pinscope (\w+ )?--help\n$/);
      equal(tooWide(err), []);
    });
  }
});

describe("options before the command", () => {
  it("count as behind it", async () => {
    equal(await run(["--json", "--model", "info"]), await run(["info", "--model", "--json"]));
  });
});
