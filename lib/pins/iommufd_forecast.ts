import { checkKind, checkOptions, type Kinds } from "../base/argument.ts";
import { ERRNO, errnoName } from "../base/errno.ts";
import { type Extent, ExtentSet } from "../base/extent.ts";
import { formatSize } from "../base/format.ts";
import { ioasMapRefusal } from "../rules/ioas.ts";
import { findIova, type IovaRange } from "../rules/iova.ts";
import type { PlannedMap } from "./forecast.ts";
import { fitsMemlock, memlockReason } from "./memlock.ts";
import type { PinMode } from "./pin_book.ts";
import type { PinSnapshot } from "./snapshot.ts";

/** An address space of iommufd, as it is now. */
export interface IommufdForecastState {
  /** Addresses and lengths are multiples of this, in bytes. */
  readonly alignment: bigint;
  /** Addresses that no device reserves. */
  readonly ranges: readonly IovaRange[];
  /** What is mapped already. */
  readonly mappings: Iterable<Extent>;
  /** Whether it has a page table, so that a mapping is pinned at once. */
  readonly hasTable: boolean;
  /** Whom the mappings will be charged to. */
  readonly mode: PinMode;
  /** What the process has locked and pinned, and may lock. */
  readonly pins: PinSnapshot;
}

/** The first mapping that will not fit. */
export interface IommufdForecastStop extends Extent {
  /** Its number, from 0. */
  readonly index: number;
  /** Which limit stops it. */
  readonly limit: "memlock" | "iova-range" | "overlap" | "request";
  /** What the kernel will answer. */
  readonly errno: number;
  /** The name of it, as "ENOMEM". */
  readonly code: string;
  /** The figures, and what to do. */
  readonly reason: string;
}

/** Whether a list of mappings will fit. */
export interface IommufdForecast {
  /** Whether all of them do, as far as can be seen. */
  readonly fits: boolean;
  /** How many do, from the first on. */
  readonly mappings: number;
  /** Bytes that those map. */
  readonly mapped: bigint;
  /** VmPin after those, in bytes. */
  readonly pinned: bigint;
  /** VmLck after those, in bytes. */
  readonly locked: bigint;
  /** The first one that does not. */
  readonly stop: IommufdForecastStop | undefined;
  /** What is only checked later, or cannot be seen, as sentences without their ends. */
  readonly later: readonly string[];
}

const LIMITS: Readonly<Record<string, IommufdForecastStop["limit"]>> = {
  "ioas.reserved": "iova-range",
  "ioas.overlap": "overlap",
};
const FIXED_READ_WRITE = 7;
const PLANNED: Kinds<PlannedMap> = { iova: "bigint", size: "bigint", count: "number" };

/** Bytes that count against RLIMIT_MEMLOCK already: the user's are not shown, its own pins are. */
function counted(mode: PinMode, pins: PinSnapshot): bigint {
  return mode === "process" ? pins.locked : pins.pinned;
}

/**
 * Tells whether mappings of memory will fit, and which limit stops them first, without asking the
 * kernel. iommufd has no limit on the number of mappings.
 *
 * @throws {TypeError} If an address or a size is no bigint, or a planned mapping has another field.
 * @throws {RangeError} If a count is not a whole number of at least 1.
 * @see drivers/iommu/iommufd/io_pagetable.c, iopt_alloc_area_pages; pages.c, do_update_pinned
 */
export function forecastIommufd(
  state: IommufdForecastState,
  maps: readonly PlannedMap[],
): IommufdForecast {
  const mappings = new ExtentSet<Extent>();
  for (const extent of state.mappings) mappings.add(extent);
  let [count, mapped] = [0, 0n];
  let stop: IommufdForecastStop | undefined;
  for (const extent of expand(state, maps, mappings)) {
    stop = refuse(state, extent, mappings, { index: count, mapped });
    if (stop !== undefined) break;
    mappings.add(extent);
    count += 1;
    mapped += extent.size;
  }
  const pinned = state.hasTable ? mapped : 0n;
  const { mode, pins } = state;
  return {
    fits: stop === undefined,
    mappings: count,
    mapped,
    pinned: pins.pinned + pinned,
    locked: pins.locked + (mode === "process" ? pinned : 0n),
    stop,
    later: checkedLater(state, mappings),
  };
}

