/** The conformance suite: all checks, and how one is run. */

import type { Bench } from "./bench.ts";
import type { Answers, Check, Outcome } from "./check.ts";
import { Unprepared } from "./raw.ts";

/** Runs one check. */
export function runCheck(check: Check, bench: Bench): Outcome {
  const skipped = bench.missing(check.needs);
  if (skipped !== undefined) return { check, skipped };
  const answers: Record<string, string> = {};
  const say = (step: string, answer: string): void => {
    if (step in answers) throw new Error(`${check.name} has two steps "${step}"`);
    answers[step] = answer;
  };
  bench.places.clear();
  try {
    check.run(bench, say);
  } catch (error) {
    // What the check needed was refused: this is an answer too, and the rest stays unasked.
    if (!(error instanceof Unprepared)) throw error;
    say("not prepared", error.message);
  }
  return { check, answers: answers as Answers };
}

/** Runs checks one after the other. */
export function* runSuite(bench: Bench, checks: readonly Check[]): Generator<Outcome> {
  for (const check of checks) yield runCheck(check, bench);
}
