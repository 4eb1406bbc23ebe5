import { checkKind, checkOptions, type Kinds } from "../base/argument.ts";
import { ERRNO, errnoName } from "../base/errno.ts";
import { type Extent, ExtentSet } from "../base/extent.ts";
import { formatSize, hex, plural } from "../base/format.ts";
import { DIRTY_BITMAP_PAGES_MAX } from "../rules/dirty.ts";
import { findIova, type IovaRange } from "../rules/iova.ts";
import { mapRefusal } from "../rules/map.ts";
import { describe } from "../rules/range.ts";
import { entriesReason, fitsMemlock, memlockReason } from "./memlock.ts";
import type { PinSnapshot } from "./snapshot.ts";

/** A mapping to be made, or several of one size side by side. */
export interface PlannedMap {
  /** Where; by default the lowest free address. */
  readonly iova?: bigint;
  /** Bytes of each. */
  readonly size: bigint;
  /** How many; 1 by default. */
  readonly count?: number;
}

/** The container that the mappings are for, as it is now. */
export interface ForecastState {
  /** Smallest page of the IOMMU, in bytes. */
  readonly pageSize: bigint;
  /** What is mapped already. */
  readonly mappings: Iterable<Extent>;
  /** Usable addresses; undefined where the kernel does not say. */
  readonly ranges: readonly IovaRange[] | undefined;
  /** Mappings left; undefined where the kernel does not say. */
  readonly dmaAvailable: number | undefined;
  /** Whether a group behind an IOMMU is attached, so that a mapping is pinned at once. */
  readonly hasIommu: boolean;
  /** What the process has locked, and may lock. */
  readonly pins: PinSnapshot;
}

/** The first mapping that will not fit. */
export interface ForecastStop extends Extent {
  /** Its number, from 0. */
  readonly index: number;
  /** Which limit stops it. */
  readonly limit: "memlock" | "entries" | "iova-range" | "overlap" | "request";
  /** What the kernel will answer. */
  readonly errno: number;
  /** The name of it, as "ENOMEM". */
  readonly code: string;
  /** The figures, and what to do. */
  readonly reason: string;
}

/** Whether a list of mappings will fit. */
export interface Forecast {
  /** Whether all of them do. */
  readonly fits: boolean;
  /** How many do, from the first on. */
  readonly mappings: number;
  /** Bytes that those map. */
  readonly mapped: bigint;
  /** VmLck after those, in bytes. */
  readonly locked: bigint;
  /** Mappings left after those, where known. */
  readonly dmaAvailable: number | undefined;
  /** The first one that does not. */
  readonly stop: ForecastStop | undefined;
  /** What is only checked later, as sentences without their ends. */
  readonly later: readonly string[];
  /** What dirty tracking will refuse, as sentences without their ends. */
  readonly tracking: readonly string[];
}

const LIMITS: Readonly<Record<string, ForecastStop["limit"]>> = {
  "map.entries": "entries",
  "map.iova-range": "iova-range",
  "map.overlap": "overlap",
};

/**
 * Tells whether mappings will fit, and which limit stops them first, without asking the kernel.
 *
 * It tests in the kernel's order: request, overlap, dma_entry_limit, IOVA ranges, memory limit.
 *
 * @throws {TypeError} If an address or a size is no bigint, or a planned mapping has another field.
 * @throws {RangeError} If a count is not a whole number of at least 1.
 * @see drivers/vfio/vfio_iommu_type1.c, vfio_dma_do_map
 */
export function forecast(state: ForecastState, maps: readonly PlannedMap[]): Forecast {
  const mappings = new ExtentSet<Extent>();
  for (const extent of state.mappings) mappings.add(extent);
  const planned: Extent[] = [];
  let { locked } = state.pins;
  let left = state.dmaAvailable;
  let mapped = 0n;
  let stop: ForecastStop | undefined;
  for (const extent of expand(state, maps, mappings)) {
    const index = planned.length;
    stop = refuse(state, extent, { mappings, left, locked, index });
    if (stop !== undefined) break;
    mappings.add(extent);
    planned.push(extent);
    mapped += extent.size;
    if (state.hasIommu) locked += extent.size;
    if (left !== undefined) left -= 1;
  }
  return {
    fits: stop === undefined,
    mappings: planned.length,
    mapped,
    locked,
    dmaAvailable: left,
    stop,
    later: checkedLater(state, mappings),
    tracking: trackingLimits(state, planned),
  };
}

