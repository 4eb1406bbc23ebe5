import { type Extent, totalSize } from "../../../lib/base/extent.ts";
import { joinRanges, mergeRanges, widenRanges } from "../../../lib/vfio/log_ranges.ts";
import { cutRanges } from "../../../lib/dirty/pieces.ts";
import { equal, ok } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";
import { Random } from "../random.ts";

const PAGE = 4096n;

/** Ranges as [first page, pages]. */
const ranges = (...list: readonly (readonly [number, number])[]): Extent[] =>
  list.map(([first, count]) => ({ iova: BigInt(first) * PAGE, size: BigInt(count) * PAGE }));

const show = (list: readonly Extent[]): string =>
  list.map(({ iova, size }) => `${iova / PAGE}+${size / PAGE}`).join(" ");

describe("ranges of a log", () => {
  it("are joined where they touch or lie over each other, in any order", () => {
    equal(show(joinRanges(ranges([8, 2], [0, 4], [4, 1], [9, 3], [20, 1]))), "0+5 8+4 20+1");
    equal(show(joinRanges(ranges([0, 10], [2, 3], [4, 5], [10, 1]))), "0+11");
    equal(show(joinRanges([])), "");
  });

  it("are widened to whole pages, and joined where these are the same", () => {
    equal(show(widenRanges(ranges([3, 2], [7, 1], [16, 16], [35, 1]), 8n * PAGE)), "0+8 16+24");
    equal(show(widenRanges(ranges([1, 1], [3, 1]), PAGE)), "1+1 3+1");
  });

  it("are merged over the smallest gaps, of equal ones the lowest", () => {
    const list = ranges([0, 1], [3, 1], [5, 1], [8, 1], [10, 1]);
    equal(show(mergeRanges(list, 5)), "0+1 3+1 5+1 8+1 10+1");
    equal(show(mergeRanges(list, 4)), "0+1 3+3 8+1 10+1");
    equal(show(mergeRanges(list, 3)), "0+1 3+3 8+3");
    equal(show(mergeRanges(list, 2)), "0+6 8+3");
    equal(show(mergeRanges(list, 1)), "0+11");
  });

  it("are cut into pieces of whole words from their start, larger ones for more pages", () => {
    equal(
      show(cutRanges(ranges([3, 130], [200, 64], [300, 1]), { pageSize: PAGE, unit: PAGE })),
      "3+64 67+64 131+2 200+64 300+1",
    );
    for (const bits of [12, 20, 30, 40, 48, 52, 57, 63]) {
      const whole = { iova: 0n, size: 1n << BigInt(bits) };
      for (const page of [PAGE, 0x20_0000n]) {
        if (page > whole.size) continue;
        const pieces = cutRanges([whole], { pageSize: page, unit: page });
        equal([totalSize(pieces), pieces[0]?.iova], [whole.size, 0n]);
        const bitmap = pieces[0]!.size / page / 8n;
        ok(bitmap <= 1n << (bits > 48 ? 28n : 20n), `2^${bits}: ${bitmap}`);
        ok(pieces.length <= 1 << 20, `2^${bits}: ${pieces.length} pieces`);
      }
    }
  });

  it("are cut at multiples of an entry, wherever they begin", () => {
    const at = (unit: bigint, ...list: (readonly [number, number])[]): string =>
      show(cutRanges(ranges(...list), { pageSize: PAGE, unit: unit * PAGE }));
    equal(at(512n, [3, 130]), "3+130");
    equal(at(512n, [500, 600], [1100, 1000]), "500+12 512+512 1024+76 1100+436 1536+512 2048+52");
    equal(at(16n, [3, 130]), "3+61 64+64 128+5", "never less than a word");
    equal(at(1n << 52n, [3, 1000], [1003, 1]), "3+1000 1003+1", "none is larger: never cut");
  });

  it("merged one gap at a time as the kernel does, give the same", () => {
    const source = new Random(7);
    const next = (end: number): number => source.below(end);
    for (let round = 0; round < 200; round += 1) {
      let at = 0;
      const list = ranges(...Array.from({ length: 1 + next(40) }, () => {
        const first = at + 1 + next(6);
        at = first + 1 + next(4);
        return [first, at - first] as const;
      }));
      const most = 1 + next(20);
      const merged = mergeRanges(list, most);
      const slow = combine(list, most);
      equal(show(merged), show(slow));
      ok(merged.length <= most || merged.length === list.length);
      ok(totalSize(merged) >= totalSize(list));
    }
  });
});

/** The kernel's way: the first of the smallest gaps goes, again and again. */
function combine(list: readonly Extent[], most: number): Extent[] {
  const left = [...list];
  while (left.length > most) {
    let best = 1;
    const gap = (i: number): bigint => left[i]!.iova - left[i - 1]!.iova - left[i - 1]!.size;
    for (let i = 2; i < left.length; i += 1) if (gap(i) < gap(best)) best = i;
    const [a, b] = [left[best - 1]!, left[best]!];
    left.splice(best - 1, 2, { iova: a.iova, size: b.iova + b.size - a.iova });
  }
  return left;
}
