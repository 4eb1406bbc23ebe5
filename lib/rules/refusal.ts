/** Why the kernel would refuse a request. */
export interface Refusal {
  /** The error number it would give. */
  readonly errno: number;
  /** A short name for the rule, as "map.overlap". */
  readonly rule: string;
  /** The rule with the wanted and the given value, as a sentence without its end. */
  readonly reason: string;
}

/** A test of a request; undefined where the rule is kept. */
export type Rule = () => Refusal | undefined;

/** Tries rules in the kernel's order and gives the first refusal. */
export function firstRefusal(...rules: readonly Rule[]): Refusal | undefined {
  for (const rule of rules) {
    const refusal = rule();
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}
