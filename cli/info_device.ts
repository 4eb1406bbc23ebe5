/**
 * `pinscope info DEVICE`: attaches a device for a moment and shows all about it.
 *
 * @module
 */

import {
  Container,
  type Device,
  formatSize,
  type Group,
  hex,
  type HostGroup,
  type IommuInfo,
  type IrqInfo,
  type Kernel,
  listHost,
  type PinSnapshot,
  type RegionInfo,
  type ScopeReport,
  VfioError,
} from "../mod.ts";
import {
  VFIO_DEVICE_FEATURE_DMA_LOGGING_START,
  VFIO_DEVICE_FEATURE_MIGRATION,
} from "../lib/uapi/mod.ts";
import { deviceLines } from "./device_lines.ts";
import { showIommufd, showSources } from "./info_source.ts";
import { FEATURES, irqName, regionName } from "./names.ts";
import type { Output } from "./output.ts";
import type { Context } from "./context.ts";
import { columns, wrap } from "./table.ts";
import { checkDevice } from "./values.ts";

/** Shows a device, or the devices of a group; what sysfs tells alone where it cannot be attached. */
export function deviceInfo({ out, kernel }: Context, target: string): number {
  checkDevice(target);
  const name = target.toLowerCase();
  const { groups, ungrouped } = listHost({ kernel });
  const group = groups.find(({ number, devices }) =>
    name === `group:${number}` || devices.some((device) => device.name === name)
  );
  if (group !== undefined) showGroup(out, group);
  else out.lines(deviceLines(ungrouped.filter((device) => device.name === name)).values());
  for (const device of showAttached(out, kernel, target)) {
    const found = group?.devices.find((one) => one.name === device);
    showIommufd(out, kernel, { name: device, node: found?.node });
  }
  showSources(out, kernel, target);
  return 0;
}

/** Shows what a container has of a target; gives the names of the devices that were opened. */
function showAttached(out: Output, kernel: Kernel, target: string): string[] {
  using container = Container.open({ kernel });
  using attached = container.attach(target);
  showContainer(out, container.info(), container.pins(), container.scope());
  const names = openable(attached, target.toLowerCase());
  for (const device of names) {
    using opened = attached.device(device);
    showDevice(out, opened);
  }
  return names;
}

/** The device that was named; of a group those with a driver of VFIO. */
function openable(group: Group, name: string): string[] {
  const { devices } = group;
  if (devices.some((device) => device.name === name)) return [name];
  return devices.filter(({ driver, bus }) => bus === "mdev" || driver?.includes("vfio"))
    .map((device) => device.name);
}

function showGroup(out: Output, group: HostGroup): void {
  const { number, state, isViable, toBind, devices } = group;
  out.record("group", { group: number, state, isViable, toBind });
  out.line(`group ${number}, ${isViable ? "viable" : "not viable"}`);
  out.lines(deviceLines(devices).values());
}

function showContainer(
  out: Output,
  info: IommuInfo,
  pins: PinSnapshot,
  { label, basis, reason }: ScopeReport,
): void {
  const { backend, pageSizes, iovaRanges, migration, dmaAvailable = null } = info;
  out.record("container", {
    backend,
    pageSizes,
    iovaRanges: iovaRanges?.map(({ start, end }) => ({ start, end })) ?? null,
    maxBitmapBytes: migration === undefined ? null : Number(migration.maxBitmapBytes),
    scope: migration === undefined ? null : { label, basis, reason },
    dmaAvailable,
  });
  const [first = "any address", ...more] = (iovaRanges ?? [])
    .map(({ start, end }) => `${hex(start)}..${hex(end)}`);
  const dirty = migration === undefined
    ? "none"
    : `${label}; at most ${formatSize(migration.maxBitmapBytes)} of bitmap a read`;
  const { soft } = pins.limit;
  const limit = soft === undefined
    ? "no limit"
    : pins.ipcLock
    ? `no limit, for CAP_IPC_LOCK lifts that of ${formatSize(soft)}`
    : `limit ${formatSize(soft)}`;
  out.line();
  out.line(`container (${backend})`);
  out.lines(columns([
    ["  page sizes", sizes(pageSizes)],
    ["  IOVA ranges", first],
    ...more.map((range) => ["", range]),
    ["  dirty tracking", dirty],
    ["  mappings left", dmaAvailable === null ? "unknown" : `${dmaAvailable}`],
    ["  locked memory", `${formatSize(pins.locked)} (${limit})`],
  ]));
  if (migration !== undefined) out.lines(wrap(`  ${label}: ${reason}`, "    "));
}

