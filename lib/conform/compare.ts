/** Which recorded kernel answers come nearest to, and where they differ from it. */

import type { Check, Outcome } from "./check.ts";
import { explainRule } from "./flow.ts";
import type { Recording } from "./recording.ts";

/** An answer that is another one than the recorded. */
export interface Difference {
  /** Name of the check. */
  readonly check: string;
  /** What was asked in it. */
  readonly step: string;
  /** The rule that the check is about, as "map.size". */
  readonly rule: string;
  /** What the rule wants, in a few words. */
  readonly about: string;
  /** The kernel's function that has the rule. */
  readonly source: string;
  /** What was recorded; undefined where the step was not reached. */
  readonly recorded: string | undefined;
  /** What came; undefined where the step was not reached. */
  readonly answered: string | undefined;
}

/** Answers beside one recording. */
export interface Comparison {
  /** The recording. */
  readonly recording: Recording;
  /** Steps that both have. */
  readonly steps: number;
  /** Where the two differ, in the order of the suite. */
  readonly differences: readonly Difference[];
  /** Checks that ran here and were never recorded on that kernel. */
  readonly unrecorded: readonly string[];
}

/** The steps of one check, in order: those of the recording first. */
function compareCheck(
  check: Check,
  answers: Readonly<Record<string, string>>,
  recorded: Readonly<Record<string, string>>,
): { steps: number; differences: Difference[] } {
  const steps = new Set([...Object.keys(recorded), ...Object.keys(answers)]);
  const differences: Difference[] = [];
  for (const step of steps) {
    if (answers[step] === recorded[step]) continue;
    const { about = "", source = "" } = explainRule(check.rule) ?? {};
    const given = { recorded: recorded[step], answered: answers[step] };
    differences.push({ check: check.name, step, rule: check.rule, about, source, ...given });
  }
  return { steps: steps.size, differences };
}

/** Compares the checks that ran with one recording. */
export function compareWith(outcomes: Iterable<Outcome>, recording: Recording): Comparison {
  let steps = 0;
  const differences: Difference[] = [];
  const unrecorded: string[] = [];
  for (const { check, answers } of outcomes) {
    if (answers === undefined) continue;
    const recorded = recording.answers[check.name];
    if (recorded === undefined) {
      unrecorded.push(check.name);
      continue;
    }
    const found = compareCheck(check, answers, recorded);
    steps += found.steps;
    differences.push(...found.differences);
  }
  return { recording, steps, differences, unrecorded };
}

/**
 * Compares with several recordings.
 *
 * @returns The nearest first: the fewest steps that differ in the checks that all recordings have,
 * for one that lacks checks is no nearer for it; of equals the fewest in all, then the larger one.
 */
export function compare(
  outcomes: readonly Outcome[],
  recordings: readonly Recording[],
): Comparison[] {
  const inAll = (name: string): boolean =>
    recordings.every(({ answers }) => answers[name] !== undefined);
  const rank = ({ differences, steps }: Comparison): number[] => [
    differences.filter(({ check }) => inAll(check)).length,
    differences.length,
    -steps,
  ];
  const ranked = recordings.map((recording) => compareWith(outcomes, recording))
    .map((comparison) => ({ comparison, rank: rank(comparison) }));
  ranked.sort((a, b) => a.rank.map((one, i) => one - b.rank[i]!).find((less) => less !== 0) ?? 0);
  return ranked.map(({ comparison }) => comparison);
}
