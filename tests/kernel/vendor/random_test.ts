/** Many pins at random places come back exactly. */
import { equal } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { Random } from "../../unit/random.ts";
import { it } from "../support/guard.ts";
import { at, dirty, pinnedNow, PINS, Scene, show, VENDOR_PCI } from "./scene.ts";

const SPACE = 16384;
const COUNT = 4096;
const SEED = 20_240_607;

/** Runs of 1 to 512 pages that do not overlap, `COUNT` pages in all. */
function randomRuns(seed: number): { first: number; count: number }[] {
  const random = new Random(seed);
  const taken = new Uint8Array(SPACE);
  const runs: { first: number; count: number }[] = [];
  for (let left = COUNT; left > 0;) {
    const count = Math.min(left, 1 + random.below(512));
    const first = random.below(SPACE - count);
    if (taken.subarray(first, first + count).includes(1)) continue;
    taken.fill(1, first, first + count);
    runs.push({ first, count });
    left -= count;
  }
  return runs;
}

const pagesOf = (runs: readonly { first: number; count: number }[]): string =>
  show(runs.flatMap(({ first, count }) => Array.from({ length: count }, (_, i) => first + i)));

describe(`4096 pages pinned in random runs of 1 to 512 (seed ${SEED})`, () => {
  for (const [name, device] of [["an mdev", PINS], ["a device behind an IOMMU", VENDOR_PCI]]) {
    it(`come back exactly, page for page: ${name}`, () => {
      using scene = new Scene({ device: device ?? PINS, size: SPACE });
      const runs = randomRuns(SEED);
      for (const { first, count } of runs) scene.vendor.pin(at(first), count, { oneCall: true });
      equal(scene.vendor.status().pinned, COUNT);
      const wanted = pagesOf(runs);
      equal(pinnedNow(scene.container), wanted);
      using tracker = scene.container.trackDirty();
      equal(pinnedNow(scene.container), wanted);
      equal(dirty(tracker), wanted);
      equal(dirty(tracker), wanted);

      const [gone, kept] = [runs.filter((_, i) => i % 2 === 0), runs.filter((_, i) => i % 2 === 1)];
      for (const { first, count } of gone) scene.vendor.unpin(at(first), count);
      equal(dirty(tracker), wanted);
      equal(dirty(tracker), pagesOf(kept));
      equal(pinnedNow(scene.container), pagesOf(kept));
    });
  }
});
