/** Rounds whose every page is known, without a kernel. */

import type { DirtyLabel, ViewHead, ViewRound } from "../../../lib/view/mod.ts";
import { DirtyMap, type Extent } from "../../../mod.ts";

export const PAGE = 4096n;
/** Two mappings of 16 and 4 pages with a gap between them. */
export const MAPPINGS: readonly Extent[] = [
  { iova: 0x100000n, size: 16n * PAGE },
  { iova: 0x4000_0000n, size: 4n * PAGE },
];

export const HEAD: ViewHead = {
  devices: ["0000:00:10.0"],
  source: "type1",
  pageSize: PAGE,
  kernel: "6.12.0-test",
  command: "pinscope report 0000:00:10.0 -o r.html",
  started: "2026-01-02T03:04:05.000Z",
};

/** A round of one second with some dirty pages, given as [iova, pages]. */
export function roundOf(
  round: number,
  runs: readonly (readonly [bigint, number])[],
  more: Partial<ViewRound> & { readonly label?: DirtyLabel } = {},
): ViewRound {
  const { label = "pinned-scope", ...rest } = more;
  const dirty = new DirtyMap(PAGE);
  for (const [iova, pages] of runs) dirty.addRange(iova, pages);
  return {
    round,
    at: round * 1000,
    elapsed: 1000,
    dirty,
    labels: [label],
    mappings: MAPPINGS,
    readTime: 0.5,
    ...rest,
  };
}

/** Three rounds: page 2 of the first mapping always, page 3 + round, and one of the second. */
export const ROUNDS: readonly ViewRound[] = [1, 2, 3].map((round) =>
  roundOf(round, [
    [0x102000n, 1],
    [0x103000n + BigInt(round) * PAGE, 1],
    [0x4000_1000n, 1],
  ], {
    pinned: new DirtyMap(PAGE).addRange(0x102000n, 1).addRange(0x4000_1000n, 1),
    account: { locked: 8192n, pinned: 0n, limit: 8n << 20n, dmaAvailable: 65533 },
  })
);
