import type { Extent } from "../base/extent.ts";
import type { DirtyLabel } from "../dirty/label.ts";
import type { DirtySource } from "../dirty/source.ts";

/**
 * What the next report of a mapping has to be called, whatever the rules say by then: after an error,
 * or when a group left whose writes nobody saw.
 */
export class Debts {
  readonly #source: DirtySource;
  readonly #owed = new WeakMap<Extent, DirtyLabel>();

  /** Nothing is owed yet. */
  constructor(source: DirtySource) {
    this.#source = source;
  }

  /** What the bits of a mapping will mean when it is read now. */
  label(piece: Extent): DirtyLabel {
    return this.#owed.get(piece) ?? this.#source.label(piece);
  }

  /** One label for several mappings; where they differ, the weakest that holds for all. */
  common(pieces: readonly Extent[]): DirtyLabel {
    let common: DirtyLabel | undefined;
    for (const piece of pieces) {
      const label = this.label(piece);
      if (label === "incomplete") return label;
      common = common === undefined || common === label ? label : "unknown";
    }
    return common ?? "unknown";
  }

  /** Notes what the next report of a mapping is to be called; an error goes before it. */
  owe(piece: Extent, label: DirtyLabel): void {
    if (this.#owed.get(piece) !== "incomplete") this.#owed.set(piece, label);
  }

  /** Notes that a read has failed: nobody knows which bits it cleared. */
  failed(pieces: readonly Extent[]): void {
    for (const piece of pieces) this.#owed.set(piece, "incomplete");
  }

  /** Notes that mappings are reported as they had to be. */
  settle(pieces: readonly Extent[]): void {
    for (const piece of pieces) this.#owed.delete(piece);
  }

  /** Takes what is owed for mappings, for a read that is not delivered yet. */
  take(pieces: readonly Extent[]): Owed {
    const owed = pieces.map((piece) => this.#owed.get(piece));
    this.settle(pieces);
    return { pieces, owed };
  }

  /** Owes again what was taken. */
  restore({ pieces, owed }: Owed): void {
    for (const [i, piece] of pieces.entries()) {
      const label = owed[i];
      if (label !== undefined) this.owe(piece, label);
    }
  }
}

/** What was owed for mappings. */
export interface Owed {
  readonly pieces: readonly Extent[];
  readonly owed: readonly (DirtyLabel | undefined)[];
}
