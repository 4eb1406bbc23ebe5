/** What the tests of the vendor driver have in common: its devices, and a container with one. */

import {
  Container,
  type DirtyMap,
  type DirtyTracker,
  type Group,
  type HostMemory,
  type MapOptions,
  type Mapping,
  VfioError,
} from "../../../mod.ts";
import { LOW, PAGE } from "../support/machine.ts";
import { VendorDevice } from "./vendor_device.ts";

/** A mediated device that pins. */
export const PINS = "50696e73-0000-4000-8000-000000000001";
/** Another one. */
export const PINS2 = "50696e73-0000-4000-8000-000000000002";
/** A mediated device whose driver has no dma_unmap callback. */
export const NO_UNMAP = "50696e73-0000-4000-8000-000000000003";
/** edu behind the IOMMU, with vfio-pci. */
export const VFIO_PCI = "0000:00:10.0";
/** edu behind the IOMMU, with the vendor driver. */
export const VENDOR_PCI = "0000:00:11.0";

/** That many pages, in bytes. */
export const pages = (count: number): bigint => BigInt(count) * PAGE;
/** The address of a page of the scene's first mapping. */
export const at = (page: number): bigint => LOW + pages(page);
/** VmLck of this process in pages. */
export const locked = (container: Container): number => Number(container.pins().locked / PAGE);

/** How to make a {@link Scene}. */
export interface SceneOptions extends Pick<MapOptions, "access"> {
  /** The first device of the container: {@link PINS} by default. */
  readonly device?: string;
  /** Pages that are mapped at LOW; 64 by default. */
  readonly size?: number;
}

/** A container with one device of the vendor driver, open, and memory mapped at LOW. */
export class Scene implements Disposable {
  readonly container: Container;
  readonly group: Group;
  readonly vendor: VendorDevice;
  readonly memory: HostMemory;
  readonly mapping: Mapping;
  readonly #stack: DisposableStack;

  constructor(options: SceneOptions = {}) {
    const { device = PINS, size = 64, access = "rw" } = options;
    using stack = new DisposableStack();
    this.container = stack.use(Container.open());
    this.memory = stack.use(this.container.allocate(pages(size)));
    this.group = stack.use(this.container.attach(device));
    this.mapping = stack.use(this.container.map(this.memory, { iova: LOW, access }));
    this.vendor = stack.use(new VendorDevice(this.group));
    this.#stack = stack.move();
  }

  /** Lets a further device join. */
  join(device: string): Group {
    return this.container.attach(device);
  }

  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}

/** Writes page numbers as "0-3,7"; "none" for none. */
export function show(numbers: Iterable<number>): string {
  const sorted = [...new Set(numbers)].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let i = 0; i < sorted.length;) {
    let end = i + 1;
    while (sorted[end] === sorted[i]! + end - i) end += 1;
    parts.push(end - i === 1 ? `${sorted[i]}` : `${sorted[i]}-${sorted[end - 1]}`);
    i = end;
  }
  return parts.join(",") || "none";
}

/** Reads everything once: what the bits mean, and the dirty pages counted from LOW. */
export function read(tracker: DirtyTracker): { label: string; dirty: string } {
  const labels = new Set<string>();
  const numbers: number[] = [];
  for (const window of tracker.drain()) {
    labels.add(window.label);
    for (const run of window.runs()) {
      const first = Number((run.iova - LOW) / PAGE);
      for (let i = 0; i < run.pages; i += 1) numbers.push(first + i);
    }
  }
  return { label: [...labels].join("+"), dirty: show(numbers) };
}

/** Reads everything once and gives the dirty pages counted from LOW: "0-3,7". */
export const dirty = (tracker: DirtyTracker): string => read(tracker).dirty;

/** The pages of a set, counted from LOW. */
export const numbers = (map: DirtyMap): number[] =>
  [...map.runs()].flatMap((run) =>
    Array.from({ length: run.pages }, (_, i) => Number((run.iova - LOW) / PAGE) + i)
  );

/** The pages that are pinned now, as the library finds them, counted from LOW: "0-3,7". */
export function pinnedNow(container: Container): string {
  const pinned = container.pinned();
  if (!pinned.known) throw new Error(`what is pinned is not known: ${pinned.reason}`);
  return show(numbers(pinned.pages));
}

/** Calls `body` and gives "OK", or the code with which the kernel refused. */
export function code(body: () => unknown): string {
  try {
    body();
    return "OK";
  } catch (error) {
    if (error instanceof VfioError) return error.code;
    throw error;
  }
}
