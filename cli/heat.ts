/**
 * `pinscope heat`: a picture of dirty pages.
 *
 * @module
 */

import { HeatBuilder, renderHeatmap, type ViewHead } from "../lib/view/mod.ts";
import type { Context } from "./context.ts";
import { measure, readRounds } from "./measure.ts";
import { UsageError } from "./parse.ts";
import { writeOut } from "./write_file.ts";

const ROUNDS = 16;

/** Measures, and draws. */
export async function heat(context: Context): Promise<number> {
  const { out, parsed } = context;
  if (out.json) throw new UsageError("heat writes a picture; for numbers: pinscope dirty --json");
  const plan = readRounds(parsed, ROUNDS);
  let about: ViewHead | undefined;
  const builder = await measure(context, plan, (head, mappings) => {
    about = head;
    return new HeatBuilder({ pageSize: head.pageSize, mappings });
  });
  const text = renderHeatmap(builder.data(), {
    title: `dirty pages of ${(about?.devices ?? plan.devices).join(", ")}`,
    subtitle: [about?.kernel, about?.source, about?.command].filter(Boolean).join("; "),
    kind: parsed.flags.has("address") ? "address" : "time",
  });
  writeOut(out, parsed.values.get("out"), text);
  return 0;
}
