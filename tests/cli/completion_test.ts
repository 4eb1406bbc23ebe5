/** Completion, asked of the shells themselves. */
import { bashScript } from "../../cli/completion_bash.ts";
import { COMMANDS } from "../../cli/commands.ts";
import { completed } from "../../cli/completion.ts";
import { optionsOf } from "../../cli/option.ts";
import { TOPICS } from "../../cli/topics.ts";
import { equal, match, ok } from "../std/assert.ts";
import { describe, it, skip } from "../std/testing.ts";
import { run } from "./capture.ts";
import { hasShell, quoted, Shell } from "./shells.ts";

const UUID = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";

/** Lines up to a Tab, and what it offers. */
const CASES: readonly (readonly [string, readonly string[]])[] = [
  ["wa", ["watch"]],
  ["di", ["diff", "dirty"]],
  ["--vers", ["--version"]],
  ["help sco", ["scope", "scope-rule"]],
  ["dirty --ma", ["--map", "--max-runs"]],
  ["dirty --source l", ["log"]],
  ["dirty --source=t", ["type1"]],
  ["dirty --profile 6", ["6.1", "6.12"]],
  ["new x --template d", ["dirty", "dma"]],
  ["dirty --model=6", ["6.1", "6.12"]],
  ["dirty 0000:00:1", []],
  ["dirty --model 0000:00:1", ["0000:00:10.0"]],
  ["--model=6.1 bind 0000:00:", ["0000:00:03.0", "0000:00:11.0"]],
  ["unbind --model 0000:00:", ["0000:00:10.0"]],
  ["info --model 0000:00:0", ["0000:00:03.0", "0000:00:04.0"]],
  [`dirty --model --map 4G:1G ${UUID.slice(0, 3)}`, [UUID]],
  ["pins --model group:5 group:", ["group:3", "group:5"]],
  ["mdev t", ["types"]],
  ["completion z", ["zsh"]],
  ["replay on", ["one.psr"]],
  ["dirty --from on", ["one.psr"]],
];

/** What is offered, as the program would get it: bash leaves out what stands before a break. */
function whole(line: string, offered: string): string {
  const word = line.split(" ").at(-1) ?? "";
  const [option = "", value] = word.startsWith("--") ? word.split("=") : ["", word];
  const text = offered.startsWith(`${option}=`) ? offered.slice(option.length + 1) : offered;
  const head = (value ?? "").slice(0, (value ?? "").lastIndexOf(":") + 1);
  return text.startsWith(head) ? text : head + text;
}

async function offered(shell: Shell, answers: (lines: string[]) => Promise<string>): Promise<void> {
  const lines = CASES.map(([line]) => line);
  const blocks = (await answers(lines)).split("== \n").slice(1);
  equal(blocks.length, CASES.length, shell.name);
  for (const [i, [line, wanted]] of CASES.entries()) {
    const words = (blocks[i] ?? "").split("\n").map((word) => word.trim()).filter((w) => w !== "");
    equal([line, words.map((word) => whole(line, word)).sort()], [line, [...wanted].sort()]);
  }
}

async function script(name: string): Promise<string> {
  const { code, out, err } = await run(["completion", name]);
  equal([code, err], [0, ""]);
  return out;
}

/** A test that needs a shell. */
function inShell(name: string, body: (shell: Shell) => Promise<void>): void {
  const title = `works in ${name}`;
  if (!hasShell(name)) {
    skip(title, `${name} is not installed here: apt-get install ${name}`);
    return;
  }
  it(title, async () => {
    await using shell = await Shell.make(name, await script(name));
    await body(shell);
  });
}