const PLANNED: Kinds<PlannedMap> = { iova: "bigint", size: "bigint", count: "number" };

/** Each mapping by itself; an address that is left open is chosen when its turn comes. */
function* expand(
  { pageSize, ranges }: ForecastState,
  maps: readonly PlannedMap[],
  mappings: ExtentSet<Extent>,
): Generator<Extent, void> {
  for (const map of maps) {
    checkOptions(map, PLANNED);
    const { iova, size, count = 1 } = map;
    checkKind("size", size, "bigint");
    if (!Number.isSafeInteger(count) || count < 1) {
      throw new RangeError(`A count is a whole number of at least 1; got ${count}`);
    }
    for (let i = 0n; i < BigInt(count); i += 1n) {
      const free = iova === undefined
        ? findIova(ranges, mappings, { size, align: pageSize * 64n })
        : iova + i * size;
      yield { iova: free ?? -1n, size };
    }
  }
}

interface Progress {
  readonly mappings: ExtentSet<Extent>;
  readonly left: number | undefined;
  readonly locked: bigint;
  readonly index: number;
}

function refuse(
  { pageSize, ranges, hasIommu, pins, dmaAvailable }: ForecastState,
  extent: Extent,
  { mappings, left, locked, index }: Progress,
): ForecastStop | undefined {
  const stopped = (
    limit: ForecastStop["limit"],
    errno: number,
    reason: string,
  ): ForecastStop => ({ ...extent, index, limit, errno, code: errnoName(errno), reason });
  if (extent.iova < 0n) {
    return stopped(
      "iova-range",
      ERRNO.EINVAL,
      `no free range of ${formatSize(extent.size)} is left`,
    );
  }
  const request = { ...extent, flags: 3, vaddr: undefined };
  const refusal = mapRefusal(request, { pageSize, mappings, ranges, entriesLeft: left });
  if (refusal !== undefined) {
    const limit = LIMITS[refusal.rule] ?? "request";
    const limits = `${(dmaAvailable ?? 0) + [...mappings].length - index}`;
    return stopped(
      limit,
      refusal.errno,
      limit === "entries" ? entriesReason(limits) : refusal.reason,
    );
  }
  if (!hasIommu || fitsMemlock(pins, locked + extent.size)) return undefined;
  return stopped("memlock", ERRNO.ENOMEM, memlockReason(pins, locked, extent.size));
}

/** Without an IOMMU a mapping is believed; what is wrong with it shows later. */
function checkedLater(state: ForecastState, mappings: ExtentSet<Extent>): string[] {
  if (state.hasIommu) return [];
  let total = 0n;
  for (const { size } of mappings) total += size;
  const { pins } = state;
  const room = pins.room === undefined ? "no limit" : `${formatSize(pins.room)} of room`;
  const fits = fitsMemlock(pins, pins.locked + total)
    ? "which fits"
    : `which will not: ${memlockReason(pins, pins.locked, total)}`;
  return [
    "the memory limit counts at each page that a driver pins (ENOMEM there), with " + room,
    `when a group behind an IOMMU joins, all ${formatSize(total)} that are mapped are pinned, ` +
    fits,
    "addresses are checked against the IOMMU's ranges only when such a group joins (EINVAL there)",
    "that the memory can be pinned shows at the pin, or when such a group joins (EFAULT there)",
  ];
}

function trackingLimits({ pageSize }: ForecastState, planned: readonly Extent[]): string[] {
  const most = BigInt(DIRTY_BITMAP_PAGES_MAX) * pageSize;
  const large = planned.filter(({ size }) => size > most);
  const first = large[0];
  if (first === undefined) return [];
  return [
    `${plural(large.length, "mapping")}, the first at ${
      describe(first)
    }, cannot be tracked: START ` +
    `takes at most ${DIRTY_BITMAP_PAGES_MAX} pages in one (${hex(most)} bytes), and one read ` +
    "at most one page more; map in pieces",
  ];
}
