import { O_CLOEXEC, O_RDONLY, O_WRONLY } from "./constant.ts";
import type { Kernel } from "./kernel.ts";

const CHUNK = 4096;

/**
 * Reads a whole text file of /proc or /sys through the seam: Deno's own file functions would need
 * every permission there.
 *
 * @returns The text, or -errno.
 */
export function readText(kernel: Kernel, path: string): string | number {
  const fd = kernel.open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fd;
  try {
    const decoder = new TextDecoder();
    const chunk = new Uint8Array(CHUNK);
    let text = "";
    for (;;) {
      const got = kernel.read(fd, chunk);
      if (got < 0) return got;
      if (got === 0) return text + decoder.decode();
      text += decoder.decode(chunk.subarray(0, got), { stream: true });
    }
  } finally {
    kernel.close(fd);
  }
}

/**
 * Reads a small file as one trimmed line.
 *
 * @returns The line, or undefined if it cannot be read.
 */
export function readLine(kernel: Kernel, path: string): string | undefined {
  const text = readText(kernel, path);
  return typeof text === "string" ? text.trim() : undefined;
}

/**
 * Writes a text to an existing file in one write, as sysfs wants it.
 *
 * @returns 0, or -errno.
 */
export function writeText(kernel: Kernel, path: string, text: string): number {
  const fd = kernel.open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return fd;
  const wrote = kernel.write(fd, new TextEncoder().encode(text));
  const closed = kernel.close(fd);
  return wrote < 0 ? wrote : closed;
}
