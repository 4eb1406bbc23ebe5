/**
 * Lines of shell in the documentation: whether what they call is there and takes what it is given.
 *
 * @module
 */

import { commandNamed } from "../../cli/commands.ts";
import { optionsOf } from "../../cli/option.ts";
import { loadParser } from "../../cli/parse.ts";
import { splitProfile } from "../../cli/profile.ts";
import { parse as parseLab } from "../lab/cli.ts";
import { ROOT } from "./doc_blocks.ts";

/** Programs of other people: that a line is well formed is all that can be said. */
const FOREIGN: ReadonlySet<string> = new Set(
  ["apt-get", "chown", "modprobe", "strace", "ulimit"],
);

/** The commands of a block, without comments; pipes are taken apart. */
export function commandsOf(text: string): string[][] {
  return text.split("\n").map((line) => line.replace(/(^|\s)#.*$/, "").trim())
    .filter((line) => line !== "")
    .flatMap((line) => line.replace(/\s*(2>&1|[<>]\s*\S+)/g, "").split(" | "))
    .map((command) => command.trim().split(/\s+/).map((word) => word.replaceAll('"', "")))
    .map((words) => words.slice(words.findIndex((word) => !/^(sudo|env|[A-Z_]+=.*)$/.test(word))));
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(new URL(path, ROOT)) !== undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function checkPinscope(args: readonly string[]): Promise<void> {
  const [word = "", ...rest] = args;
  const command = commandNamed(word);
  if (command === undefined) throw new Error(`there is no command ${word}`);
  const { positional } = (await loadParser())(optionsOf(command), splitProfile(rest));
  const [least, most] = command.count;
  if (positional.length < least || positional.length > most) {
    throw new Error(`${word} takes ${least} to ${most} operands; got ${positional.join(" ")}`);
  }
}

async function checkTask(args: readonly string[]): Promise<void> {
  const [task = "", ...rest] = args;
  const { tasks } = JSON.parse(Deno.readTextFileSync(new URL("deno.json", ROOT))) as {
    tasks: Record<string, unknown>;
  };
  if (!(task in tasks)) throw new Error(`there is no task ${task}`);
  if (task === "pinscope") await checkPinscope(rest);
  if (task !== "lab") return;
  const { command, words } = await parseLab(rest);
  if (command !== "run") return;
  const [what = "", ...others] = words;
  if (what === "pinscope") await checkPinscope(others);
  else if (what.endsWith(".ts") && !exists(what)) throw new Error(`there is no ${what}`);
}

async function checkDeno(args: readonly string[]): Promise<void> {
  const [verb = "", ...rest] = args;
  if (verb === "task") return await checkTask(rest);
  if (!["run", "install", "doc"].includes(verb)) throw new Error(`deno ${verb} is not known here`);
  const named = rest.find((word) => /^[^-].*\.ts$/.test(word));
  // script.ts is the reader's own, and the packed file what the line before has made.
  if (named !== undefined && named !== "script.ts" && !exists(named)) {
    throw new Error(`there is no ${named}`);
  }
}

/**
 * Checks one command.
 *
 * @throws {Error} If it calls what is not there, or gives it what it does not take.
 */
export async function checkCommand(words: readonly string[]): Promise<void> {
  const [program = "", ...args] = words;
  if (program === "pinscope") return await checkPinscope(args);
  if (program === "deno" || program === "./deno") return await checkDeno(args);
  if (program === "npx") {
    if (args[0] !== "-y" || args[1] !== "deno@2") throw new Error("npx is for deno@2");
    return await checkDeno(args.slice(2));
  }
  if (program === "bash") {
    if (!exists(args[0] ?? "")) throw new Error(`there is no ${args[0]}`);
    return;
  }
  // A program that the reader has made.
  if (program.startsWith("./")) return;
  if (!FOREIGN.has(program)) throw new Error(`${program} is not known here`);
}
