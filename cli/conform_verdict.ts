/** What each check of a conformance run says. */

import type { ConformReport, Difference } from "../lib/conform/mod.ts";

/** A check and what it came to, beside the nearest recording. */
export interface Verdict {
  readonly name: string;
  /** The rule that it is about. */
  readonly rule: string;
  readonly kind: "as recorded" | "differs" | "not recorded" | "cannot run";
  /** The answers by step, if it ran. */
  readonly answers: Readonly<Record<string, string>> | undefined;
  /** Why it could not run, or was never recorded. */
  readonly reason: string | undefined;
  /** Steps that differ. */
  readonly differences: readonly Difference[];
}

/** Judges each check by the nearest recording. */
export function listVerdicts(report: ConformReport): Verdict[] {
  const { recording, differences } = report.nearest;
  const byCheck = Map.groupBy(differences, ({ check }) => check);
  return report.checks.map(({ name, rule, answers, skipped }): Verdict => {
    const base = { name, rule, answers, differences: byCheck.get(name) ?? [] };
    if (answers === undefined) return { ...base, kind: "cannot run", reason: skipped };
    if (recording.answers[name] === undefined) {
      const why = recording.missing[name] ?? "the check is newer";
      const reason = `not in the recording of ${recording.release}: ${why}`;
      return { ...base, kind: "not recorded", reason };
    }
    const kind = base.differences.length === 0 ? "as recorded" : "differs";
    return { ...base, kind, reason: undefined };
  });
}
