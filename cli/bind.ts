/**
 * `pinscope bind` and `pinscope unbind`.
 *
 * @module
 */

import { bindDevice, type Rebound, unbindDevice } from "../mod.ts";
import type { Output } from "./output.ts";
import type { Context } from "./context.ts";
import { usage } from "./values.ts";

/** Gives a device to vfio-pci. */
export function bind({ out, kernel, parsed }: Context): number {
  const [name = ""] = parsed.positional;
  const done = usage(() => bindDevice(name, { kernel }));
  show(out, done);
  if (done.isBootDisplay) {
    out.note("the firmware used the device for its display: the console may be gone");
  }
  if (done.blockedBy.length === 0) {
    out.hint(`group ${done.group} is ready; for another user: chown USER /dev/vfio/${done.group}`);
  }
  for (const other of done.blockedBy) {
    out.note(`group ${done.group} is not viable yet; type: pinscope bind ${other}`);
  }
  return 0;
}

/** Gives a device back to the host. */
export function unbind({ out, kernel, parsed }: Context): number {
  const [name = ""] = parsed.positional;
  const done = usage(() => unbindDevice(name, { kernel }));
  show(out, done);
  if (done.to === undefined) out.note("no driver of the host took the device");
  return 0;
}

function show(out: Output, done: Rebound): void {
  const { device, group, from = null, to = null, blockedBy, isBootDisplay } = done;
  out.record("rebound", { device, group, from, to, blockedBy, isBootDisplay });
  const change = from === to ? `${to} already` : `${from ?? "no driver"} -> ${to ?? "no driver"}`;
  out.line(`${device}: ${change} (group ${group})`);
}
