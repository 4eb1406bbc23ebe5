/** A conformance run in the forms that other programs read: TAP and JUnit. */

import type { ConformReport, Difference } from "../lib/conform/mod.ts";
import type { Verdict } from "./conform_verdict.ts";

const SUITE = "pinscope conform";

/** A difference as lines "name: value". */
function fields({ step, rule, about, source, recorded, answered }: Difference): string[] {
  const texts = { step, recorded, answered, rule, about, source };
  return Object.entries(texts).map(([name, text]) =>
    `${name}: ${JSON.stringify(text ?? "not reached")}`
  );
}

/** In TAP a "#" begins a directive, and a backslash takes that meaning away. */
const escapeTap = (text: string): string => text.replace(/[\\#]/g, "\\$&");

/** The Test Anything Protocol, version 14. @see https://testanything.org/tap-version-14-specification.html */
export function tap(report: ConformReport, verdicts: readonly Verdict[]): string {
  const { recording } = report.nearest;
  const lines = [
    "TAP version 14",
    `# nearest: Linux ${recording.release} (${recording.version}), recorded ${recording.date}`,
    `1..${verdicts.length}`,
  ];
  for (const [i, { name, kind, reason, differences }] of verdicts.entries()) {
    const head = `${kind === "differs" ? "not ok" : "ok"} ${i + 1} - ${escapeTap(name)}`;
    const skip = kind === "cannot run" || kind === "not recorded";
    lines.push(skip ? `${head} # SKIP ${kind}: ${escapeTap(reason ?? "")}` : head);
    if (differences.length === 0) continue;
    lines.push("  ---", "  differences:");
    for (const difference of differences) {
      const [first = "", ...rest] = fields(difference);
      lines.push(`    - ${first}`, ...rest.map((line) => `      ${line}`));
    }
    lines.push("  ...");
  }
  return lines.join("\n");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\n": "&#10;",
};

/** Text for XML, in an attribute or between tags; control characters have no place there. */
const escapeXml = (text: string): string =>
  // deno-lint-ignore no-control-regex
  text.replace(/[\x00-\x09\x0b-\x1f]/g, "?").replace(/[&<>"\n]/g, (one) => ENTITIES[one] ?? one);

/** A report as JUnit writes it, which CI systems read. */
export function junit(report: ConformReport, verdicts: readonly Verdict[]): string {
  const { recording } = report.nearest;
  const failed = verdicts.filter(({ kind }) => kind === "differs").length;
  const skipped = verdicts.filter(({ kind }) => kind === "cannot run" || kind === "not recorded");
  const counts = `tests="${verdicts.length}" failures="${failed}" errors="0"`;
  const all = `${counts} skipped="${skipped.length}"`;
  const cases = verdicts.map(({ name, rule, kind, reason, differences }) => {
    const head = `    <testcase name="${escapeXml(name)}" classname="${escapeXml(rule)}"`;
    if (kind === "as recorded") return `${head}/>`;
    const text = kind === "differs"
      ? `<failure message="${escapeXml(summary(differences))}">${
        escapeXml(differences.map((one) => fields(one).join("\n")).join("\n\n"))
      }</failure>`
      : `<skipped message="${escapeXml(`${kind}: ${reason ?? ""}`)}"/>`;
    return `${head}>\n      ${text}\n    </testcase>`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="${SUITE}" ${counts}>
  <testsuite name="${SUITE}" ${all}>
    <properties>
      <property name="nearest" value="${escapeXml(recording.release)}"/>
    </properties>
${cases.join("\n")}
  </testsuite>
</testsuites>
`;
}

const summary = (differences: readonly Difference[]): string =>
  differences.map(({ step, recorded, answered }) =>
    `${step}: ${answered ?? "not reached"}, recorded ${recorded ?? "not reached"}`
  ).join("; ");