function* expand(
  { alignment, ranges }: IommufdForecastState,
  maps: readonly PlannedMap[],
  mappings: ExtentSet<Extent>,
): Generator<Extent, void> {
  const align = alignment > 4096n ? alignment : 4096n;
  for (const map of maps) {
    checkOptions(map, PLANNED);
    const { iova, size, count = 1 } = map;
    checkKind("size", size, "bigint");
    if (!Number.isSafeInteger(count) || count < 1) {
      throw new RangeError(`A count is a whole number of at least 1; got ${count}`);
    }
    for (let i = 0n; i < BigInt(count); i += 1n) {
      const free = iova === undefined
        ? findIova(ranges, mappings, { size, align })
        : iova + i * size;
      yield { iova: free ?? -1n, size };
    }
  }
}

function refuse(
  { alignment, ranges, hasTable, mode, pins }: IommufdForecastState,
  extent: Extent,
  mappings: ExtentSet<Extent>,
  { index, mapped }: { readonly index: number; readonly mapped: bigint },
): IommufdForecastStop | undefined {
  const stopped = (
    limit: IommufdForecastStop["limit"],
    errno: number,
    reason: string,
  ): IommufdForecastStop => ({ ...extent, index, limit, errno, code: errnoName(errno), reason });
  if (extent.iova < 0n) {
    const reason = `no free range of ${formatSize(extent.size)} is left`;
    return stopped("iova-range", ERRNO.ENOSPC, reason);
  }
  const request = { ...extent, flags: FIXED_READ_WRITE };
  const refusal = ioasMapRefusal(request, { alignment, mappings, ranges });
  if (refusal !== undefined) {
    return stopped(LIMITS[refusal.rule] ?? "request", refusal.errno, refusal.reason);
  }
  if (!hasTable || mode === "none") return undefined;
  const before = counted(mode, pins) + mapped;
  if (fitsMemlock(pins, before + extent.size)) return undefined;
  return stopped("memlock", ERRNO.ENOMEM, limitReason(mode, pins, before, extent.size));
}

function limitReason(mode: PinMode, pins: PinSnapshot, before: bigint, wanted: bigint): string {
  if (mode === "process") return memlockReason(pins, before, wanted);
  return `what this process has pinned for its user, ${formatSize(before)} + ${
    formatSize(wanted)
  }, ` +
    `is above RLIMIT_MEMLOCK ${formatSize(pins.limit.soft ?? 0n)}, and CAP_IPC_LOCK, which lifts ` +
    "it, is missing; raise the limit (ulimit -l, LimitMEMLOCK=) or map less";
}

function checkedLater(state: IommufdForecastState, mappings: ExtentSet<Extent>): string[] {
  const { hasTable, mode, pins } = state;
  const later: string[] = [];
  if (mode === "user" && pins.limit.soft !== undefined) {
    later.push(
      "the limit counts what all processes of the user have pinned (iommufd, io_uring, AF_XDP), and " +
        "no file shows how much that is: less may fit",
    );
  }
  if (hasTable) return later;
  let total = 0n;
  for (const { size } of mappings) total += size;
  const before = counted(mode, pins);
  const fits = mode === "none" || fitsMemlock(pins, before + total)
    ? "which fits"
    : `which will not (ENOMEM there): ${limitReason(mode, pins, before, total)}`;
  later.push(
    `the first page table pins all ${formatSize(total)} that are mapped, ${fits}`,
    "what the IOMMU cannot address, or a device reserves, shows when the device comes (EADDRINUSE)",
    "that the memory can be pinned shows at the first page table (EFAULT)",
  );
  return later;
}
