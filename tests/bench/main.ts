/**
 * What Pinscope costs, as ratios against native code in the same run.
 *
 *     deno task bench [--json] [--check] [--only NAME] [--large] [--lab]
 *
 * `--json` gives one object a row; `--check` exits with 1 where a "must" is missed by more than the
 * measured spread, or was not measured; `--only` takes scan, ioctl, start, drain or lab; `--large`
 * scans bitmaps of 512 MiB too.
 *
 * `--lab` (or `--only lab`) boots the lab's machine (`tests/lab/README.md`; it needs 3 GiB of memory,
 * a C compiler, and some 6 minutes) and measures on a real kernel: whole drains against a C program
 * that reads the same container, and how long the event loop stands still during drains of 16 TiB.
 * Emulation slows a script down more than a C program, and SIMD more than both, so the times in the
 * kernel, of the scan and of the rest stand apart.
 *
 * @module
 */

import { drainRows } from "./drain.ts";
import { ioctlRow } from "./ioctl.ts";
import { labRows } from "./lab/rows.ts";
import { judge, type Row } from "./row.ts";
import { scanRows } from "./scan/rows.ts";
import { startRow } from "./start.ts";
import { table } from "./table.ts";

const MEASURES: Readonly<Record<string, (large: boolean) => Promise<Row | Row[]>>> = {
  scan: async (large) => [...await scanRows(32), ...large ? await scanRows(512) : []],
  ioctl: ioctlRow,
  start: startRow,
  drain: drainRows,
  lab: () => labRows(),
};

async function main(args: readonly string[]): Promise<number> {
  const flags = ["--json", "--check", "--large", "--lab", "--only"];
  const at = args.indexOf("--only");
  const only = at < 0 ? undefined : args[at + 1] ?? "";
  const unknown = args.find((argument, i) => !flags.includes(argument) && (at < 0 || i !== at + 1));
  if (unknown !== undefined || (only !== undefined && !Object.hasOwn(MEASURES, only))) {
    const names = Object.keys(MEASURES).join(", ");
    console.error(`Unknown: ${unknown ?? only}. Options: ${flags.join(" ")}; to measure: ${names}`);
    return 2;
  }
  const rows: Row[] = [];
  for (const [name, measure] of Object.entries(MEASURES)) {
    const byDefault = name !== "lab" || args.includes("--lab");
    if (only === undefined ? !byDefault : name !== only) continue;
    console.error(`measuring: ${name}`);
    rows.push(...[await measure(args.includes("--large"))].flat());
  }
  if (args.includes("--json")) {
    for (const row of rows) console.log(JSON.stringify({ ...row, verdict: judge(row) }));
  } else console.log(table(rows));
  if (!args.includes("--check")) return 0;
  const bad = rows.filter((row) => ["missed", "unknown"].includes(judge(row)));
  for (const { name } of bad) console.error(`missed: ${name}`);
  return bad.length === 0 ? 0 : 1;
}

Deno.exitCode = await main(Deno.args);
