/**
 * `pinscope converge`: whether a migration would come to an end.
 *
 * @module
 */

import { formatSize } from "../mod.ts";
import { ConvergeBuilder, type Convergence, type Course } from "../lib/record/mod.ts";
import type { Context } from "./context.ts";
import { InputError } from "./input.ts";
import { measure, readRounds, type RoundPlan } from "./measure.ts";
import type { JsonObject } from "./output.ts";
import { UsageError } from "./parse.ts";
import { type SourceName, trySources } from "./source.ts";
import { usage } from "./values.ts";
import { columns, counted, wrap } from "./table.ts";

const ROUNDS = 16;
const POWERS: Readonly<Record<string, number>> = { "": 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 };
const TIMES: Readonly<Record<string, number>> = { "": 1, ms: 1, s: 1000 };

/** Reads "10Gbit/s" or "1.25GB/s" as bytes a second; units are powers of ten. */
export function readBandwidth(text: string): number {
  const [, digits = "", power = "", unit = ""] =
    /^(\d+(?:\.\d+)?)([kKmMgGtT]?)(bit(?:\/s)?|bps|B(?:\/s|ps)?)$/.exec(text) ?? [];
  const value = Number(digits) * (POWERS[power.toLowerCase()] ?? 0) /
    (unit.startsWith("B") ? 1 : 8);
  if (unit !== "" && value > 0) return value;
  throw new UsageError(
    `--bandwidth takes a rate, as 10Gbit/s or 1.25GB/s; got ${JSON.stringify(text)}`,
  );
}

/** Reads "300ms" or "1.5s" as milliseconds. */
export function readDowntime(text: string): number {
  const [, digits = "", unit = ""] = /^(\d+(?:\.\d+)?)(ms|s|)$/.exec(text) ?? [];
  const value = Number(digits) * (TIMES[unit] ?? 0);
  if (digits !== "" && value > 0) return value;
  throw new UsageError(`--downtime takes a time, as 300ms or 1s; got ${JSON.stringify(text)}`);
}

/** Measures, or reads a recording, and foretells. */
export async function converge(context: Context): Promise<number> {
  const { out, parsed } = context;
  const plan = readRounds(parsed, ROUNDS);
  const bandwidth = readBandwidth(parsed.values.get("bandwidth") ?? "10Gbit/s");
  const downtime = readDowntime(parsed.values.get("downtime") ?? "300ms");
  const builder = await measure(context, plan, () => {
    const made = new ConvergeBuilder();
    let count = 0;
    return {
      get count(): number {
        return count;
      },
      add(round): void {
        count += 1;
        usage(() => made.add(round));
      },
      made,
    };
  });
  if (builder.count === 0) throw new InputError("Cannot foretell anything: there is no round");
  const result = builder.made.forecast({ bandwidth, downtime });
  out.record("converge", { bandwidth, wanted: downtime, ...(result as unknown as JsonObject) });
  out.lines(textOf(result, bandwidth, downtime));
  const isByRule = result.labels.some((label) => label === "all-mapped" || label === "incomplete");
  if (!out.json) out.lines(wrap(isByRule ? byRule(context, plan) : ASSUMPTION, "  "));
  return result.verdict === "converges" ? 0 : 1;
}

const VERDICTS = {
  converges: "converges",
  depends: "may converge or not",
  never: "does not converge",
} as const;

const ASSUMPTION = "Assumed: the device goes on as in these rounds. How many different pages it " +
  "dirties in a longer time was counted by joining rounds; for times that were not measured there " +
  "are two bounds, from which best and worst come.";

/** What would tell more than "everything": a source that works with these very devices. */
function byRule({ kernel }: Context, { devices, from }: RoundPlan): string {
  const unknown = "What the device really writes is not known here. ";
  if (from !== undefined) {
    return `${unknown}pinscope info DEVICE says which sources would tell, where it was recorded.`;
  }
  const better = trySources(kernel, devices).find(({ source, reason }) =>
    source !== "type1" && reason === undefined
  );
  if (better === undefined) return `${unknown}No source that works with it would tell.`;
  return `${unknown}${TELLS[better.source]} would tell: --source ${better.source}.`;
}

const TELLS: Readonly<Record<SourceName, string>> = {
  log: "Its own log",
  hwpt: "The dirty bits of its IOMMU",
  type1: "Type1",
};

/** A rate as networks have it. */
function rate(bytes: number): string {
  const bits = bytes * 8;
  const [power, unit] = bits >= 1e9
    ? [1e9, "Gbit/s"]
    : bits >= 1e6
    ? [1e6, "Mbit/s"]
    : [1, "bit/s"];
  return `${Math.round(bits / power * 100) / 100} ${unit}`;
}

const duration = (ms: number): string =>
  ms < 1000 ? `${Math.round(ms * 10) / 10} ms` : `${Math.round(ms / 10) / 100} s`;

function textOf(result: Convergence, bandwidth: number, downtime: number): string[] {
  const { verdict, reason, best, worst, rounds, interval, mapped, labels } = result;
  const size = (bytes: number): string => formatSize(BigInt(Math.round(bytes)));
  const row = (name: string, value: (course: Course) => string): string[] => [
    `  ${name}`,
    value(best),
    value(worst),
  ];
  return [
    ...wrap(`${VERDICTS[verdict]}: ${reason}`, "  "),
    ...wrap(
      `${size(mapped)} mapped, ${duration(downtime)} of downtime, ${rate(bandwidth)}; ` +
        `${counted(rounds, "round")} of ${duration(interval)}; ${labels.join(", ")}`,
      "  ",
    ),
    ...columns([
      ["", "BEST", "WORST"],
      row("rounds", (course) => `${course.rounds}`),
      row("sent", (course) => size(course.sent)),
      row("time", (course) => duration(course.time)),
      row("downtime", (course) => duration(course.downtime)),
    ], ["left", "right", "right"]),
  ];
}
