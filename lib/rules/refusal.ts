import { BEFORE_V6_18, type Behaviour } from "./behaviour.ts";

/** Why the kernel would refuse a request. */
export interface Refusal {
  /** The error number it would give. */
  readonly errno: number;
  /** A short name for the rule, as "map.overlap". */
  readonly rule: string;
  /** The rule with the wanted and the given value, as a sentence without its end. */
  readonly reason: string;
  /** The function of the kernel that tests it. */
  readonly source: string;
}

/** What every rule may look at besides its request. */
export interface RuleState {
  /** How this kernel answers where kernels differ; Linux before v6.18 where it is not known. */
  readonly behaviour?: Behaviour | undefined;
}

/** One test that the kernel makes of a request. */
export interface Rule<Request, State extends RuleState> {
  /** A short name, as "map.overlap". Rows of one name are one rule, tested at several places. */
  readonly name: string;
  /** The function of the kernel that tests it. */
  readonly source: string;
  /** What the kernel answers, by name or, where kernels differ, by its behaviour. */
  readonly errno: number | ((behaviour: Behaviour) => number);
  /** What the rule wants, in a few words. */
  readonly about: string;
  /** Kernels that make this test at this place; all, if left out. */
  readonly when?: (behaviour: Behaviour) => boolean;
  /**
   * Says what is wrong; undefined where the rule is kept. A rule without a test is one that only
   * the kernel can decide, as whether memory can be pinned.
   */
  readonly test?: (request: Request, state: State) => string | undefined;
  /** Of a rule without a test: which requests it is about; all, if left out. */
  readonly concerns?: (request: Request) => boolean;
}

/** Finds every rule that a request breaks, in the order in which the kernel would notice. */
export function* refusals<Request, State extends RuleState>(
  rules: readonly Rule<Request, State>[],
  request: Request,
  state: State,
): Generator<Refusal> {
  const behaviour = state.behaviour ?? BEFORE_V6_18;
  for (const { name, source, errno, when, test } of rules) {
    if (when?.(behaviour) === false) continue;
    const reason = test?.(request, state);
    if (reason === undefined) continue;
    yield {
      errno: typeof errno === "number" ? errno : errno(behaviour),
      rule: name,
      reason,
      source,
    };
  }
}

/** The refusal that the kernel would give: that of the first rule that is broken. */
export function firstRefusal<Request, State extends RuleState>(
  rules: readonly Rule<Request, State>[],
  request: Request,
  state: State,
): Refusal | undefined {
  for (const refusal of refusals(rules, request, state)) return refusal;
  return undefined;
}
