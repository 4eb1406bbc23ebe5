// deno task bench [--json]: what Pinscope costs, as ratios against native code in the same run.
// It tells and does not judge: a figure above its limit is marked, and the exit status stays 0.
import { drainRows } from "./drain.ts";
import { ioctlRow } from "./ioctl.ts";
import type { Row } from "./row.ts";
import { startRow } from "./start.ts";

const rows: Row[] = [];
for (const measure of [ioctlRow, startRow, drainRows]) {
  console.error(`measuring: ${measure.name}`);
  rows.push(...[await measure()].flat());
}

if (Deno.args.includes("--json")) {
  for (const row of rows) console.log(JSON.stringify(row));
} else {
  const width = Math.max(...rows.map((row) => row.name.length));
  console.log(
    `${"".padEnd(width)}  ${"ours".padStart(9)} ${"against".padStart(9)}  figure   limit`,
  );
  for (const row of rows) {
    const mark = row.figure > row.limit ? "  above" : "";
    const figures = row.missing === undefined
      ? `${row.ours.padStart(9)} ${row.against.padStart(9)}  ${row.figure.toFixed(2).padStart(6)}` +
        `  ${row.limit.toString().padStart(6)}${mark}`
      : `  not measured: ${row.missing}`;
    console.log(`${row.name.padEnd(width)}  ${figures}`);
  }
}
