/**
 * What a refused call looks like to a script.
 *
 * @module
 */

import { errnoName } from "./errno.ts";

/** What a {@link VfioError} is made from. */
export interface VfioErrorInit {
  /** The request or system call that failed, by its C name. */
  readonly operation: string;
  /** The positive error number. */
  readonly errno: number;
  /** What was being done, as "map 64 MiB at iova 0x1000": it follows "Cannot". */
  readonly action: string;
  /** The state that explains the refusal and what to do about it. */
  readonly hint?: string | undefined;
  /** The numbers behind the sentence. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  /** The kernel's rule behind the refusal, as "map.memlock", where it is known. */
  readonly rule?: string | undefined;
  /** The error underneath, if there is one. */
  readonly cause?: unknown;
}

/** Why a call failed: a sentence, or that with the rule of the kernel behind it. */
export type Reason = string | { readonly hint: string; readonly rule: string };

/**
 * A call that the kernel refused.
 *
 * The message reads `Cannot <action>: <operation> failed with <code> (<errno>): <hint>`.
 *
 * @example The parts of a refusal
 * ```ts
 * import { VfioError } from "@pinscope/vfio";
 *
 * const error = new VfioError({
 *   operation: "VFIO_IOMMU_MAP_DMA",
 *   errno: 12,
 *   action: "map 8 KiB at iova 0x1000",
 * });
 * if (error.code !== "ENOMEM") throw error;
 * ```
 */
export class VfioError extends Error {
  /** "VfioError". */
  override readonly name: string = "VfioError";
  /** The request or system call that failed, by its C name. */
  readonly operation: string;
  /** The positive error number. */
  readonly errno: number;
  /** The name of {@link errno}, as "EINVAL". */
  readonly code: string;
  /** The reason and the remedy, where one is known. */
  readonly hint?: string;
  /** The kernel's rule behind the refusal, where it is known: see `ruleNamed`. */
  readonly rule?: string;
  /** The numbers behind the sentence. */
  readonly details: Readonly<Record<string, unknown>>;

  /** Makes the error and its sentence. */
  constructor(init: VfioErrorInit) {
    const code = errnoName(init.errno);
    const number = code.startsWith("E") ? `${code} (${init.errno})` : code;
    const hint = init.hint === undefined ? "" : `: ${init.hint}`;
    super(
      `Cannot ${init.action}: ${init.operation} failed with ${number}${hint}`,
      init.cause === undefined ? undefined : { cause: init.cause },
    );
    this.operation = init.operation;
    this.errno = init.errno;
    this.code = code;
    if (init.hint !== undefined) this.hint = init.hint;
    if (init.rule !== undefined) this.rule = init.rule;
    this.details = init.details ?? {};
  }
}

/** What a {@link RuleError} is made from. */
export interface RuleErrorInit {
  /** The rule's short name, as "map.overlap". */
  readonly rule: string;
  /** The positive error number that the kernel would answer. */
  readonly errno: number;
  /** The function of the kernel that tests the rule. */
  readonly source: string;
}

/**
 * A request that breaks one of the kernel's rules. It was not made: the message says which rule, with
 * the wanted and the given value.
 *
 * @example The rule behind a refusal
 * ```ts
 * import { Container, RuleError } from "@pinscope/vfio";
 * import { ModelKernel } from "@pinscope/vfio/model";
 *
 * using container = Container.open({ kernel: new ModelKernel() });
 * using _group = container.attach("0000:00:10.0");
 * using memory = container.allocate(4096n);
 * try {
 *   container.map(memory, { iova: 0x1001n });
 * } catch (error) {
 *   if (!(error instanceof RuleError) || error.rule !== "map.align") throw error;
 * }
 * ```
 */
export class RuleError extends RangeError {
  /** "RuleError". */
  override readonly name: string = "RuleError";
  /** The rule's short name, as "map.overlap". */
  readonly rule: string;
  /** The positive error number that the kernel would answer. */
  readonly errno: number;
  /** The name of {@link errno}, as "EINVAL". */
  readonly code: string;
  /** The function of the kernel that tests the rule. */
  readonly source: string;

  /** Made where a request is refused before the kernel sees it. */
  constructor(message: string, init: RuleErrorInit) {
    super(message);
    this.rule = init.rule;
    this.errno = init.errno;
    this.code = errnoName(init.errno);
    this.source = init.source;
  }
}

/** The kernel removed less, or more, than an unmap asked for. */
export class PartialUnmapError extends VfioError {
  /** "PartialUnmapError". */
  override readonly name: string = "PartialUnmapError";
}

/**
 * Turns the -errno of a failed call into a {@link VfioError}.
 *
 * @param result What the call returned: a value, or a negative error number.
 * @param operation The request's C name.
 * @param action What was being done; it follows "Cannot".
 * @param hint Why, and what to do; a function is only called on failure.
 * @returns `result`, when it is no error.
 * @throws {VfioError} When `result` is negative.
 */
export function check(
  result: number,
  operation: string,
  action: string,
  hint?: Reason | ((errno: number) => Reason | undefined),
): number {
  if (result >= 0) return result;
  const reason = typeof hint === "function" ? hint(-result) : hint;
  const why = typeof reason === "string" ? { hint: reason } : reason;
  throw new VfioError({ operation, errno: -result, action, ...why });
}
