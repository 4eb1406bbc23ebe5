/**
 * What is odd about a kernel's dirty pages, found by asking it.
 *
 * @module
 */

import { VfioError } from "../base/error.ts";
import type { Kernel } from "../sys/kernel.ts";
import { Bench } from "./bench.ts";
import { GuardedArea } from "./quirk/area.ts";
import { hwptQuirks } from "./quirk/hwpt.ts";
import type { Quirk } from "./quirk/quirk.ts";
import { type1Quirks } from "./quirk/type1.ts";
import { Unprepared } from "./raw.ts";

/** How {@link findQuirks} works. */
export interface QuirkOptions {
  /** Names of devices to keep to; all that are ready where it is left out or empty. */
  readonly devices?: readonly string[];
}

/** One quirk, and whether the kernel has it. */
export interface QuirkResult {
  /** A short name, as "type1.stale". */
  readonly name: string;
  /** What a kernel that has it does, in a sentence without an end. */
  readonly about: string;
  /** The kernel's file and function. */
  readonly source: string;
  /** Whether it is so here; undefined where it could not be probed. */
  readonly present: boolean | undefined;
  /** What was seen, or why nothing could be. */
  readonly evidence: string;
}

function probe(quirk: Quirk, bench: Bench, area: GuardedArea): QuirkResult {
  const { name, about, source, needs } = quirk;
  const missing = bench.missing(needs);
  if (missing !== undefined) return { name, about, source, present: undefined, evidence: missing };
  bench.places.clear();
  try {
    return { name, about, source, ...quirk.probe(bench, area) };
  } catch (error) {
    if (!(error instanceof Unprepared || error instanceof VfioError)) throw error;
    return { name, about, source, present: undefined, evidence: error.message };
  }
}

/**
 * Finds out what of the known oddities a kernel has, in the dirty bitmaps of type1 and of iommufd. The
 * probes use a container and page tables of their own, write nothing but memory that is theirs, with a
 * guard behind it, and give back what they take.
 *
 * @param kernel The kernel to ask.
 * @param options The devices to keep to: one that is bound to vfio-pci is enough for type1.
 * @returns All quirks, in the order in which a script would meet them.
 * @see drivers/vfio/vfio_iommu_type1.c, update_user_bitmap
 * @see drivers/iommu/iommufd/iova_bitmap.c, iova_bitmap_set
 *
 * @example What the model does
 * ```ts
 * import { findQuirks } from "@pinscope/vfio/conform";
 * import { ModelKernel } from "@pinscope/vfio/model";
 *
 * const stale = findQuirks(new ModelKernel()).find(({ name }) => name === "type1.stale");
 * if (stale?.present !== true) throw new Error("the model does what real kernels do");
 * ```
 */
export function findQuirks(kernel: Kernel, options: QuirkOptions = {}): QuirkResult[] {
  using bench = new Bench(kernel, options.devices ?? []);
  using area = new GuardedArea(kernel, bench.page);
  return [...type1Quirks, ...hwptQuirks].map((quirk) => probe(quirk, bench, area));
}
