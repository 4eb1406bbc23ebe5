/** Draws sequences until enough steps were made, and keeps the shortest of each kind of difference. */
import { compare, type Difference, kindOf, shorten } from "./compare.ts";
import type { FastCheck } from "./fast_check.ts";
import { sequences } from "./generator.ts";
import type { Machine } from "./machine.ts";
import type { Operation } from "./operation.ts";
import type { Player } from "./player.ts";

/** Sequences of one call of fast-check. */
const RUNS = 20;

/** What to search for. */
export interface Search {
  readonly seed: number;
  /** Steps to make at least. */
  readonly steps: number;
  /** Stop after so many kinds of difference. */
  readonly kinds: number;
  /** Called after each batch with the steps made so far. */
  readonly progress?: (steps: number) => void;
}

/** How a search ended. */
export interface Found {
  readonly steps: number;
  readonly sequences: number;
  /** Seconds that it took. */
  readonly seconds: number;
  /** The shortest sequence of each kind. */
  readonly differences: readonly Difference[];
}

/** Compares two kernels on random sequences. */
export function search(
  fc: FastCheck,
  machine: Machine,
  players: readonly [Player, Player],
  wish: Search,
): Found {
  const start = performance.now();
  const known = new Map<string, Difference>();
  const arbitrary = sequences(fc, machine);
  let steps = 0;
  let count = 0;
  // A sequence that shows a kind that was found already ends there, and passes.
  const differs = (operations: readonly Operation[]): Difference | undefined => {
    const result = compare(...players, operations);
    steps += result.steps;
    count += 1;
    const { difference } = result;
    return difference === undefined || known.has(kindOf(difference)) ? undefined : difference;
  };
  for (let batch = 0; steps < wish.steps && known.size < wish.kinds; batch += 1) {
    const property = fc.property(arbitrary, (operations) => differs(operations) === undefined);
    const { failed, counterexample } = fc.check(property, {
      seed: wish.seed + batch,
      numRuns: RUNS,
    });
    if (failed) {
      const difference = counterexample === null ? undefined : differs(counterexample[0]);
      if (difference === undefined) throw new Error("A difference that was found came only once");
      known.set(kindOf(difference), shorten(...players, difference));
    }
    wish.progress?.(steps);
  }
  const seconds = (performance.now() - start) / 1000;
  return { steps, sequences: count, seconds, differences: [...known.values()] };
}
