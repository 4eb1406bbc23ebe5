/** `lab record`: what a kernel answers to the conformance suite, written down as data. */

import { CHECKS } from "../../lib/conform/checks.ts";
import type { Check } from "../../lib/conform/check.ts";
import type { Recording } from "../../lib/conform/recording.ts";
import type { CommandLine } from "./cli.ts";
import { type Lab, project } from "./lab.ts";
import { Kept, note } from "./output.ts";
import { LabProblem, UsageProblem } from "./problem.ts";
import { type Profile, profiles } from "./profiles.ts";
import { type GuestReport, mergeRuns } from "./record_merge.ts";
import { tellDeath } from "./test_run.ts";

const SCRIPT = `${project}/tests/lab/record_guest.ts`;
const FOLDER = `${project}/lib/conform/recording`;
/** What only the vendor driver gives. */
const VENDOR_NEEDS: Check["needs"] = [
  "mdev",
  "mdev2",
  "no-unmap",
  "vendor-pci",
  "log",
  "migrates",
];

/** Machines of the other kernels on which the own one answers something that its own do not ask. */
const ALSO_OWN = ["intremap_off", "shared_group", "vendor"];

/** Machines with another device than the suite knows: they are for one test each. */
const NOT_ASKED = ["own_reset"];

/** Whether a kernel is recorded on a machine. */
function isUsed(lab: Lab, { name, ownOnly }: Profile): boolean {
  if (NOT_ASKED.includes(name)) return false;
  return ownOnly === true ? lab.isOwn : !lab.isOwn || ALSO_OWN.includes(name);
}

/** Records one kernel; gives the exit status. */
export async function record(lab: Lab, line: CommandLine): Promise<number> {
  const name = lab.own?.recording ?? lab.name;
  const file = line.words[0] ?? (name === undefined ? undefined : `${FOLDER}/${name}.json`);
  if (file === undefined) {
    throw new UsageProblem("record of a kernel of your own wants a FILE to write to");
  }
  const without = await lab.vendorModule().then(() => undefined, (error: unknown) => {
    if (error instanceof LabProblem) return error.message;
    throw error;
  });
  if (without !== undefined) note(without);
  const reports: GuestReport[] = [];
  const used: string[] = [];
  // The kernel's own machines come first: why a check cannot run is told as they tell it.
  const machines = profiles.filter((one) => isUsed(lab, one))
    .toSorted((a, b) => Number(b.ownOnly ?? false) - Number(a.ownOnly ?? false));
  for (const profile of machines) {
    if (profile.vendor !== undefined && without !== undefined) continue;
    const report = await ask(lab, profile, line);
    if (report === undefined) return 1;
    reports.push(report);
    used.push(profile.name);
  }
  const order = CHECKS.map((check) => check.name);
  const merged = mergeRuns(order, reports.flatMap(({ runs }) => runs));
  if (merged.disagreements.length > 0) {
    note(`the kernel did not answer the same each time:\n${merged.disagreements.join("\n")}`);
    return 1;
  }
  const [{ release, version } = { release: "", version: "" }] = reports;
  const missing = CHECKS.filter((check) => merged.answers[check.name] === undefined)
    .map((check): [string, string] => [check.name, reason(check, merged.skipped, without)]);
  const recording: Recording = {
    name: name ?? release,
    release,
    version,
    date: new Date().toISOString().slice(0, 10),
    profiles: used,
    missing: Object.fromEntries(missing),
    answers: merged.answers,
  };
  await Deno.writeTextFile(file, `${JSON.stringify(recording, null, 2)}\n`);
  note(`${Object.keys(merged.answers).length} checks of ${order.length} recorded: ${file}`);
  return 0;
}

function reason(
  check: Check,
  skipped: Readonly<Record<string, string>>,
  without: string | undefined,
): string {
  const vendor = check.needs.some((need) => VENDOR_NEEDS.includes(need));
  if (vendor && without !== undefined) {
    return "the lab's vendor driver was not built for it";
  }
  return skipped[check.name] ?? "";
}

/** Boots one machine and runs the suite in it. */
async function ask(
  lab: Lab,
  profile: Profile,
  line: CommandLine,
): Promise<GuestReport | undefined> {
  const kept = new Kept();
  const ended = await lab.run({
    profile,
    folder: project,
    command: ["deno", "run", "--cached-only", "--no-check", "--no-lock", "-A", SCRIPT],
    shell: false,
  }, {
    stdout: kept,
    stderr: Deno.stderr,
    ...(line.options.verbose ? { console: Deno.stderr } : {}),
  });
  if (ended.problem !== undefined) tellDeath(ended);
  if (ended.status !== 0) return undefined;
  const report: GuestReport = JSON.parse(await kept.text());
  const seconds = report.runs.map((run) => (run.milliseconds / 1000).toFixed(1)).join(", ");
  note(
    `${profile.name}: the suite took ${seconds} s (boot and all: ${ended.seconds.toFixed(1)} s)`,
  );
  return report;
}
