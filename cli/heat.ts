/**
 * `pinscope heat`: a picture of dirty pages.
 *
 * @module
 */

import { HeatBuilder, renderHeatmap, type ViewHead } from "../lib/view/mod.ts";
import type { Context } from "./context.ts";
import { measure, readRounds } from "./measure.ts";
import { UsageError } from "./parse.ts";
import { writeFile } from "./write_file.ts";

const ROUNDS = 16;

/** Measures, and draws. */
export async function heat(context: Context): Promise<number> {
  const { out, parsed } = context;
  if (out.json) throw new UsageError("heat writes a picture; for numbers: pinscope dirty --json");
  const plan = readRounds(parsed, ROUNDS);
  const path = parsed.values.get("out");
  let about: ViewHead | undefined;
  let builder: HeatBuilder | undefined;
  await measure(context, plan, {
    begin: (head, mappings) => {
      about = head;
      builder = new HeatBuilder({ pageSize: head.pageSize, mappings });
    },
    add: (round) => builder?.add(round),
  });
  if (about === undefined || builder === undefined) throw new Error("nothing was measured");
  const text = renderHeatmap(builder.data(), {
    title: `dirty pages of ${about.devices.join(", ")}`,
    subtitle: [about.kernel, about.source, about.command].filter(Boolean).join("; "),
    kind: parsed.flags.has("address") ? "address" : "time",
  });
  if (path === undefined) out.text(text);
  else {
    writeFile(path, text);
    out.note(`wrote ${path}`);
  }
  return 0;
}
