/**
 * Where a command reads dirty pages: from the log that a device keeps itself, from the dirty bits of
 * its IOMMU, or from type1. Each wants its own way to open the devices.
 *
 * @module
 */

import {
  type Container,
  type DirtyTracker,
  ERRNO,
  formatSize,
  IommufdContainer,
  type Kernel,
  VfioError,
} from "../mod.ts";
import { checkMemory } from "./host_memory.ts";
import { InputError } from "./input.ts";
import { attachAll, mapAll, namesOf, type Wish } from "./maps.ts";
import type { Output } from "./output.ts";
import { UsageError } from "./parse.ts";
import { type SourceName, SOURCES } from "./source_name.ts";
import { meantWord } from "./values.ts";

export type { SourceName };

/** A source that was not taken, and why. */
export interface Passed {
  readonly source: SourceName;
  readonly reason: string;
}

/** What devices share: type1's container, or that over iommufd. */
export type Shared = Container | IommufdContainer;

/** Devices with mapped memory, and what tells their dirty pages. Dispose releases all. */
export interface Ground extends Disposable {
  readonly container: Shared;
  readonly tracker: DirtyTracker;
}

/** What to open. */
export interface Wanted {
  readonly devices: readonly string[];
  readonly maps: readonly Wish[];
  readonly source: SourceName | undefined;
  /** Whether more may be mapped than there is memory for. */
  readonly overcommit: boolean;
}

/** Devices that are open for a source, and how to begin once memory is mapped. */
interface Opened extends Disposable {
  readonly container: Shared;
  begin(): { readonly tracker: DirtyTracker; readonly text: string } & Disposable;
}

/** Reads --source; undefined, if it was not given. */
export function readSource(text: string | undefined): SourceName | undefined {
  if (text === undefined) return undefined;
  const found = SOURCES.find((name) => name === text);
  if (found !== undefined) return found;
  throw new UsageError(
    `--source takes ${SOURCES.join(", ").replace(/, (\w+)$/, " or $1")}; got ${
      JSON.stringify(text)
    }${meantWord(text, SOURCES)}`,
  );
}

/**
 * Opens devices, maps memory for them and begins to track: with the source that was asked for; else
 * with the most exact one that works, and says why those before it do not.
 *
 * @throws {InputError} If there is not so much memory.
 * @throws {UsageError} If a log is asked for, and there is not one device.
 * @throws {VfioError} If the source that was asked for does not work, or none does.
 */
export function openGround(out: Output, kernel: Kernel, wanted: Wanted): Ground {
  const { devices, maps, source, overcommit } = wanted;
  const passed: Passed[] = [];
  using stack = new DisposableStack();
  const opened = stack.use(open(kernel, devices, source, passed));
  const { container } = opened;
  if (!overcommit) checkMemory(kernel, container, maps);
  stack.use(mapAll(out, container, maps));
  const { tracker, text } = stack.use(opened.begin());
  const { pageSize } = tracker;
  // Nothing is told of others where nobody asked for the best one.
  const others = source === undefined ? passed.map((one) => ({ ...one })) : undefined;
  out.record("source", { source: tracker.source, pageSize, others });
  if (!out.json && source === undefined) {
    out.hint(`source ${tracker.source}: ${text}`);
    for (const { source, reason } of passed) {
      out.hint(`--source ${source} would not do: ${reason}`);
    }
  }
  const owned = stack.move();
  return { container, tracker, [Symbol.dispose]: () => owned.dispose() };
}

/**
 * Tells for each source whether it works with devices, the most exact one first: undefined, or why it
 * does not. Nothing is mapped, and nothing stays open.
 */
export function trySources(
  kernel: Kernel,
  devices: readonly string[],
): { readonly source: SourceName; readonly reason: string | undefined }[] {
  return SOURCES.map((source) => {
    const opened = attempt(source, kernel, devices);
    if (typeof opened === "string") return { source, reason: opened };
    opened[Symbol.dispose]();
    return { source, reason: undefined };
  });
}

function open(
  kernel: Kernel,
  devices: readonly string[],
  source: SourceName | undefined,
  passed: Passed[],
): Opened {
  if (source !== undefined) return openAsked(kernel, devices, source);
  for (const name of SOURCES) {
    // Where the last one does not work either, its error says what is wrong with the devices.
    if (name === "type1") break;
    const opened = attempt(name, kernel, devices);
    if (typeof opened !== "string") return opened;
    passed.push({ source: name, reason: opened });
  }
  return OPEN.type1(kernel, devices);
}

