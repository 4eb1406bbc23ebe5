/**
 * `pinscope report`: a page for a browser.
 *
 * @module
 */

import { renderReport, ReportBuilder } from "../lib/view/mod.ts";
import type { Context } from "./context.ts";
import { measure, readRounds } from "./measure.ts";
import { UsageError } from "./parse.ts";
import { writeOut } from "./write_file.ts";

const ROUNDS = 16;

/** Measures, and writes the page. */
export async function report(context: Context): Promise<number> {
  const { out, parsed } = context;
  if (out.json) throw new UsageError("report writes a page; for numbers: pinscope dirty --json");
  const plan = readRounds(parsed, ROUNDS);
  const done = await measure(context, plan, (head, mappings) => new ReportBuilder(head, mappings));
  writeOut(out, parsed.values.get("out"), renderReport(done.data()));
  return 0;
}
