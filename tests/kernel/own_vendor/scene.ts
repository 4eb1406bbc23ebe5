/** The machine of these tests: the lab's own kernel, whose vendor driver logs and migrates. */

import type { DirtyTracker, Extent } from "../../../mod.ts";
import { LOW, PAGE } from "../support/machine.ts";

/** A mediated device that logs its writes, and has all migration states. */
export const LOGS = "50696e73-0000-4000-8000-000000000001";
/** Another one. */
export const LOGS2 = "50696e73-0000-4000-8000-000000000002";
/** One that migrates while it is stopped, and does not log. */
export const MIGRATES = "50696e73-0000-4000-8000-000000000003";
/** One that does neither. */
export const PINS = "50696e73-0000-4000-8000-000000000004";
/** edu behind the IOMMU, with vfio-pci. */
export const VFIO_PCI = "0000:00:10.0";
/** edu behind the IOMMU, whose driver logs. */
export const LOGS_PCI = "0000:00:11.0";

/** 2 MiB: the largest page of the driver's log. */
export const HUGE = 0x20_0000n;

/** Pages from LOW on, as an extent. */
export const range = (first: number, count: number): Extent => ({
  iova: LOW + BigInt(first) * PAGE,
  size: BigInt(count) * PAGE,
});

/** Reads everything once: the numbers of dirty pages of the tracker's size, counted from address 0. */
export function drained(tracker: DirtyTracker, maxBitmapBytes = 1 << 20): number[] {
  const found: number[] = [];
  for (const window of tracker.drain({ maxBitmapBytes })) {
    if (window.label !== "written") throw new Error(`labelled ${window.label}`);
    for (const run of window.runs()) {
      const first = Number(run.iova / tracker.pageSize);
      for (let i = 0; i < run.pages; i += 1) found.push(first + i);
    }
  }
  return found;
}

/** Numbers below `most`, each once, sorted, always the same for a seed. */
export function someNumbers(count: number, most: number, seed: number): number[] {
  const found = new Set<number>();
  let state = seed;
  while (found.size < count) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    found.add(Math.floor(state / 2 ** 32 * most));
  }
  return [...found].sort((a, b) => a - b);
}