function openAsked(kernel: Kernel, devices: readonly string[], source: SourceName): Opened {
  try {
    return OPEN[source](kernel, devices);
  } catch (error) {
    throw error instanceof NoSource ? error.asked : error;
  }
}

/** Opens devices for a source; or says why it does not work with them. */
function attempt(
  source: SourceName,
  kernel: Kernel,
  devices: readonly string[],
): Opened | string {
  try {
    return OPEN[source](kernel, devices);
  } catch (error) {
    if (error instanceof NoSource) return error.reason;
    if (error instanceof VfioError) return error.hint ?? error.message;
    throw error;
  }
}

/** A source does not work, as no request of the kernel tells; and what to say if it was asked for. */
class NoSource extends Error {
  constructor(readonly reason: string, readonly asked: Error) {
    super(reason);
  }
}

const OPEN: Readonly<Record<SourceName, (kernel: Kernel, devices: readonly string[]) => Opened>> = {
  log: openLog,
  hwpt: openHwpt,
  type1: openType1,
};

function openLog(kernel: Kernel, devices: readonly string[]): Opened {
  using stack = new DisposableStack();
  const container = stack.use(attachAll(kernel, devices));
  const [group, ...more] = container.groups;
  if (group === undefined || more.length > 0 || group.devices.length !== 1) {
    const why = "a log is that of one device, and there are several";
    const text = `--source log takes one device, alone in its group: ${why}`;
    throw new NoSource(why, new UsageError(text));
  }
  const device = stack.use(group.device());
  const support = device.dmaLogSupport();
  if (!support.works) {
    const { errno, text } = support;
    if (errno === undefined) throw new NoSource(text, new InputError(`Cannot use a log: ${text}`));
    throw new VfioError({
      operation: "VFIO_DEVICE_FEATURE",
      errno,
      action: `log the DMA of ${device.name}`,
      hint: text,
    });
  }
  const owned = stack.move();
  return {
    container,
    begin: () => {
      const log = device.logDma({ ranges: container.mappings });
      const dispose = (): void => log[Symbol.dispose]();
      return { tracker: log.tracker, text: `${log}`, [Symbol.dispose]: dispose };
    },
    [Symbol.dispose]: () => owned.dispose(),
  };
}

function openHwpt(kernel: Kernel, devices: readonly string[]): Opened {
  const empty = devices.find((device) => namesOf(kernel, [device]).size === 0);
  if (empty !== undefined) {
    const why = `${empty} has no device that is bound to VFIO`;
    throw new NoSource(why, new InputError(`${why}; pinscope info lists those there are`));
  }
  using stack = new DisposableStack();
  // A bit of a huge entry would stand for all its pages, and windows could not be cut there.
  const container = stack.use(IommufdContainer.open({ kernel, hugePages: false }));
  for (const name of namesOf(kernel, devices)) container.attach(name);
  const unseen = container.devices.find(({ tracksDirty }) => !tracksDirty)?.name;
  if (unseen !== undefined) {
    throw new VfioError({
      operation: "IOMMU_HWPT_ALLOC",
      errno: ERRNO.EOPNOTSUPP,
      action: `read dirty bits of an IOMMU`,
      hint: unseen.includes(":")
        ? `the IOMMU of ${unseen} does not track dirty pages`
        : `${unseen} is a mediated device: no IOMMU sees what its driver writes`,
    });
  }
  const owned = stack.move();
  return {
    container,
    begin: () => {
      const tracker = container.trackDirty();
      const text = `the dirty bits of the IOMMU, in pages of ${formatSize(tracker.pageSize)}`;
      return { tracker, text, [Symbol.dispose]: () => tracker[Symbol.dispose]() };
    },
    [Symbol.dispose]: () => owned.dispose(),
  };
}

function openType1(kernel: Kernel, devices: readonly string[]): Opened {
  const container = attachAll(kernel, devices);
  return {
    container,
    begin: () => {
      const tracker = container.trackDirty();
      const text = "what is mapped, or pinned, as the container has it";
      return { tracker, text, [Symbol.dispose]: () => tracker[Symbol.dispose]() };
    },
    [Symbol.dispose]: () => container[Symbol.dispose](),
  };
}
