import { median, type Row, spread } from "./row.ts";

/** One way to do something: milliseconds that it took. */
export type Side = () => number | Promise<number>;

/** Rounds of a pass that count, where each is short. */
export const ROUNDS = 7;
/** How often all rows of a kind are measured, from the first to the last. */
export const PASSES = 3;
/** Rounds before, in which the compilers finish; where rounds are long and few, one is enough. */
const WARM = 4;

/** Calls of a turn; the fastest counts. */
const TURN = 3;
/** A call of more milliseconds is made once a turn. */
const LONG = 50;

/**
 * The fastest of a few calls in a row: the first one finds the caches and the foretold branches of
 * somebody else, and a call of a millisecond may be interrupted.
 */
async function turn(side: Side): Promise<number> {
  let best = await side();
  for (let i = 1; i < TURN && best < LONG; i += 1) best = Math.min(best, await side());
  return best;
}

/** Milliseconds of a call. */
export function timed(call: () => unknown): number {
  const start = performance.now();
  call();
  return performance.now() - start;
}

/**
 * Measures one way against others, in turns, round by round: only what was measured side by side can
 * be compared.
 *
 * @returns The times of each, by round: ours first.
 */
export async function interleave(
  sides: readonly Side[],
  rounds = ROUNDS,
): Promise<number[][]> {
  const times: number[][] = sides.map(() => []);
  for (let round = rounds < ROUNDS ? -1 : -WARM; round < rounds; round += 1) {
    for (const [i, side] of sides.entries()) {
      const took = await turn(side);
      if (round >= 0) times[i]!.push(took);
    }
  }
  return times;
}

/** What a row says besides its figures. */
export interface Wanted {
  readonly name: string;
  /** Nothing, where the row only explains others. */
  readonly must?: number | undefined;
  readonly aim?: number | undefined;
  /** Bytes that a call works on, or runs or requests that it makes, for the columns. */
  readonly amount: number;
  /** Nanoseconds are of one of them. */
  readonly unit: "GB/s" | "ns";
}

/** What a row was made of: the times of all rounds. */
interface Taken {
  readonly wanted: Wanted;
  readonly ours: readonly number[];
  readonly other: readonly number[];
  readonly ratios: readonly number[];
  readonly better: Row["better"];
}

/** A row that can be put together with the same one of another pass. */
export interface MeasuredRow extends Row {
  readonly taken?: Taken;
}

/**
 * Puts together what several passes have measured: the rounds of all of them count, for what else a
 * machine does changes its speed for seconds, and not for rounds.
 *
 * @param passes The same rows in each.
 */
export function pool(passes: readonly (readonly MeasuredRow[])[]): Row[] {
  const [first = []] = passes;
  return first.map((row, i) => {
    const all = passes.map((rows) => rows[i]?.taken).filter((taken) => taken !== undefined);
    if (row.taken === undefined) return row;
    const { wanted, better } = row.taken;
    const rounds = (of: (taken: Taken) => readonly number[]): number[] => all.flatMap(of);
    const { taken: _, ...pooled } = finish({
      wanted,
      better,
      ours: rounds((taken) => taken.ours),
      other: rounds((taken) => taken.other),
      ratios: rounds((taken) => taken.ratios),
    });
    return pooled;
  });
}

function rate(times: readonly number[], { amount, unit }: Wanted): string {
  const ms = median(times);
  return unit === "GB/s"
    ? `${(amount / ms / 1e6).toFixed(2)} GB/s`
    : `${(ms * 1e6 / amount).toFixed(1)} ns`;
}

/** A row of how much faster ours is than the fastest of the others in each round. */
export function fasterRow(
  wanted: Wanted,
  ours: readonly number[],
  others: readonly (readonly number[])[],
): MeasuredRow {
  const best = ours.map((_, round) => Math.min(...others.map((times) => times[round]!)));
  const ratios = ours.map((time, round) => best[round]! / time);
  return finish({ wanted, ours, other: best, ratios, better: "more" });
}

/** A row of how much more ours costs than another way of ours. */
export function costRow(
  wanted: Wanted,
  ours: readonly number[],
  other: readonly number[],
): MeasuredRow {
  const ratios = ours.map((time, round) => time / other[round]!);
  return finish({ wanted, ours, other, ratios, better: "less" });
}

function finish(taken: Taken): MeasuredRow {
  const { wanted, ours, other, ratios, better } = taken;
  const { name, must, aim } = wanted;
  return {
    name,
    ours: rate(ours, wanted),
    against: rate(other, wanted),
    figure: median(ratios),
    spread: spread(ratios),
    better,
    ...must === undefined ? {} : { must },
    ...aim === undefined ? {} : { aim },
    taken,
  };
}
