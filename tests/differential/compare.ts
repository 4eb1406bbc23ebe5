/** Two kernels, one list of operations: where they first differ. */
import { type Answer, type Operation, writeOperation } from "./operation.ts";
import type { Player } from "./player.ts";

/** The first step in which two kernels answered differently. */
export interface Difference {
  /** The steps up to the one that differs. */
  readonly operations: readonly Operation[];
  /** What each kernel said to the last one; undefined where it called nothing. */
  readonly answers: readonly [Answer | undefined, Answer | undefined];
  /** Steps that called something. */
  readonly steps: number;
}

/** How many steps were made, and where the two differed, if they did. */
export interface Comparison {
  readonly steps: number;
  readonly difference: Difference | undefined;
}

const FIELDS = ["result", "written", "bitmap", "locked", "pinned"] as const;

/** The fields in which two answers differ. */
export function differingFields(a: Answer | undefined, b: Answer | undefined): string[] {
  if (a === undefined || b === undefined) return a === b ? [] : ["result"];
  return FIELDS.filter((field) => a[field] !== b[field]);
}

/** Plays operations on both until they differ. Both are left as they were found. */
export function compare(
  left: Player,
  right: Player,
  operations: readonly Operation[],
): Comparison {
  let steps = 0;
  try {
    for (const [i, operation] of operations.entries()) {
      const answers = [left.play(operation), right.play(operation)] as const;
      if (answers[0] !== undefined) steps += 1;
      if (differingFields(...answers).length > 0) {
        return { steps, difference: { operations: operations.slice(0, i + 1), answers, steps } };
      }
    }
    return { steps, difference: undefined };
  } finally {
    left.reset();
    right.reset();
  }
}

/** Names the kind of a difference, so that one cause is not listed many times. */
export function kindOf(difference: Difference): string {
  const [a, b] = difference.answers;
  const last = difference.operations.at(-1);
  const fields = differingFields(a, b);
  const results = fields.includes("result") ? `${a?.result}/${b?.result}` : `${a?.result}`;
  const flags = last !== undefined && "flags" in last ? ` ${last.flags}` : "";
  // Of iommufd a request is as much as an operation of type1.
  const request = last?.op === "iommufd" ? ` ${last.request.toString(16)}` : "";
  return `${last?.op}${request}${flags} ${results} ${fields.join("+")}`;
}

/**
 * Takes steps away, one by one from the end, as long as the two still differ in the same way: what
 * is left has no step that does not matter.
 */
export function shorten(left: Player, right: Player, difference: Difference): Difference {
  const kind = kindOf(difference);
  let best = difference;
  for (let i = best.operations.length - 2; i >= 0; i -= 1) {
    const fewer = best.operations.filter((_, at) => at !== i);
    const { difference: found } = compare(left, right, fewer);
    if (found !== undefined && kindOf(found) === kind) {
      best = found;
      i = Math.min(i, best.operations.length - 1);
    }
  }
  return best;
}

/** A trace: a line for each step, with what the first kernel said, and both in the last one. */
export function writeTrace(left: Player, right: Player, difference: Difference): string {
  const lines: string[] = [];
  const { name } = left.kernel;
  const other = right.kernel.name === name ? `${name} 2` : right.kernel.name;
  try {
    for (const operation of difference.operations) {
      const answers = [left.play(operation), right.play(operation)] as const;
      const extra = differingFields(...answers).length === 0
        ? { answer: answers[0] }
        : { [name]: answers[0] ?? null, [other]: answers[1] ?? null };
      lines.push(writeOperation(operation, extra));
    }
  } finally {
    left.reset();
    right.reset();
  }
  return lines.join("\n");
}
