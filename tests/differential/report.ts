/** A search as text: its rate, and each difference as a trace. */
import { kindOf, writeTrace } from "./compare.ts";
import type { Player } from "./player.ts";
import type { Found } from "./search.ts";

/** One line on how much was compared, and how fast. */
export function summary(found: Found, seed: number): string {
  const { steps, sequences, seconds, differences } = found;
  const rate = Math.round(steps / seconds);
  const kinds = differences.length === 0 ? "none different" : `${differences.length} kinds differ`;
  return `${steps} steps in ${sequences} sequences, ${kinds}, ` +
    `${rate} steps a second (seed ${seed})`;
}

/** Each difference with its trace, and how to play it again. */
export function traces(found: Found, players: readonly [Player, Player]): string {
  return found.differences.map((difference) =>
    `${kindOf(difference)}\n${writeTrace(...players, difference)}\n`
  ).join("\n");
}

/** What to do with a trace. */
export const REPLAY = "To play a trace again, save its lines in a file of the project, and run:\n" +
  "deno task lab run [--profile vendor] tests/differential/replay.ts FILE";
