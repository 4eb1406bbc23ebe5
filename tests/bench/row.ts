/** One measured figure. */
export interface Row {
  readonly name: string;
  /** What was measured, with its unit. */
  readonly ours: string;
  /** What it is compared with. */
  readonly against: string;
  /** The figure that counts: a median ratio, or an amount. */
  readonly figure: number;
  /** At most this much is wanted. */
  readonly limit: number;
  /** Why it could not be measured; the figures mean nothing then. */
  readonly missing?: string;
}

/** The middle of some numbers. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? NaN)) / 2;
}

/** A row for something that cannot be measured here. */
export function missing(name: string, limit: number, reason: string): Row {
  return { name, ours: "", against: "", figure: NaN, limit, missing: reason };
}
