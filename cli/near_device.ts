/**
 * The names of devices and groups: "did you mean", and what shells complete.
 *
 * @module
 */

import { type HostDevice, type Kernel, listHost, rawLinux } from "../mod.ts";
import type { CommandName } from "./option.ts";
import type { Output } from "./output.ts";
import { distance } from "../lib/base/nearest.ts";

/** How many letters may be wrong: most of a PCI address is the same for all of them. */
const MOST = 2;

/** A device or a group, with what it is. */
interface Named {
  readonly name: string;
  readonly about: string;
}

/** Whether a command does something with a device that the host drives, or VFIO has. */
function suits(command: string | undefined, { bus, driver, kind, uses }: HostDevice): boolean {
  const isBound = driver?.includes("vfio") === true;
  if (command === "unbind") return bus === "pci" && isBound;
  if (command !== "bind") return true;
  // What nothing can be done about, as a mounted disk, is refused.
  const isFree = uses.every(({ remedy }) => remedy !== undefined);
  return bus === "pci" && !isBound && kind?.endsWith("bridge") !== true && isFree;
}

/** What a command can have now; all that there is for `info`, and where no command is named. */
export function namesFor(kernel: Kernel, command?: CommandName | string): Named[] {
  const { groups, ungrouped } = listHost({ kernel });
  const isAny = command === undefined || command === "info";
  const isOne = command === "bind" || command === "unbind";
  const named = groups.flatMap(({ number, state, devices }): Named[] => {
    if (!isAny && !isOne && state !== "ready") return [];
    const list = devices.filter((device) => suits(command, device)).map(({ name, driver }) => ({
      name,
      about: `${driver ?? "no driver"}, group ${number}`,
    }));
    if (isOne) return list;
    const text = devices.map(({ name }) => name).join(" ");
    const about = `${state === "ready" ? "ready" : "not ready"}: ${text}`;
    return [...list, { name: `group:${number}`, about }];
  });
  if (!isAny) return named;
  const lone = ungrouped.map(({ name, driver }) => ({
    name,
    about: `${driver ?? "no driver"}, no group`,
  }));
  return [...named, ...lone];
}

/**
 * The device or group that one of the operands, which the host does not have, may mean.
 *
 * @returns The nearest of those that the command can have.
 */
export function nearDevice(
  kernel: Kernel,
  operands: readonly string[],
  command?: CommandName,
): string | undefined {
  const all = namesFor(kernel).map(({ name }) => name);
  const missing = operands.map((text) => text.toLowerCase()).filter((text) => !all.includes(text));
  let best: string | undefined;
  let least = MOST + 1;
  for (const word of missing) {
    for (const { name } of namesFor(kernel, command)) {
      const far = distance(word, name);
      if (far < least) [best, least] = [name, far];
    }
  }
  return best;
}

/** Where Deno would ask for a right, a Tab must not. */
function mayAsk(): boolean {
  return Deno.permissions.querySync({ name: "ffi" }).state === "granted";
}

/**
 * `pinscope __devices [COMMAND] [--model]`, which completion calls: a name on each line, and behind a
 * tab what it is. Says nothing where it cannot know.
 */
export async function nameDevices(out: Output, args: readonly string[]): Promise<number> {
  const isModel = args.some((word) => /^--model(=|$)/.test(word));
  if (!isModel && !mayAsk()) return 0;
  const kernel = isModel ? new (await import("../lib/model/mod.ts")).ModelKernel() : rawLinux;
  const command = args.find((word) => !word.startsWith("-"));
  for (const { name, about } of namesFor(kernel, command)) out.text(`${name}\t${about}`);
  out.flush();
  return 0;
}
