/**
 * `pinscope plan`: whether mappings will fit.
 *
 * @module
 */

import {
  type Forecast,
  forecast,
  type ForecastState,
  formatSize,
  hex,
  type Kernel,
  listHost,
  pinsOf,
  type PlannedMap,
} from "../mod.ts";
import { attachAll } from "./maps.ts";
import { shortage } from "./host_memory.ts";
import type { Output } from "./output.ts";
import { UsageError } from "./parse.ts";
import type { Context } from "./context.ts";
import { counted, wrap } from "./table.ts";
import { checkDevice, numberValue, sizeValue } from "./values.ts";

/** The default of the module parameter dma_entry_limit. */
const ENTRY_LIMIT = 65535;
const MOST = 1_000_000;

/** Forecasts the mappings of the command line. */
export function plan({ out, kernel, parsed }: Context): number {
  const maps = (parsed.lists.get("map") ?? []).map(readPlanned);
  if (maps.length === 0) throw new UsageError("plan needs at least one --map IOVA:SIZE[,COUNT]");
  for (const device of parsed.positional) checkDevice(device);
  const pins = pinsOf("self", kernel);
  const result = parsed.positional.length > 0
    ? forDevices(kernel, parsed.positional, maps)
    : forHost(out, kernel, maps);
  const pinned = result.locked - pins.locked;
  const short = parsed.flags.has("overcommit") ? undefined : shortage(kernel, pinned);
  show(out, result, short);
  return result.fits && short === undefined ? 0 : 1;
}

function forDevices(
  kernel: Kernel,
  devices: readonly string[],
  maps: readonly PlannedMap[],
): Forecast {
  using container = attachAll(kernel, devices);
  return container.forecast(maps);
}

/** Without a device the host's limits count, and an IOMMU is taken for granted. */
function forHost(out: Output, kernel: Kernel, maps: readonly PlannedMap[]): Forecast {
  out.note("no device given: IOVA ranges are not known, and a group behind an IOMMU is assumed");
  const known = listHost({ kernel }).dmaEntryLimit;
  if (known === undefined) {
    out.note(`VFIO's type1 is not loaded: a dma_entry_limit of ${ENTRY_LIMIT} is assumed`);
  }
  const limit = known ?? ENTRY_LIMIT;
  const state: ForecastState = {
    pageSize: 4096n,
    mappings: [],
    ranges: undefined,
    dmaAvailable: limit,
    hasIommu: true,
    pins: pinsOf("self", kernel),
  };
  return forecast(state, maps);
}

/** Reads IOVA:SIZE[,COUNT]; `any` for the address leaves it open. */
function readPlanned(text: string): PlannedMap {
  const [iova, rest, ...more] = text.split(":");
  const [size, count, ...extra] = (rest ?? "").split(",");
  if (iova === undefined || !size || more.length + extra.length > 0) {
    throw new UsageError(
      `--map takes IOVA:SIZE or IOVA:SIZE,COUNT, as 4G:64M,16; got ${JSON.stringify(text)}`,
    );
  }
  const times = numberValue("map", count, { least: 1, most: MOST, whole: true }) ?? 1;
  const place = iova === "any" ? {} : { iova: sizeValue("map", iova) };
  return { ...place, size: sizeValue("map", size), count: times };
}

/** `short` is why there is no memory for it, which no rule of VFIO asks for. */
function show(out: Output, result: Forecast, short: string | undefined): void {
  const { mappings, mapped, locked, dmaAvailable, stop, later, tracking } = result;
  const fits = result.fits && short === undefined;
  out.record("plan", {
    fits,
    mappings,
    mapped,
    locked: Number(locked),
    dmaAvailable: dmaAvailable ?? null,
    stop: stop === undefined ? null : {
      index: stop.index,
      iova: stop.iova < 0n ? null : stop.iova,
      size: stop.size,
      limit: stop.limit,
      code: stop.code,
      reason: stop.reason,
    },
    shortage: short ?? null,
    later: [...later],
    tracking: [...tracking],
  });
  const some = mappings === 0 ? "" : `: ${counted(mappings, "mapping")} of it would, `;
  out.line(
    fits
      ? `fits: ${counted(mappings, "mapping")}, ${formatSize(mapped)}`
      : short === undefined
      ? `does not fit${some}${some === "" ? "" : formatSize(mapped)}`
      : `does not fit into memory: ${counted(mappings, "mapping")}, ${formatSize(mapped)}`,
  );
  const left = dmaAvailable === undefined ? "" : `, ${counted(dmaAvailable, "mapping")} left`;
  out.line(`  VmLck would be ${formatSize(locked)}${left}`);
  if (stop !== undefined) {
    const at = stop.iova < 0n ? "" : ` at iova ${hex(stop.iova)}`;
    out.lines(
      wrap(
        `  mapping ${stop.index + 1} (${formatSize(stop.size)}${at}) is refused with ` +
          `${stop.code}: ${stop.reason}`,
        "    ",
      ),
    );
  }
  if (short !== undefined) out.lines(wrap(`  memory: ${short}`, "    "));
  // Where no mapping fits, there is none that anything comes later for.
  if (mappings === 0) return;
  for (const text of later) out.lines(wrap(`  later: ${text}`, "    "));
  for (const text of tracking) out.lines(wrap(`  tracking: ${text}`, "    "));
}