describe("completion in a shell", () => {
  inShell("bash", (shell) =>
    offered(shell, (lines) =>
      shell.run(
        ["--norc"],
        `source ./script; complete -p pinscope >/dev/null || exit 3
        for line in ${lines.map((line) => quoted(`pinscope ${line}`)).join(" ")}; do
          COMP_LINE="$line" COMP_POINT=\${#line}
          _pinscope 2>&1; echo "== "; printf '%s\\n' "\${COMPREPLY[@]}"
        done`,
      )));

  inShell("fish", (shell) =>
    offered(shell, (lines) =>
      shell.run(
        ["--no-config"],
        `source ./script
        for line in ${lines.map((line) => quoted(`pinscope ${line}`)).join(" ")}
          echo "== "; complete -C $line | string replace -r '\\t.*' ''
        end; true`,
      )));

  inShell("zsh", (shell) => offered(shell, (lines) => shell.run(["-f"], zshSession(lines))));
});

/** A zsh on a terminal of its own, whose Tab prints what it would offer. */
function zshSession(lines: readonly string[]): string {
  const inner = `unset zle_bracketed_paste; autoload -Uz compinit; compinit -u -D; source ./script
compadd() {
  if [[ "\${@[1,(i)(-|--)]}" == *-(O|A|D)\\ * ]]; then builtin compadd "$@"; return; fi
  typeset -a hits; builtin compadd -A hits "$@"; print -rl -- "" HIT:\${^hits} ""
  builtin compadd "$@"
}
told() { _main_complete; compstate[insert]=; compstate[list]=; print -r -- EN""D }
zle -C told complete-word told; bindkey "^I" told; print RE""ADY`;
  return `zmodload zsh/zpty; zpty z zsh -f -i
  zpty -w z ${quoted(inner)}; zpty -r z out '*READY*'
  for line in ${lines.map((line) => quoted(`pinscope ${line}`)).join(" ")}; do
    zpty -w -n z $'\\x15'"$line"$'\\t'; zpty -r z out '*END*'
    print -r -- "== "
    for hit in \${(M)\${(f)out}:#HIT:*}; do print -r -- "\${hit#HIT:}"; done
  done
  zpty -d z`;
}

describe("pinscope completion", () => {
  it("knows every command, option and topic of the tables", () => {
    const { commands } = completed();
    for (const command of COMMANDS) {
      const found = commands.find(({ name }) => name === command.name);
      equal(found?.options.map(({ name }) => name), optionsOf(command).map(({ name }) => name));
    }
    const help = commands.find(({ name }) => name === "help")?.first ?? [];
    for (const { name } of [...COMMANDS, ...TOPICS]) ok(help.includes(name), name);
    ok(!bashScript(completed()).includes("undefined"));
  });

  it("refuses another shell", async () => {
    const { code, err } = await run(["completion", "fihs"]);
    equal(code, 2);
    match(err, /SHELL is bash, zsh or fish; got "fihs"; did you mean fish\?/);
  });
});

describe("pinscope __devices", () => {
  it("names devices and groups, each with what it is", async () => {
    const { code, out, err } = await run(["__devices", "--model"]);
    equal([code, err], [0, ""]);
    const lines = out.trimEnd().split("\n").map((line) => line.split("\t"));
    ok(lines.every((line) => line.length === 2 && line.every((part) => part !== "")));
    equal(lines.filter(([name]) => name === "0000:00:10.0"), [[
      "0000:00:10.0",
      "vfio-pci, group 3",
    ]]);
    equal(lines.filter(([name]) => name === "group:3"), [["group:3", "ready: 0000:00:10.0"]]);
  });

  it("names what a command can have", async () => {
    const names = async (command: string): Promise<string[]> =>
      (await run(["__devices", command, "--model"])).out.split("\n").map((line) =>
        line.split("\t")[0] ?? ""
      ).filter((name) => name !== "");
    equal(await names("watch"), ["0000:00:10.0", "group:3", UUID, "group:5"]);
    // On the other one is the root file system.
    equal(await names("bind"), ["0000:00:03.0", "0000:00:11.0"]);
    equal(await names("unbind"), ["0000:00:10.0"]);
    ok((await names("info")).includes("group:1"));
  });

  it("asks for no right", async () => {
    const { spawn } = await import("./capture.ts");
    equal(await spawn(["__devices"]), { code: 0, out: "", err: "" });
  });
});
