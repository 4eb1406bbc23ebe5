/**
 * mmap and munmap of the model.
 *
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import { MAP_ANONYMOUS, MAP_SHARED } from "../sys/constant.ts";
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
    return memory.map({ memory: new ModelMemory(length), protection }, length);
  }
  const file = files.get(fd);
  if (file === undefined) return -ERRNO.EBADF;
  const source = file.map(offset, length, (flags & MAP_SHARED) !== 0);
  if (typeof source === "number") return source;
  const address = memory.map({ ...source, protection }, length);
  files.map(address, file);
  return address;
}

/** Unmaps what {@link mapMemory} gave, whole: 0 or -errno. */
export function unmapMemory(process: Process, address: bigint, length: bigint): number {
  if (!process.memory.unmap(address, length)) return -ERRNO.EINVAL;
  process.files.unmap(address);
  return 0;
}