/** Page sizes by their bits: a few, or all from one on, as emulated devices have. */
function sizes(bits: bigint): string {
  const list: bigint[] = [];
  for (let bit = 0n; bit < 64n; bit += 1n) if ((bits >> bit & 1n) === 1n) list.push(1n << bit);
  const [first = 0n] = list;
  const all = bits === (1n << 64n) - first;
  return all ? `${formatSize(first)} and above` : list.map(formatSize).join(", ");
}

function showDevice(out: Output, device: Device): void {
  const { name } = device;
  const { isPci, canReset, regions, irqs } = device.info();
  out.record("device", { name, isPci, canReset, regions, irqs });
  out.line();
  out.line(`${name}${canReset ? " (can be reset)" : ""}`);

  const areas = regionsOf(device, regions);
  for (const { index, size, canRead, canWrite, canMap } of areas) {
    const name = regionName(index, isPci);
    out.record("region", { index, name, size, canRead, canWrite, canMap });
  }
  table(out, ["REGION", "NAME", "SIZE", "ACCESS"], areas.map((area) => regionRow(area, isPci)));

  const kinds = device.irqs();
  for (const { index, count, eventfd, maskable, automasked } of kinds) {
    const name = irqName(index, isPci);
    out.record("irq", { index, name, count, eventfd, maskable, automasked });
  }
  table(out, ["INTERRUPT", "NAME", "VECTORS", "SIGNALS"], kinds.map((kind) => irqRow(kind, isPci)));

  const features = Object.entries(FEATURES)
    .map(([name, index]) => ({ name, index, ...device.feature(index) }))
    .filter(({ get, set }) => get || set);
  for (const feature of features) out.record("feature", { ...feature });
  table(
    out,
    ["FEATURE", "NAME", "OPERATIONS"],
    features.map(({ index, name, get, set }) => [
      `  ${index}`,
      name,
      [...(get ? ["GET"] : []), ...(set ? ["SET"] : [])].join(" "),
    ]),
  );
  if (features.some(({ index }) => index === VFIO_DEVICE_FEATURE_DMA_LOGGING_START)) {
    showLog(out, device);
  }
  if (features.some(({ index }) => index === VFIO_DEVICE_FEATURE_MIGRATION)) {
    const { states } = device.migration();
    const state = device.migration().state();
    out.record("migration", { states: [...states], state });
    out.lines(wrap(`  migration: ${states.join(", ")}; now ${state}`, "    "));
  }
}

/** Some drivers have the requests of a log, and no log. */
function showLog(out: Output, device: Device): void {
  const support = device.dmaLogSupport();
  const reason = support.works ? null : support.reason;
  out.record("dmaLog", { works: support.works, reason });
  out.lines(wrap(`  DMA log: ${support.works ? "works" : support.text}`, "    "));
}

function table(out: Output, head: readonly string[], rows: readonly (readonly string[])[]): void {
  if (rows.length === 0) return out.line(`  no ${head[0]?.toLowerCase()}`);
  out.lines(columns([[`  ${head[0]}`, ...head.slice(1)], ...rows]));
}

/** The regions that have a size; the kernel refuses the numbers of some that there are not. */
function regionsOf(device: Device, count: number): RegionInfo[] {
  const found: RegionInfo[] = [];
  for (let index = 0; index < count; index += 1) {
    try {
      const { info } = device.region(index);
      if (info.size > 0n) found.push(info);
    } catch (error) {
      if (!(error instanceof VfioError) || error.code !== "EINVAL") throw error;
    }
  }
  return found;
}

function regionRow(region: RegionInfo, isPci: boolean): string[] {
  const { index, size, canRead, canWrite, canMap } = region;
  const access = [canRead ? "read" : "", canWrite ? "write" : "", canMap ? "map" : ""];
  const words = access.filter((word) => word !== "").join(" ");
  return [`  ${index}`, regionName(index, isPci), formatSize(size), words];
}

function irqRow(
  { index, count, eventfd, maskable, automasked }: IrqInfo,
  isPci: boolean,
): string[] {
  const kind = [
    eventfd ? "eventfd" : "",
    automasked ? "automasked" : maskable ? "maskable" : "",
  ];
  const words = kind.filter((word) => word !== "").join(" ");
  return [`  ${index}`, irqName(index, isPci), `${count}`, words];
}
