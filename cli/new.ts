/**
 * `pinscope new`: a script to start from.
 *
 * @module
 */

import { nearest } from "../lib/base/nearest.ts";
import type { Context } from "./context.ts";
import { whyNot } from "./file_right.ts";
import { OutputError } from "./output.ts";
import { UsageError } from "./parse.ts";
import { scriptText, type Template, TEMPLATES } from "./template.ts";

/** Writes the script, where no file is yet. */
export function newScript({ out, parsed }: Context): number {
  const [given = ""] = parsed.positional;
  if (/(^|\/)(\.ts)?$/.test(given)) throw new UsageError(`NAME wants a file's name; got ${given}`);
  const word = parsed.values.get("template") ?? "setup";
  const template = templateNamed(word);
  const path = given.endsWith(".ts") ? given : `${given}.ts`;
  create(path, scriptText(template, path.replace(/.*\//, "")));
  const program = path.includes("/") ? path : `./${path}`;
  const runs = [`${program} --model`, `${program} --device ${template.device}`];
  out.record("script", { file: path, template: word, runs });
  out.line(`wrote ${path}, from the template ${word}`);
  out.line(`try it:        ${runs[0]}`);
  out.line(`on this host:  ${program} --device DEVICE`);
  return 0;
}

function templateNamed(word: string): Template {
  const names = Object.keys(TEMPLATES);
  const template = Object.hasOwn(TEMPLATES, word) ? TEMPLATES[word] : undefined;
  if (template !== undefined) return template;
  const near = nearest(word, names);
  const hint = near === undefined ? "" : `; did you mean ${near}?`;
  throw new UsageError(`--template wants one of ${names.join(", ")}; got ${word}${hint}`);
}

/** Makes a program of a text. A file that is there already stays as it is. */
function create(path: string, text: string): void {
  try {
    using file = Deno.openSync(path, { write: true, createNew: true, mode: 0o755 });
    for (let rest = new TextEncoder().encode(text); rest.length > 0;) {
      rest = rest.subarray(file.writeSync(rest));
    }
  } catch (cause) {
    const why = cause instanceof Deno.errors.AlreadyExists
      ? "there is such a file, and it is never written over: take another name"
      : whyNot(cause, { right: "write", path });
    throw new OutputError(`Cannot write ${path}: ${why}`, { cause });
  }
}
