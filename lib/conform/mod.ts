/**
 * A suite of checks for VFIO's type1, the same for a real kernel and for the model, and what recorded
 * kernels answered to it.
 *
 * @example The model answers as the kernel that it was given
 * ```ts
 * import { conform } from "@pinscope/vfio/conform";
 * import { ModelKernel } from "@pinscope/vfio/model";
 *
 * const { nearest } = conform(new ModelKernel());
 * if (nearest.differences.length !== 0) throw new Error(nearest.differences[0]?.check);
 * ```
 *
 * @module
 */

import type { Kernel } from "../sys/kernel.ts";
import { Bench } from "./bench.ts";
import type { Outcome } from "./check.ts";
import { CHECKS } from "./checks.ts";
import { compare, type Comparison } from "./compare.ts";
import type { Recording } from "./recording.ts";
import { RECORDINGS } from "./recordings.ts";
import { runSuite } from "./suite.ts";

export type {
  Kernel,
  MemoryAdvice,
  PollRequest,
  ResourceLimit,
  ViewAddress,
} from "../sys/kernel.ts";
export type { Answers } from "./check.ts";
export type { Comparison, Difference } from "./compare.ts";
export type { Recording } from "./recording.ts";
export { findQuirks, type QuirkOptions, type QuirkResult } from "./quirks.ts";
export { RECORDINGS } from "./recordings.ts";

/** How {@link conform} works. */
export interface ConformOptions {
  /** Names of devices to keep to; all that are ready where it is left out or empty. */
  readonly devices?: readonly string[];
  /** What to compare with; all recordings where it is left out. */
  readonly recordings?: readonly Recording[];
  /** Called after each check. */
  readonly onCheck?: (result: CheckResult, done: number, total: number) => void;
}

/** One check and what became of it. */
export interface CheckResult {
  /** Its name, as "map: size 0". */
  readonly name: string;
  /** The rule that it is about, as "map.size". */
  readonly rule: string;
  /** What the kernel answered, by step; undefined where the check could not run. */
  readonly answers: Readonly<Record<string, string>> | undefined;
  /** Why it could not run. */
  readonly skipped: string | undefined;
}

/** What a kernel answered, and to which recorded one it comes nearest. */
export interface ConformReport {
  /** Names of the devices that were ready and used. */
  readonly devices: readonly string[];
  /** Every check, in the order of the suite. */
  readonly checks: readonly CheckResult[];
  /** The recording with the fewest steps that differ, in the checks that all recordings have. */
  readonly nearest: Comparison;
  /** All recordings, the nearest first. */
  readonly comparisons: readonly Comparison[];
}

const result = ({ check, answers, skipped }: Outcome): CheckResult => ({
  name: check.name,
  rule: check.rule,
  answers,
  skipped,
});

/**
 * Runs the checks that the host's devices allow, and compares with what was recorded. Everything
 * that a check takes it gives back.
 *
 * A kernel with UBSAN logs a line for two of the checks: it shifts by a page size of 0.
 *
 * @param kernel The kernel to ask.
 * @param options Devices, recordings.
 * @returns What every check gave, and where that differs.
 * @throws {RangeError} If there is no recording to compare with.
 * @see drivers/vfio/vfio_iommu_type1.c, vfio_iommu_type1_ioctl
 */
export function conform(kernel: Kernel, options: ConformOptions = {}): ConformReport {
  const { devices = [], recordings = RECORDINGS, onCheck } = options;
  using bench = new Bench(kernel, devices);
  const outcomes: Outcome[] = [];
  for (const outcome of runSuite(bench, CHECKS)) {
    outcomes.push(outcome);
    onCheck?.(result(outcome), outcomes.length, CHECKS.length);
  }
  const comparisons = compare(outcomes, recordings);
  const [nearest] = comparisons;
  if (nearest === undefined) throw new RangeError("There must be a recording to compare with");
  const used = Object.values(bench.devices).flat().map(({ name }) => name);
  return { devices: used, checks: outcomes.map(result), nearest, comparisons };
}
