/**
 * `pinscope quirks`: what is odd about a kernel's dirty pages.
 *
 * @module
 */

import { listHost } from "../mod.ts";
import { findQuirks, type QuirkResult } from "../lib/conform/mod.ts";
import { devicesOf } from "./conform_device.ts";
import type { Context } from "./context.ts";
import { columns, counted, wrap } from "./table.ts";

/** Probes, and describes the kernel; 1 if nothing could be probed. */
export function quirks({ out, kernel, parsed }: Context): number {
  const devices = parsed.positional.flatMap((target) => devicesOf(kernel, target));
  const found = findQuirks(kernel, { devices });
  const release = listHost({ kernel }).kernel ?? "an unknown kernel";
  out.record("kernel", { release });
  for (const { name, about, source, present, evidence } of found) {
    out.record("quirk", { name, present: present ?? null, evidence, about, source });
  }
  const known = found.filter(({ present }) => present !== undefined);
  const count = known.filter(({ present }) => present).length;
  out.lines(wrap(
    `${release}: ${counted(known.length, "quirk")} probed, ${count} of them here` +
      (known.length < found.length ? `; ${found.length - known.length} could not be` : ""),
    "  ",
  ));
  if (known.length > 0) {
    out.line();
    out.lines(columns([["QUIRK", "HERE", "SEEN"], ...known.flatMap(rows)]));
    out.line();
    for (const { name, about, present } of known) {
      if (present) out.lines(wrap(`${name}: ${about}`, "  "));
    }
  }
  const reasons = new Map<string, string[]>();
  for (const { name, present, evidence } of found) {
    if (present === undefined) reasons.set(evidence, [...reasons.get(evidence) ?? [], name]);
  }
  for (const [reason, names] of reasons) out.note(`${names.join(", ")}: not probed: ${reason}`);
  return known.length > 0 ? 0 : 1;
}

const NAME = 20;
const ROOM = 79 - NAME - 8;

/** A quirk with what was seen, which takes as many lines as it needs. */
function rows({ name, present, evidence }: QuirkResult): string[][] {
  const lines = [""];
  for (const word of evidence.split(" ")) {
    const line = lines.at(-1)!;
    if (line !== "" && line.length + 1 + word.length > ROOM) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.map((line, i) => i === 0 ? [name, present ? "yes" : "no", line] : ["", "", line]);
}
