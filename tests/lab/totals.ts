/** Adds up test results over all boots, from the JUnit report that Deno writes. */

/** What CI adds up. */
export interface Totals {
  passed: number;
  failed: number;
  skipped: number;
}

/** Adds two results. */
export function add(left: Totals, right: Totals): Totals {
  return {
    passed: left.passed + right.passed,
    failed: left.failed + right.failed,
    skipped: left.skipped + right.skipped,
  };
}

/** Nothing yet. */
export const none: Totals = { passed: 0, failed: 0, skipped: 0 };

const entities: Record<string, string> = {
  "&gt;": ">",
  "&lt;": "<",
  "&quot;": '"',
  "&apos;": "'",
  "&amp;": "&",
};

/**
 * Counts the cases of a report. A test with steps is no case of its own, its steps are,
 * unless it failed for another reason than a failed step. The report lists what a filter left out
 * as skipped; that was not asked for, and does not count.
 */
export function countCases(report: string, filter = ""): Totals {
  const cases: { name: string; body: string }[] = [];
  for (
    const match of report.matchAll(/<testcase name="([^"]*)"[^>]*?(?:\/>|>(.*?)<\/testcase>)/gs)
  ) {
    const name = (match[1] ?? "").replace(/&\w+;/g, (entity) => entities[entity] ?? entity);
    cases.push({ name, body: match[2] ?? "" });
  }
  let totals = none;
  for (const { name, body } of cases) {
    const group = cases.some((other) => other.name.startsWith(`${name} > `));
    const failure = body.match(/<failure message="([^"]*)"/)?.[1];
    const bySteps = failure !== undefined && /^\d+ test steps? failed$/.test(failure);
    if (group && (failure === undefined || bySteps)) continue;
    if (body.includes("<skipped") && !name.includes(filter)) continue;
    totals = add(totals, {
      passed: failure === undefined && !body.includes("<skipped") ? 1 : 0,
      failed: failure === undefined ? 0 : 1,
      skipped: failure === undefined && body.includes("<skipped") ? 1 : 0,
    });
  }
  return totals;
}

/** What one boot gave. */
export interface BootOutcome {
  /** deno test's exit status; undefined when the guest did not finish. */
  status: number | undefined;
  report: string | undefined;
  filter?: string | undefined;
}

/** Counts a boot: one that died or failed without a failing case counts as one failure. */
export function countBoot(outcome: BootOutcome): Totals {
  const cases = outcome.report === undefined ? none : countCases(outcome.report, outcome.filter);
  const bad = outcome.status !== 0;
  return bad && cases.failed === 0 ? add(cases, { ...none, failed: 1 }) : cases;
}

/** The last line of `lab test`. */
export function summary(totals: Totals, boots: number, releases: readonly string[]): string {
  const on = releases.length === 0 ? "no kernel" : [...new Set(releases)].join(", ");
  return `kernel tests: ${totals.passed} passed, ${totals.failed} failed, ` +
    `${totals.skipped} skipped (in ${boots} boot${boots === 1 ? "" : "s"} on ${on})`;
}
