/** How much memory the host has. */

import type { Kernel } from "../mod.ts";

const CHUNK = 4096;

/** MemTotal of /proc/meminfo in bytes, which is its first line; undefined where there is none. */
export function memoryTotal(kernel: Kernel): bigint | undefined {
  const fd = kernel.open("/proc/meminfo", 0);
  if (fd < 0) return undefined;
  try {
    const chunk = new Uint8Array(CHUNK);
    const got = kernel.read(fd, chunk);
    const text = new TextDecoder().decode(chunk.subarray(0, Math.max(got, 0)));
    const kib = /^MemTotal:\s*(\d+) kB$/m.exec(text)?.[1];
    return kib === undefined ? undefined : BigInt(kib) * 1024n;
  } finally {
    kernel.close(fd);
  }
}
