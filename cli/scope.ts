/**
 * `pinscope scope`: what dirty bits mean for devices.
 *
 * @module
 */

import type { ScopeReport } from "../mod.ts";
import { attachAll } from "./maps.ts";
import type { Output } from "./output.ts";
import type { Context } from "./context.ts";
import { orLeave } from "./stuck.ts";
import { wrap } from "./table.ts";
import { checkDevice } from "./values.ts";

const EFFECTS: Readonly<Record<ScopeReport["groups"][number]["effect"], string>> = {
  all: "makes every mapped page dirty",
  none: "does not make every mapped page dirty",
  "until-pin": "makes every mapped page dirty until its driver pins",
};

/** Attaches the devices to one container and tells its dirty scope. */
export async function scope({ out, kernel, parsed, signal }: Context): Promise<number> {
  for (const device of parsed.positional) checkDevice(device);
  using container = attachAll(kernel, parsed.positional);
  // Drivers begin to pin when their device is opened.
  using devices = new DisposableStack();
  for (const group of container.groups) {
    for (const { name } of group.devices) {
      if (parsed.positional.some((given) => given.toLowerCase() === name)) {
        devices.use(group.device(name));
      }
    }
  }
  const byRule = container.scope();
  const probes = byRule.label === "unknown" && !parsed.flags.has("no-probe");
  if (probes) out.hint("the groups alone do not tell: mapping a page to see whether it is dirty");
  const read = probes ? container.probeScopeAsync() : Promise.resolve(byRule);
  show(out, await orLeave(read, signal, { out, container }));
  return 0;
}

function show(out: Output, report: ScopeReport): void {
  const { label, basis, reason, groups } = report;
  out.record("scope", { label, basis, reason });
  const known = { rule: "by rule", evidence: "by evidence", none: "open" }[basis];
  out.line(`dirty scope: ${label}, ${known}`);
  // A rule is about a group, and stands in its line.
  if (basis !== "rule" || groups.length === 0) out.lines(wrap(reason, "  "));
  for (const { group, effect, reason: why } of groups) {
    out.record("group", { group, effect, reason: why });
    out.lines(wrap(`group ${group} ${EFFECTS[effect]}: ${why}`, "  "));
  }
}
