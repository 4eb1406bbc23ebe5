/** The two ways in which the lab itself fails, apart from what the guest answers. */

/** Says why the lab cannot run, and what to do about it (exit status 1). */
export class LabProblem extends Error {
  override name = "LabProblem";
}

/** Says what is wrong with the command line (exit status 2). */
export class UsageProblem extends Error {
  override name = "UsageProblem";
}

/** Turns anything that was thrown into one line of text. */
export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
