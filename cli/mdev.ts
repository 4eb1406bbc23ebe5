/**
 * `pinscope mdev`: mediated devices.
 *
 * @module
 */

import { createMdev, type Kernel, listMdevTypes, removeMdev } from "../mod.ts";
import type { Output } from "./output.ts";
import { UsageError } from "./parse.ts";
import type { Context } from "./context.ts";
import { wrap } from "./table.ts";
import { meantWord, usage } from "./values.ts";

/** Lists, makes or removes mediated devices. */
export function mdev({ out, kernel, parsed }: Context): number {
  const [verb = "", ...names] = parsed.positional;
  const takes = (least: number, most: number, form: string): void => {
    if (names.length >= least && names.length <= most) return;
    throw new UsageError(`mdev ${verb} takes ${form}; got ${names.join(" ") || "nothing"}`);
  };
  switch (verb) {
    case "types":
      takes(0, 0, "no name");
      return types(out, kernel);
    case "create":
      takes(2, 3, "PARENT TYPE [UUID]");
      return create(out, kernel, names);
    case "remove":
      takes(1, 1, "a UUID");
      usage(() => removeMdev(names[0] ?? "", { kernel }));
      out.record("removed", { uuid: names[0] ?? "" });
      out.line(`removed ${names[0]}`);
      return 0;
    default:
      throw new UsageError(
        `mdev knows types, create and remove; got ${JSON.stringify(verb)}${
          meantWord(verb, ["types", "create", "remove"])
        }`,
      );
  }
}

function types(out: Output, kernel: Kernel): number {
  const found = listMdevTypes({ kernel });
  if (found.length === 0) out.note("no driver here offers mediated devices");
  for (const { parent, type, name, description, api, available, devices } of found) {
    out.record("type", {
      parent,
      mdevType: type,
      name: name ?? null,
      description: description ?? null,
      api: api ?? null,
      available: available ?? null,
      devices: [...devices],
    });
    out.line(`${parent} ${type}`);
    const facts = [name, api, available === undefined ? undefined : `${available} more`];
    out.lines(wrap(`  ${facts.filter((fact) => fact !== undefined).join("; ")}`, "  "));
    for (const uuid of devices) out.line(`  ${uuid}`);
  }
  return 0;
}

function create(out: Output, kernel: Kernel, names: readonly string[]): number {
  const [parent = "", type = "", uuid] = names;
  const made = usage(() => createMdev(parent, type, uuid, { kernel }));
  out.record("created", { uuid: made.uuid, group: made.group });
  out.line(`${made.uuid}  group ${made.group}`);
  return 0;
}
