/** The script that runs in the guest; prints a `LabReport` as JSON. */

import { measureDrains } from "./drains.ts";
import type { LabReport } from "./report.ts";
import { measureIdle, measureStalls } from "./stalls.ts";

/** The compiled C program, where the host has put it; it cannot be run from there. */
const GIVEN = "/job/drain";
const PROGRAM = "/tmp/drain";

await Deno.copyFile(GIVEN, PROGRAM);
await Deno.chmod(PROGRAM, 0o755);
const only = Deno.args[0];
const report: LabReport = {
  drains: only === "stalls" ? [] : await measureDrains(PROGRAM),
  idle: await measureIdle(),
  stalls: only === "drains" ? [] : await measureStalls(),
};
console.log(JSON.stringify(report));
