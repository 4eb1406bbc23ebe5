import type { Extent } from "../base/extent.ts";
import { DirtyMap } from "../dirty/dirty_map.ts";

/** Pages of two sets. */
export interface PageCounts {
  /** Pages of the first alone. */
  readonly onlyA: number;
  /** Pages of the second alone. */
  readonly onlyB: number;
  /** Pages of both. */
  readonly both: number;
}

/** Counts the pages of two sets. */
export function comparePages(a: DirtyMap, b: DirtyMap): PageCounts {
  const both = a.intersection(b).count;
  return { onlyA: a.count - both, onlyB: b.count - both, both };
}

/** Sums two series of rounds up, and compares them round by round. Keeps one set of pages of each. */
export class RoundCompare {
  readonly #a: DirtyMap;
  readonly #b: DirtyMap;

  /** Takes the bytes of a page, which both must have. */
  constructor(pageSize: bigint) {
    this.#a = new DirtyMap(pageSize);
    this.#b = new DirtyMap(pageSize);
  }

  /**
   * Adds the next round of both; where one of them has no more, it has no pages.
   *
   * @throws {RangeError} If the pages of one have another size.
   */
  add(a: DirtyMap | undefined, b: DirtyMap | undefined): PageCounts {
    const none = new DirtyMap(this.#a.pageSize);
    const [one, other] = [a ?? none, b ?? none];
    this.#a.add(one);
    this.#b.add(other);
    return comparePages(one, other);
  }

  /** Pages that were dirty in any round. */
  total(): PageCounts {
    return comparePages(this.#a, this.#b);
  }

  /** The same by mapping, in the order given. */
  each(mappings: readonly Extent[]): (PageCounts & Extent)[] {
    const onlyA = this.#a.difference(this.#b).countEach(mappings);
    const onlyB = this.#b.difference(this.#a).countEach(mappings);
    const both = this.#a.intersection(this.#b).countEach(mappings);
    return mappings.map(({ iova, size }, i) => ({
      iova,
      size,
      onlyA: onlyA[i]!,
      onlyB: onlyB[i]!,
      both: both[i]!,
    }));
  }
}
