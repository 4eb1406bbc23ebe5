/**
 * `pinscope conform`: which recorded kernel this one answers like.
 *
 * @module
 */

import { type Comparison, conform, type ConformReport } from "../lib/conform/mod.ts";
import { devicesOf } from "./conform_device.ts";
import { listVerdicts, type Verdict } from "./conform_verdict.ts";
import { junit, tap } from "./conform_report.ts";
import type { Context } from "./context.ts";
import type { Output } from "./output.ts";
import { UsageError } from "./parse.ts";
import { Progress } from "./progress.ts";
import { columns, counted, wrap } from "./table.ts";
import { writeFile } from "./write_file.ts";

/** Runs the suite; 0 if the kernel answers as a recorded one. */
export function conformCommand({ out, kernel, parsed }: Context): number {
  const asTap = parsed.flags.has("tap");
  if (asTap && out.json) {
    throw new UsageError("--tap and --json are two forms of the same: take one");
  }
  if (asTap && parsed.flags.has("answers")) {
    throw new UsageError("--tap has a line for each check already: it goes without --answers");
  }
  const wanted = parsed.positional.flatMap((target) => devicesOf(kernel, target));
  const report = (() => {
    using progress = new Progress(out);
    return conform(kernel, {
      devices: wanted,
      onCheck: ({ name }, done, all) => progress.at(() => `check ${done} of ${all}: ${name}`),
    });
  })();
  for (const name of wanted.filter((name) => !report.devices.includes(name))) {
    out.note(`${name} is left out: it is not bound to VFIO, in use, or not alone in its group`);
  }
  const verdicts = listVerdicts(report);
  const file = parsed.values.get("junit");
  if (file !== undefined) writeFile(file, junit(report, verdicts));
  if (asTap) out.text(tap(report, verdicts));
  else show(out, report, verdicts, parsed.flags.has("answers"));
  const { nearest } = report;
  if (nearest.steps === 0) {
    const why = verdicts.find(({ reason }) => reason !== undefined)?.reason;
    out.note(`nothing could be compared: ${why ?? "no check could run"}`);
    return 1;
  }
  return nearest.differences.length === 0 ? 0 : 1;
}

function show(
  out: Output,
  report: ConformReport,
  verdicts: readonly Verdict[],
  withAnswers: boolean,
): void {
  for (const { name, rule, kind, answers, reason } of verdicts) {
    out.record("check", { name, rule, verdict: kind, answers, reason });
    if (!withAnswers) continue;
    out.lines(wrap(`${name}: ${kind}${reason === undefined ? "" : `, ${reason}`}`, "  "));
    for (const [step, answer] of Object.entries(answers ?? {})) {
      out.lines(wrap(`  ${step}: ${answer}`, "      "));
    }
  }
  if (withAnswers) out.line();
  out.lines(columns(families(verdicts), ["left", "right", "right", "right", "right", "right"]));
  showReasons(out, verdicts);
  const { nearest, comparisons } = report;
  for (const { check, step, rule, about, source, recorded, answered } of nearest.differences) {
    out.record("difference", { check, step, rule, about, source, recorded, answered });
    out.line();
    out.lines(wrap(`${check}, ${step}:`, "  "));
    out.lines(
      wrap(`  ${answered ?? "not reached"}, recorded ${recorded ?? "not reached"}`, "    "),
    );
    out.lines(wrap(`  ${rule} (${about}), ${source}`, "    "));
  }
  for (const comparison of comparisons) {
    const { recording: { name, release, version, date }, steps, differences } = comparison;
    const fields = { name, release, version, date, steps, differences: differences.length };
    out.record("recording", { ...fields, nearest: comparison === nearest });
  }
  if (nearest.steps === 0) return;
  out.line();
  out.lines(wrap(sentence(nearest), "  "));
  const others = comparisons.filter((other) => other !== nearest && other.steps > 0);
  out.lines(others.flatMap((other) => wrap(`  ${otherSentence(other)}`, "    ")));
}

/** How many checks of each family came out how. */
function families(verdicts: readonly Verdict[]): string[][] {
  const rows = new Map<string, Record<Verdict["kind"], number>>();
  for (const { name, kind } of verdicts) {
    const family = name.slice(0, name.indexOf(":"));
    const none = { "as recorded": 0, "differs": 0, "not recorded": 0, "cannot run": 0 };
    const row = rows.get(family) ?? none;
    row[kind] += 1;
    rows.set(family, row);
  }
  const head = ["checks", "", "as recorded", "differ", "not recorded", "cannot run"];
  const body = [...rows].map(([family, row]) => [
    family,
    ...[Object.values(row).reduce((sum, one) => sum + one, 0), ...Object.values(row)]
      .map((count) => count === 0 ? "-" : `${count}`),
  ]);
  return [head, ...body];
}

function showReasons(out: Output, verdicts: readonly Verdict[]): void {
  const reasons = new Map<string, number>();
  for (const { kind, reason } of verdicts) {
    if (kind === "as recorded" || kind === "differs" || reason === undefined) continue;
    // Why a check is not recorded says so itself.
    const text = kind === "not recorded" ? reason : `${kind}: ${reason}`;
    reasons.set(text, (reasons.get(text) ?? 0) + 1);
  }
  if (reasons.size > 0) out.line();
  for (const [text, count] of reasons) out.lines(wrap(`${counted(count, "check")} ${text}`, "  "));
}

function sentence({ recording, steps, differences, unrecorded }: Comparison): string {
  const { release, version, date } = recording;
  const { length } = differences;
  const how = length === 0 ? "behaves like" : "comes nearest to";
  const count = length === 0 ? "none differ" : length === 1 ? "1 differs" : `${length} differ`;
  return `The kernel ${how} Linux ${release} (${version}, recorded ${date}): ` +
    `${counted(steps, "answer")} compared, ${count}` +
    (unrecorded.length === 0 ? "." : `; ${counted(unrecorded.length, "check")} not recorded.`);
}

/** Recordings that lack checks have fewer answers to compare. */
function otherSentence({ recording, steps, differences, unrecorded }: Comparison): string {
  const left = unrecorded.length === 0
    ? ""
    : ` (${counted(unrecorded.length, "check")} not recorded)`;
  return `${recording.release}: ${counted(steps, "answer")} compared, ` +
    `${differences.length} ${differences.length === 1 ? "differs" : "differ"}${left}`;
}
