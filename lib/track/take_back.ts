import type { Extent, ExtentSet } from "../base/extent.ts";
import { bitmapBytes } from "../base/page.ts";
import { DirtyMap } from "../dirty/dirty_map.ts";
import { setBits } from "../dirty/scan.ts";
import { DirtyWindow } from "../dirty/window.ts";
import type { TakenWindow } from "./tracker_types.ts";

/** Windows that come back, by what has become of their mappings. */
export interface SortedOut {
  /** Pages of mappings that are still there. */
  readonly kept: DirtyMap;
  /** A window for each mapping that went since, with memory of its own. */
  readonly gone: readonly DirtyWindow[];
}

function windowOf({ iova, size }: Extent, from: DirtyMap, { label }: TakenWindow): DirtyWindow {
  const { pageSize } = from;
  const pages = size / pageSize;
  const words = new Uint32Array(Number(bitmapBytes(pages) / 4n));
  const range = new DirtyMap(pageSize).addRange(iova, Number(pages));
  for (const run of from.intersection(range).runs()) {
    const first = Number((run.iova - iova) / pageSize);
    setBits(words, first, first + run.pages);
  }
  return new DirtyWindow({ iova, size, pageSize, label, bitmap: { words, generation: 0 } });
}

/**
 * Sorts pages out that were read and come back: a mapping that went meanwhile has none, and another
 * one that lies in its place by now must not get them.
 *
 * @param dirty The pages of all windows but those that were gone when they were read.
 * @param mapped What is mapped now.
 */
export function sortOut(
  dirty: DirtyMap,
  windows: readonly TakenWindow[],
  mapped: ExtentSet<Extent>,
): SortedOut {
  const { pageSize } = dirty;
  const [here, away] = [new DirtyMap(pageSize), new DirtyMap(pageSize)];
  const add = (map: DirtyMap, { iova, size }: Extent): void => {
    map.addRange(iova, Number(size / pageSize));
  };
  const left = new Map<Extent, TakenWindow>();
  for (const window of windows) {
    for (const piece of window.pieces) {
      const isHere = mapped.at(mapped.indexFrom(piece.iova)) === piece;
      add(isHere ? here : away, piece);
      if (!isHere) left.set(piece, window);
    }
  }
  const gone = [...left].map(([piece, window]) => windowOf(piece, dirty, window));
  // Where both were read, nothing tells which had a page: it is reported once too often.
  return { kept: dirty.difference(away.difference(here)), gone };
}
