/**
 * How much memory the host has, and whether it is enough.
 *
 * @module
 */

import { Container, formatSize, type Kernel, type PlannedMap } from "../mod.ts";
import { InputError } from "./input.ts";
import type { Shared } from "./source.ts";

const CHUNK = 4096;

/** The memory of a host, in bytes. */
export interface HostMemoryState {
  /** All that it has: MemTotal. */
  readonly total: bigint;
  /** What programs can have without swapping: MemAvailable. */
  readonly available: bigint;
}

/** Reads /proc/meminfo, whose first lines count; undefined where there is none, as on the model. */
export function hostMemory(kernel: Kernel): HostMemoryState | undefined {
  const fd = kernel.open("/proc/meminfo", 0);
  if (fd < 0) return undefined;
  try {
    const chunk = new Uint8Array(CHUNK);
    const got = kernel.read(fd, chunk);
    const text = new TextDecoder().decode(chunk.subarray(0, Math.max(got, 0)));
    const bytes = (name: string): bigint | undefined => {
      const kib = new RegExp(`^${name}:\\s*(\\d+) kB$`, "m").exec(text)?.[1];
      return kib === undefined ? undefined : BigInt(kib) * 1024n;
    };
    const [total, available] = [bytes("MemTotal"), bytes("MemAvailable")];
    return total === undefined ? undefined : { total, available: available ?? total };
  } finally {
    kernel.close(fd);
  }
}

/** Why so much memory cannot be pinned; undefined where it can, or nothing is known. */
export function shortage(kernel: Kernel, wanted: bigint): string | undefined {
  const memory = hostMemory(kernel);
  if (memory === undefined || wanted <= memory.available) return undefined;
  const { total, available } = memory;
  return `all of it would be pinned, ${formatSize(wanted)}, and of the host's ` +
    `${formatSize(total)} of memory ${formatSize(available)} are available`;
}

/**
 * Sees to it that there is memory for what is going to be mapped: a device behind an IOMMU may reach
 * all of it, so the kernel pins all of it, and would end programs to have it.
 *
 * @throws {InputError} If there is not, with both figures.
 */
export function checkMemory(
  kernel: Kernel,
  container: Shared,
  maps: readonly PlannedMap[],
): void {
  const wanted = maps.reduce((sum, { size }) => sum + size, 0n);
  const why = pinned(container, maps) === 0n ? undefined : shortage(kernel, wanted);
  if (why === undefined) return;
  throw new InputError(
    `Cannot map ${formatSize(wanted)}: ${why}. Map less, or insist with --overcommit`,
  );
}

/** What the kernel pins as soon as it is mapped: nothing for mediated devices. */
function pinned(container: Shared, maps: readonly PlannedMap[]): bigint {
  const plain = maps.map(({ size }) => ({ size }));
  if (container instanceof Container) {
    return container.forecast(plain).locked - container.pins().locked;
  }
  return container.forecast(plain).pinned - container.pins().pinned;
}
