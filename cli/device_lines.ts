/**
 * Devices of the host as lines.
 *
 * @module
 */

import type { HostDevice, HostGroup } from "../mod.ts";
import { columns, wrap } from "./table.ts";

/** A line for each device, aligned among those that have an address, and those that have a UUID. */
export function deviceLines(devices: readonly HostDevice[]): Map<HostDevice, string> {
  const lines = new Map<HostDevice, string>();
  for (const isPci of [true, false]) {
    const some = devices.filter(({ bus }) => (bus === "pci") === isPci);
    columns(some.map(row)).forEach((line, i) => lines.set(some[i]!, line));
  }
  return lines;
}

function row(device: HostDevice): string[] {
  const { name, bus, driver = "no driver", id = "", kind = "other", node } = device;
  const at = node === undefined ? [] : [node.slice(node.lastIndexOf("/") + 1)];
  return bus === "pci" ? [`  ${name}`, id, kind, driver, ...at] : [`  ${name}`, bus, driver, ...at];
}

/** What to type for a group: to end what the host does with it, and then to bind. */
export function todoLines({ devices, toBind }: HostGroup): string[] {
  const uses = devices.flatMap((device) => device.uses);
  const isFree = uses.every(({ remedy }) => remedy !== undefined);
  return [
    ...uses.map(({ text, remedy }) => remedy === undefined ? text : `${text}: ${remedy}`),
    ...(isFree ? toBind.map((name) => `for VFIO: pinscope bind ${name}`) : []),
  ].flatMap((text) => wrap(`  ${text}`, "    "));
}
