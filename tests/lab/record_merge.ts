/** Brings together what several runs of the suite gave, which must agree. */

import type { Answers } from "../../lib/conform/check.ts";

/** One run of the suite in a guest. */
export interface GuestRun {
  /** By name of the check. */
  answers: Record<string, Answers>;
  /** Why a check could not run. */
  skipped: Record<string, string>;
  milliseconds: number;
}

/** What a guest tells. */
export interface GuestReport {
  /** What uname says. */
  release: string;
  /** The version of the distribution's package. */
  version: string;
  runs: GuestRun[];
}

/** All runs as one; the order is that of the suite. */
export interface Merged {
  readonly answers: Record<string, Answers>;
  readonly skipped: Record<string, string>;
  /** Where two runs answered differently: check, step and both answers. */
  readonly disagreements: readonly string[];
}

/** Merges runs: a check was skipped only where no run could make it. */
export function mergeRuns(order: readonly string[], runs: readonly GuestRun[]): Merged {
  const answers: Record<string, Answers> = {};
  const skipped: Record<string, string> = {};
  const disagreements = new Set<string>();
  for (const name of order) {
    const given = runs.map((run) => run.answers[name]).filter((found) => found !== undefined);
    const [first] = given;
    if (first === undefined) {
      skipped[name] = runs.map((run) => run.skipped[name]).find((why) => why !== undefined) ??
        "the check was not run";
      continue;
    }
    answers[name] = first;
    for (const other of given.slice(1)) {
      for (const step of new Set([...Object.keys(first), ...Object.keys(other)])) {
        if (first[step] === other[step]) continue;
        disagreements.add(
          `${name}, ${step}: ${first[step] ?? "not asked"}, then ${other[step] ?? "not asked"}`,
        );
      }
    }
  }
  return { answers, skipped, disagreements: [...disagreements] };
}
