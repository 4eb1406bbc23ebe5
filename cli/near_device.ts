/**
 * "Did you mean" for devices.
 *
 * @module
 */

import { type Kernel, listHost } from "../mod.ts";
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
