/**
 * The devices and mappings of a command line, which several commands share.
 *
 * @module
 */

import {
  Container,
  type Extent,
  formatSize,
  hex,
  type HostMemory,
  type Kernel,
  listHost,
} from "../mod.ts";
import type { Output } from "./output.ts";
import { UsageError } from "./parse.ts";
import { sizeValue, usage } from "./values.ts";

/** What to map: at an address, or at a free one: with type1 the lowest. */
export interface Wish {
  /** As it was written. */
  readonly option?: string;
  readonly iova?: bigint;
  readonly size: bigint;
}

const DEFAULT_SIZE = 64n << 20n;

/** Reads IOVA:SIZE. */
export function readMap(text: string): Wish {
  const [iova, size, ...more] = text.split(":");
  if (iova === undefined || size === undefined || more.length > 0) {
    throw new UsageError(`--map takes IOVA:SIZE, as 4G:64M; got ${JSON.stringify(text)}`);
  }
  const option = `--map ${text}`;
  return { option, iova: sizeValue("map", iova), size: sizeValue("map", size) };
}

/** Reads all --map; without one, a mapping of 64M anywhere. */
export function readMaps(texts: readonly string[] | undefined): Wish[] {
  const maps = (texts ?? []).map(readMap);
  return maps.length > 0 ? maps : [{ size: DEFAULT_SIZE }];
}

/** Opens a container and attaches devices; one whose group is attached already is in. */
export function attachAll(kernel: Kernel, devices: readonly string[]): Container {
  using stack = new DisposableStack();
  const container = stack.use(Container.open({ kernel }));
  for (const device of devices) attach(container, device);
  stack.move();
  return container;
}

function attach(container: Container, device: string): void {
  const name = device.toLowerCase();
  const isIn = container.groups.some(({ number, devices }) =>
    name === `group:${number}` || devices.some((other) => other.name === name)
  );
  if (!isIn) container.attach(device);
}

/** The devices that are meant, each once; of a group those with a driver of VFIO. */
export function namesOf(kernel: Kernel, targets: readonly string[]): Set<string> {
  const names = new Set<string>();
  for (const target of targets) {
    const name = target.toLowerCase();
    const number = /^group:(\d+)$/.exec(name)?.[1];
    if (number === undefined) {
      names.add(name);
      continue;
    }
    const { groups } = listHost({ kernel });
    const group = groups.find((one) => one.number === Number(number));
    for (const { name, bus, driver } of group?.devices ?? []) {
      if (bus === "mdev" || driver?.includes("vfio")) names.add(name);
    }
  }
  return names;
}

/** What memory is mapped in: either container. */
interface Mapper {
  allocate(size: bigint): HostMemory;
  map(memory: HostMemory, options: { readonly iova?: bigint }): Extent & Disposable;
}

/** Maps fresh memory as wished, and tells where; dispose unmaps it and gives it back. */
export function mapAll(out: Output, container: Mapper, wishes: readonly Wish[]): Disposable {
  using stack = new DisposableStack();
  for (const { option, iova, size } of wishes) {
    const memory: HostMemory = stack.use(usage(() => container.allocate(size), option));
    const place = iova === undefined ? {} : { iova };
    const mapping = stack.use(usage(() => container.map(memory, place), option));
    out.record("mapping", { iova: mapping.iova, size });
    if (iova === undefined) {
      out.hint(`mapped ${formatSize(size)} at iova ${hex(mapping.iova)}; --map takes another`);
    }
  }
  return stack.move();
}
