import { checkKind } from "../base/argument.ts";
import type { Extent } from "../base/extent.ts";
import type { DirtyLabel } from "../dirty/label.ts";
import type { ViewRound } from "./round.ts";
import { type CellPlan, type HeatSection, planCells } from "./section.ts";

/** One round, or several that are shown as one. */
export interface HeatColumn {
  /** The first round in it. */
  readonly first: number;
  /** The last round in it. */
  readonly last: number;
  /** How many rounds it sums up. */
  readonly rounds: number;
  /** Milliseconds at its beginning, from the beginning of the first round. */
  readonly from: number;
  /** Milliseconds at its end. */
  readonly to: number;
  /** What the bits mean. */
  readonly labels: readonly DirtyLabel[];
  /** Dirty pages by cell, summed over its rounds. */
  readonly dirty: readonly number[];
  /** Mapped pages by cell, summed over its rounds; 0 where nothing was mapped. */
  readonly mapped: readonly number[];
  /** Rounds by cell in which one of its pages was dirty. */
  readonly hits: readonly number[];
}

/** What a heat map shows: plain data, from any source. */
export interface HeatData {
  /** Bytes of a page. */
  readonly pageSize: bigint;
  /** Bytes of a cell. */
  readonly cellSize: bigint;
  /** Ranges of address, with breaks between them. */
  readonly sections: readonly HeatSection[];
  /** The cells of all sections, by rising address. */
  readonly cells: readonly Extent[];
  /** By time. */
  readonly columns: readonly HeatColumn[];
}

/** What a {@link HeatBuilder} is made from. */
export interface HeatPlan {
  /** Bytes of a page. */
  readonly pageSize: bigint;
  /** All that is mapped in any of the rounds. */
  readonly mappings: Iterable<Extent>;
  /** The most cells; 128 by default. */
  readonly maxCells?: number;
  /** The most columns; 240 by default. With more rounds, a column sums up 2, 4, 8 and so on. */
  readonly maxColumns?: number;
}

function atLeast(name: string, value: number, least: number): void {
  checkKind(name, value, "number");
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new RangeError(`${name} must be a whole number of at least ${least}; got ${value}`);
}

const sums = (a: readonly number[], b: readonly number[]): number[] =>
  a.map((value, i) => value + b[i]!);

const together = (a: HeatColumn, b: HeatColumn): HeatColumn => ({
  first: a.first,
  last: b.last,
  rounds: a.rounds + b.rounds,
  from: a.from,
  to: b.to,
  labels: [...new Set([...a.labels, ...b.labels])],
  dirty: sums(a.dirty, b.dirty),
  mapped: sums(a.mapped, b.mapped),
  hits: sums(a.hits, b.hits),
});

/**
 * Counts rounds into the cells of a heat map. It takes the memory of the picture, however many rounds
 * there are.
 *
 * @example From rounds to a picture
 * ```ts
 * import { DirtyMap } from "@pinscope/vfio";
 * import { HeatBuilder, renderHeatmap } from "@pinscope/vfio/view";
 *
 * const mappings = [{ iova: 0x10000n, size: 0x8000n }];
 * const builder = new HeatBuilder({ pageSize: 4096n, mappings });
 * const dirty = new DirtyMap(4096n).addRange(0x12000n, 2);
 * builder.add({
 *   round: 1, at: 1000, elapsed: 1000, dirty, labels: ["pinned-scope"], mappings, readTime: 0,
 * });
 * const svg = renderHeatmap(builder.data());
 * if (!svg.startsWith("<svg ")) throw new Error("an SVG file");
 * ```
 */
export class HeatBuilder {
  readonly #pageSize: bigint;
  readonly #plan: CellPlan;
  readonly #maxColumns: number;
  #columns: HeatColumn[] = [];
  /** Rounds in a full column. */
  #each = 1;
  #mappings: readonly Extent[] = [];
  #mapped: readonly number[] = [];

