/**
 * How type1 copies the dirty bits of a mapping to its caller, with the defects of the real one: bits
 * that it shifted stay shifted, and what the caller had in the first word stays too.
 *
 * @see drivers/vfio/vfio_iommu_type1.c, update_user_bitmap
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import type { DirtyBits } from "./dirty_bits.ts";
import type { Dma } from "./dma.ts";
import type { AddressSpace } from "./memory.ts";
import type { Type1 } from "./type1.ts";

const WORD_BITS = 64;
/** 64 KiB at a time, in numbers of 32 bits: always the same, so that a read leaves nothing behind. */
const CHUNK = 16384;
const PASSING = new Uint32Array(CHUNK);

/** Where the caller wants the bits. */
export interface UserBitmap {
  readonly memory: AddressSpace;
  /** The address of bit 0. */
  readonly address: bigint;
  /** The iova that bit 0 stands for. */
  readonly base: bigint;
}

/** Copies a mapping's bits to the caller: 0 or -EFAULT, and then the bits stay, shifted or not. */
export function updateUserBitmap(iommu: Type1, dma: Dma, user: UserBitmap): number {
  const { bits } = dma;
  if (bits === undefined) return 0;
  const pages = Number(dma.size / iommu.pageSize);
  if (iommu.allDirty && dma.iommuMapped) bits.set(0, pages);
  const offset = (dma.iova - user.base) / iommu.pageSize;
  const shift = Number(offset % BigInt(WORD_BITS));
  const address = user.address + offset / BigInt(WORD_BITS) * 8n;
  const words = Math.ceil((pages + shift) / WORD_BITS);
  if (shift > 0) {
    bits.shift(shift, words);
    const first = new Uint8Array(8);
    if (!user.memory.read(address, first)) return -ERRNO.EFAULT;
    bits.orFirst(new DataView(first.buffer).getBigUint64(0, true));
  }
  return copyOut(bits, user.memory, address, words) ? 0 : -ERRNO.EFAULT;
}

function copyOut(bits: DirtyBits, memory: AddressSpace, address: bigint, words: number): boolean {
  const numbers = words * 2;
  for (let done = 0; done < numbers; done += CHUNK) {
    const chunk = PASSING.subarray(0, Math.min(CHUNK, numbers - done));
    bits.copy(done / 2, chunk);
    if (
      !memory.write(address + BigInt(done * 4), new Uint8Array(chunk.buffer, 0, chunk.byteLength))
    ) return false;
  }
  return true;
}
