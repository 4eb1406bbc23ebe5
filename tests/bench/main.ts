/**
 * What Pinscope costs, as ratios against native code in the same run.
 *
 *     deno task bench [--json | --markdown] [--check] [--only NAME] [--large] [--lab]
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
import { labRows, tableRows } from "./lab/rows.ts";
import { machine, markdown } from "./markdown.ts";
import { judge, type Row } from "./row.ts";
import { scanRows } from "./scan/rows.ts";
import { startRows } from "./start.ts";
import { table } from "./table.ts";

const MEASURES: Readonly<Record<string, (large: boolean) => Promise<Row | Row[]>>> = {
  scan: async (large) => [...await scanRows(32), ...large ? await scanRows(512) : []],
  ioctl: ioctlRow,
  start: startRows,
  drain: drainRows,
  lab: async () => [...await labRows(), ...await tableRows()],
};

const HELP = `deno task bench [--json | --markdown] [--check] [--only NAME] [--large] [--lab]

--json      one object a row
--markdown  the table as docs/speed.md has it, with the machine and the date
--check     exit with 1 where a "must" is missed by more than the measured spread, or was not
            measured; roaring-wasm and numpy need not be installed: without them, and without
            AVX-512 and AVX2, those rows are not missed
--only      measure one of: ${Object.keys(MEASURES).join(", ")}
--large     scan bitmaps of 512 MiB too
--lab       measure on a real kernel too, in the lab's machine: some 6 minutes, 3 GiB of memory

Nothing is fetched: "deno cache npm:roaring-wasm@1.1.0" does that, "pip install numpy" the other.`;

async function main(args: readonly string[]): Promise<number> {
  if (args.includes("--help")) {
    console.log(HELP);
    return 0;
  }
  const flags = ["--json", "--markdown", "--check", "--large", "--lab", "--only"];
  const at = args.indexOf("--only");
  const only = at < 0 ? undefined : args[at + 1] ?? "";
  const unknown = args.find((argument, i) => !flags.includes(argument) && (at < 0 || i !== at + 1));
  if (unknown !== undefined || (only !== undefined && !Object.hasOwn(MEASURES, only))) {
    const names = Object.keys(MEASURES).join(", ");
    console.error(`Unknown: ${unknown ?? only}. Options: ${flags.join(" ")}; to measure: ${names}`);
    return 2;
  }
  const on = await machine();
  const rows: Row[] = [];
  for (const [name, measure] of Object.entries(MEASURES)) {
    const byDefault = name !== "lab" || args.includes("--lab");
    if (only === undefined ? !byDefault : name !== only) continue;
    console.error(`measuring: ${name}`);
    rows.push(...[await measure(args.includes("--large"))].flat());
  }
  if (args.includes("--json")) {
    for (const row of rows) console.log(JSON.stringify({ ...row, verdict: judge(row) }));
  } else console.log(args.includes("--markdown") ? markdown(rows, on) : table(rows));
  if (!args.includes("--check")) return 0;
  const bad = rows.filter((row) => ["missed", "unknown"].includes(judge(row)));
  for (const { name } of bad) console.error(`missed: ${name}`);
  return bad.length === 0 ? 0 : 1;
}

Deno.exitCode = await main(Deno.args);