  /**
   * Plans the cells.
   *
   * @throws {RangeError} If a number is too small, or a mapping is not made of whole pages.
   */
  constructor({ pageSize, mappings, maxCells = 128, maxColumns = 240 }: HeatPlan) {
    checkKind("pageSize", pageSize, "bigint");
    atLeast("maxCells", maxCells, 1);
    atLeast("maxColumns", maxColumns, 2);
    this.#pageSize = pageSize;
    this.#plan = planCells(mappings, pageSize, maxCells);
    this.#maxColumns = maxColumns;
    this.#mapped = this.#plan.cells.map(() => 0);
  }

  /**
   * Adds the next round.
   *
   * @throws {RangeError} If its pages have another size.
   */
  add(round: ViewRound): void {
    const { dirty, labels, at, elapsed, mappings } = round;
    if (dirty.pageSize !== this.#pageSize) {
      throw new RangeError(`Pages must have ${this.#pageSize} bytes; got ${dirty.pageSize}`);
    }
    const counts = dirty.countEach(this.#plan.cells);
    const column: HeatColumn = {
      first: round.round,
      last: round.round,
      rounds: 1,
      from: at - elapsed,
      to: at,
      labels: [...labels],
      dirty: counts,
      mapped: this.#mappedPages(mappings),
      hits: counts.map((count) => count > 0 ? 1 : 0),
    };
    const last = this.#columns.at(-1);
    if (last !== undefined && last.rounds < this.#each) {
      this.#columns[this.#columns.length - 1] = together(last, column);
    } else {
      if (this.#columns.length === this.#maxColumns) this.#halve();
      this.#columns.push(column);
    }
  }

  /** Joins columns in pairs; an odd last one is filled up by the rounds to come. */
  #halve(): void {
    const columns: HeatColumn[] = [];
    for (let i = 0; i < this.#columns.length; i += 2) {
      const [a, b] = [this.#columns[i]!, this.#columns[i + 1]];
      columns.push(b === undefined ? a : together(a, b));
    }
    this.#columns = columns;
    this.#each *= 2;
  }

  /** Pages that are mapped in each cell; counted again where the mappings are others. */
  #mappedPages(mappings: readonly Extent[]): readonly number[] {
    const before = this.#mappings;
    const isSame = mappings.length === before.length &&
      mappings.every(({ iova, size }, i) => iova === before[i]?.iova && size === before[i].size);
    if (isSame) return this.#mapped;
    this.#mappings = mappings.map(({ iova, size }) => ({ iova, size }));
    this.#mapped = this.#plan.cells.map((cell) => {
      let bytes = 0n;
      for (const { iova, size } of mappings) {
        const from = iova > cell.iova ? iova : cell.iova;
        const [end, cellEnd] = [iova + size, cell.iova + cell.size];
        const to = end < cellEnd ? end : cellEnd;
        if (to > from) bytes += to - from;
      }
      return Number(bytes / this.#pageSize);
    });
    return this.#mapped;
  }

  /** Gives what was counted until now. */
  data(): HeatData {
    const { cellSize, sections, cells } = this.#plan;
    return { pageSize: this.#pageSize, cellSize, sections, cells, columns: [...this.#columns] };
  }
}

/** Says how many rounds are not there, as after a crash or in a damaged recording; "" for none. */
export function missingRounds(columns: readonly HeatColumn[]): string {
  const rounds = columns.reduce((sum, column) => sum + column.rounds, 0);
  const missing = (columns.at(-1)?.last ?? 0) - rounds; // rounds count from 1
  if (missing <= 0) return "";
  return `; incomplete: ${missing} ${missing === 1 ? "round is" : "rounds are"} missing`;
}

/** All columns as one: address alone. */
export function flatten(data: HeatData): HeatData {
  const [first, ...rest] = data.columns;
  return { ...data, columns: first === undefined ? [] : [rest.reduce(together, first)] };
}
