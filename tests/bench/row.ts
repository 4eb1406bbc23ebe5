/** One measured figure. */
export interface Row {
  readonly name: string;
  /** What was measured, with its unit. */
  readonly ours: string;
  /** What it is compared with. */
  readonly against: string;
  /** The figure that counts: a median ratio, or an amount. */
  readonly figure: number;
  /** How far the ratios lie apart: half of what the middle half of them spans, as part of the figure. */
  readonly spread?: number;
  /** Whether more is better, as of speed, or less, as of cost. */
  readonly better: "more" | "less";
  /** What has to be met; nothing, where a row only explains another. */
  readonly must?: number;
  /** What would be good. */
  readonly aim?: number;
  /** Why it could not be measured; the figures mean nothing then. */
  readonly missing?: string;
  /** It compares with something that need not be installed: missing, it is not missed. */
  readonly isOptional?: boolean;
}

/** The middle of some numbers. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? NaN)) / 2;
}

/** Half of what the middle half of some numbers spans, as part of their median. */
export function spread(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (part: number): number => sorted[Math.round((sorted.length - 1) * part)] ?? NaN;
  return (at(0.75) - at(0.25)) / 2 / median(sorted);
}

/** How a figure stands to what is wanted. */
export type Verdict = "aim" | "met" | "near" | "missed" | "unknown" | "absent" | "shown";

/**
 * Judges a row: "near" misses the must by no more than the spread, and "absent" is what need not be
 * installed.
 */
export function judge(row: Row): Verdict {
  const { figure, must, aim, better, spread = 0, missing } = row;
  if (missing !== undefined && row.isOptional === true) return "absent";
  if (missing !== undefined || Number.isNaN(figure)) return "unknown";
  const reaches = (wanted: number): boolean =>
    better === "more" ? figure >= wanted : figure <= wanted;
  if (must === undefined) return "shown";
  if (reaches(must)) return aim !== undefined && reaches(aim) ? "aim" : "met";
  return reaches(better === "more" ? must * (1 - spread) : must * (1 + spread)) ? "near" : "missed";
}

/** A row for something that cannot be measured here. */
export function missing(name: string, must: number, reason: string): Row {
  return { name, ours: "", against: "", figure: NaN, better: "less", must, missing: reason };
}
