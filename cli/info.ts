/**
 * `pinscope info`: the host.
 *
 * @module
 */

import { type Host, type HostDevice, type HostGroup, listHost } from "../mod.ts";
import { deviceLines, todoLines } from "./device_lines.ts";
import { deviceInfo } from "./info_device.ts";
import type { Json, Output } from "./output.ts";
import type { Context } from "./context.ts";
import { columns, wrap } from "./table.ts";

/** Shows the host, or a device. */
export function info(context: Context): number {
  const { out, kernel, parsed } = context;
  const [device] = parsed.positional;
  if (device !== undefined) return deviceInfo(context, device);
  const host = listHost({ kernel });
  if (out.json) records(out, host);
  else out.lines(text(host));
  return 0;
}

function records(out: Output, host: Host): void {
  const { groups, ungrouped, kernel = null, dmaEntryLimit = null, advice } = host;
  const { hasContainer, hasIommufd, allowsUnsafeInterrupts = null } = host;
  const nodes = { hasContainer, hasIommufd };
  out.record("host", { kernel, ...nodes, dmaEntryLimit, allowsUnsafeInterrupts, advice });
  for (const { number, state, isViable, toBind, devices } of groups) {
    out.record("group", { group: number, state, isViable, toBind });
    for (const device of devices) out.record("device", { group: number, ...fields(device) });
  }
  for (const device of ungrouped) out.record("device", { group: null, ...fields(device) });
}

function fields(device: HostDevice): Readonly<Record<string, Json>> {
  const { name, bus, driver = null, id = null, kind = null, node = null, uses } = device;
  return { name, bus, id, kind, driver, node, uses: uses.map(({ text }) => text) };
}

const STATES: Readonly<Record<HostGroup["state"], string>> = {
  ready: "ready",
  blocked: "not viable: the host still drives a device of it",
  host: "not bound to VFIO",
  "no-iommu": "no IOMMU translates for it",
};

function text(host: Host): string[] {
  const { groups, ungrouped, dmaEntryLimit, allowsUnsafeInterrupts: unsafe } = host;
  const type1 = dmaEntryLimit === undefined
    ? "not loaded"
    : `dma_entry_limit ${dmaEntryLimit}, allow_unsafe_interrupts ${unsafe ? "Y" : "N"}`;
  const head = columns([
    ["kernel", host.kernel ?? "unknown"],
    ["/dev/vfio/vfio", host.hasContainer ? "present" : "absent"],
    ["/dev/iommu", host.hasIommufd ? "present" : "absent"],
    ["type1", type1],
    ["groups", `${groups.length}, ${groups.filter((g) => g.state === "ready").length} ready`],
  ]);
  const lines = deviceLines([...groups.flatMap(({ devices }) => devices), ...ungrouped]);
  const list = (devices: readonly HostDevice[]): string[] =>
    devices.map((device) => lines.get(device) ?? "");
  const blocks = groups.map((group) => [
    `group ${group.number}: ${STATES[group.state]}`,
    ...list(group.devices),
    ...todoLines(group),
  ]);
  if (ungrouped.length > 0) blocks.push(["without a group:", ...list(ungrouped)]);
  const advice = host.advice.flatMap((sentence) => wrap(sentence, "  "));
  return [head, ...blocks, ...(advice.length > 0 ? [advice] : [])]
    .flatMap((block, i) => i === 0 ? block : ["", ...block]);
}
