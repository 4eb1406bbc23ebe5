/**
 * The names of devices and groups: "did you mean", and what shells complete.
 *
 * @module
 */

import { type Kernel, listHost, rawLinux } from "../mod.ts";
import type { Output } from "./output.ts";
import { distance } from "../lib/base/nearest.ts";

/** How many letters may be wrong: most of a PCI address is the same for all of them. */
const MOST = 2;

/**
 * The device or group of the host that one of the operands, which it does not have, may mean.
 *
 * @returns The nearest; of two that are as near, one that VFIO can have now.
 */
export function nearDevice(kernel: Kernel, operands: readonly string[]): string | undefined {
  const { groups, ungrouped } = listHost({ kernel });
  const first = groups.toSorted((a, b) =>
    Number(b.state === "ready") - Number(a.state === "ready")
  );
  const devices = [...first.flatMap((group) => group.devices), ...ungrouped].map(({ name }) =>
    name
  );
  const names = [...devices, ...first.map(({ number }) => `group:${number}`)];
  const missing = operands.map((text) => text.toLowerCase()).filter((text) =>
    !names.includes(text)
  );
  let best: string | undefined;
  let least = MOST + 1;
  for (const word of missing) {
    for (const name of names) {
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
 * `pinscope __devices`, which completion calls: a name on each line, and behind a tab what it is.
 * Says nothing where it cannot know.
 */
export async function nameDevices(out: Output, isModel: boolean): Promise<number> {
  if (!isModel && !mayAsk()) return 0;
  const kernel = isModel ? new (await import("../lib/model/mod.ts")).ModelKernel() : rawLinux;
  const { groups, ungrouped } = listHost({ kernel });
  for (const { number, state, devices } of groups) {
    for (const { name, driver } of devices) {
      out.text(`${name}\t${driver ?? "no driver"}, group ${number}`);
    }
    const text = devices.map(({ name }) => name).join(" ");
    out.text(`group:${number}\t${state === "ready" ? "ready" : "not ready"}: ${text}`);
  }
  for (const { name, driver } of ungrouped) {
    out.text(`${name}\t${driver ?? "no driver"}, no group`);
  }
  out.flush();
  return 0;
}
