/**
 * mmap and munmap of the model.
 *
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import { MAP_ANONYMOUS, MAP_HUGE_SHIFT, MAP_HUGETLB, MAP_SHARED } from "../sys/constant.ts";
import { PAGE } from "./page.ts";
import { ModelMemory } from "./model_memory.ts";
import type { Process } from "./process.ts";

/** What mmap is given. */
export interface MapCall {
  readonly length: bigint;
  readonly protection: number;
  readonly flags: number;
  readonly fd: number;
  readonly offset: bigint;
}

/** Maps memory, or a file: its address or -errno. */
export function mapMemory(process: Process, call: MapCall): bigint | number {
  const { length, protection, flags, fd, offset } = call;
  if (length <= 0n) return -ERRNO.EINVAL;
  const { memory, files } = process;
  if ((flags & MAP_ANONYMOUS) !== 0) {
    const taken = new ModelMemory(length, false, pageOf(flags));
    return memory.map({ memory: taken, protection }, length);
  }
  const file = files.get(fd);
  if (file === undefined) return -ERRNO.EBADF;
  const source = file.map(offset, length, (flags & MAP_SHARED) !== 0);
  if (typeof source === "number") return source;
  const address = memory.map({ ...source, protection }, length);
  files.map(address, file);
  return address;
}

/** Bytes of a page of anonymous memory; the default huge page of x86-64 has 2 MiB. */
function pageOf(flags: number): bigint {
  if ((flags & MAP_HUGETLB) === 0) return PAGE;
  const shift = flags >> MAP_HUGE_SHIFT & 0x3f;
  return 1n << BigInt(shift === 0 ? 21 : shift);
}

/** Unmaps what {@link mapMemory} gave, whole: 0 or -errno. */
export function unmapMemory(process: Process, address: bigint, length: bigint): number {
  if (!process.memory.unmap(address, length)) return -ERRNO.EINVAL;
  process.files.unmap(address);
  return 0;
}
