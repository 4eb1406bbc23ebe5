/**
 * `pinscope diff A B`: two recordings.
 *
 * @module
 */

import { type Extent, formatSize, hex } from "../mod.ts";
import { type PageCounts, RoundCompare } from "../lib/record/mod.ts";
import type { Context } from "./context.ts";
import { InputError } from "./input.ts";
import { UsageError } from "./parse.ts";
import { byPlace, openSession, type Session } from "./recording.ts";
import { columns, counted, grouped, wrap } from "./table.ts";
import { numberValue } from "./values.ts";

const MOST_ROWS = 16;

/** Compares, and gives 1 where the recordings differ. */
export async function diff(context: Context): Promise<number> {
  const { out, parsed: { positional, values } } = context;
  const [pathA = "", pathB = ""] = positional;
  const whole = { least: 0, most: 2 ** 31, whole: true };
  const most = numberValue("max-rounds", values.get("max-rounds"), whole) ?? MOST_ROWS;
  if (pathA === "-" && pathB === "-") {
    throw new UsageError("diff takes one recording from stdin, and the other from a file; got - -");
  }
  const a = await openSession(context, { path: pathA, session: undefined, option: "" });
  const b = await openSession(context, { path: pathB, session: undefined, option: "" });
  const { pageSize } = a.head;
  if (pageSize !== b.head.pageSize) {
    throw new InputError(
      `Cannot compare: pages have ${pageSize} bytes in ${pathA}, ${b.head.pageSize} in ${pathB}`,
    );
  }
  const compare = new RoundCompare(pageSize);
  const rows: string[][] = [];
  let differing = 0;
  for await (const { round, counts } of pairs(a, b, compare)) {
    out.record("round", { round, ...counts });
    if (isSame(counts)) continue;
    differing += 1;
    if (rows.length < most) rows.push([`  ${round}`, ...cells(counts)]);
  }
  const mappings = together(a, b);
  const [total, each] = [compare.total(), compare.each(mappings)];
  const isEqual = differing === 0 && a.rounds === b.rounds;
  for (const { iova, size, ...counts } of each) out.record("mapping", { iova, size, ...counts });
  out.record("diff", { ...total, roundsA: a.rounds, roundsB: b.rounds, differing, isEqual });
  if (isEqual) {
    out.line(`no difference: ${counted(a.rounds, "round")}, ${counted(total.both, "page")} dirty`);
    return 0;
  }
  const lengths = a.rounds === b.rounds
    ? counted(a.rounds, "round")
    : `${counted(a.rounds, "round")} in A, ${grouped(b.rounds)} in B`;
  out.lines(wrap(`${counted(differing, "round")} with a difference; ${lengths}`, "  "));
  if (rows.length > 0) out.lines(columns([["  ROUND", ...HEAD], ...rows], RIGHT));
  if (differing > rows.length) out.line(`  … ${counted(differing - rows.length, "more round")}`);
  out.line("dirty in any round:");
  const list = each.map(({ iova, size, ...counts }) => [
    `  ${hex(iova)}`,
    formatSize(size),
    ...cells(counts),
  ]);
  out.lines(
    columns([["  MAPPING", "SIZE", ...HEAD], ...list, ["  all", "", ...cells(total)]], RIGHT),
  );
  return 1;
}

const HEAD = ["ONLY A", "ONLY B", "BOTH"];
const RIGHT = ["left", "right", "right", "right", "right"] as const;

const cells = ({ onlyA, onlyB, both }: PageCounts): string[] => [onlyA, onlyB, both].map(grouped);

const isSame = ({ onlyA, onlyB }: PageCounts): boolean => onlyA === 0 && onlyB === 0;

/** Rounds by their place, until the longer one ends. */
async function* pairs(
  a: Session,
  b: Session,
  compare: RoundCompare,
): AsyncGenerator<{ readonly round: number; readonly counts: PageCounts }, void> {
  const [left, right] = [a.read(), b.read()];
  try {
    for (let round = 1;; round += 1) {
      const [one, other] = [await left.next(), await right.next()];
      if (one.done === true && other.done === true) return;
      yield { round, counts: compare.add(one.value?.dirty, other.value?.dirty) };
    }
  } finally {
    await left.return();
    await right.return();
  }
}

/** What is mapped in one or the other, by rising address. */
function together(a: Session, b: Session): Extent[] {
  const all = new Map<string, Extent>();
  for (const extent of [...a.mappings, ...b.mappings]) {
    all.set(`${extent.iova}+${extent.size}`, extent);
  }
  return [...all.values()].sort(byPlace);
}
