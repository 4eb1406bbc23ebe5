/**
 * What drivers may do with the memory of a container: pin it, and read and write it.
 *
 * @see drivers/vfio/vfio_iommu_type1.c, vfio_iommu_type1_pin_pages and vfio_iommu_type1_dma_rw
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import { VFIO_DMA_MAP_FLAG_READ } from "../uapi/flag.ts";
import type { Dma } from "./dma.ts";
import type { Process } from "./process.ts";
import type { AttachedGroup, Type1 } from "./type1.ts";

/** One vfio_pin_pages. */
export interface PinCall {
  /** Address of the first page. */
  readonly iova: bigint;
  readonly pages: number;
  /** READ 1, WRITE 2. */
  readonly rights: number;
}

const at = (iommu: Type1, iova: bigint, page: number): bigint =>
  BigInt.asUintN(64, iova + BigInt(page) * iommu.pageSize);

/**
 * Pins pages. Where it fails half-way the pins are given back, and the dirty bits that they set stay.
 *
 * @returns Pages, or -errno.
 */
export function pin(iommu: Type1, call: PinCall, group: AttachedGroup): number {
  if (iommu.v1) return -ERRNO.EACCES;
  if (iommu.hasInvalidVaddr) return -ERRNO.EBUSY;
  if (iommu.behaviour.anyCallback === true && iommu.listeners.length === 0) return -ERRNO.EINVAL;
  const { iova, pages, rights } = call;
  for (let i = 0; i < pages; i += 1) {
    const result = pinPage(iommu, at(iommu, iova, i), rights);
    if (result === 0) continue;
    unpin(iommu, iova, i);
    return result;
  }
  const scope = iommu.proposal?.scope;
  if (scope === "singleton" && !group.isSingleton) {
    unpin(iommu, iova, pages);
    return -ERRNO.EINVAL;
  }
  if (scope !== "never") group.hasPinned = true;
  return pages;
}

function pinPage(iommu: Type1, iova: bigint, rights: number): number {
  const dma = iommu.mappings.find(iova, iommu.pageSize);
  if (dma === undefined) return -ERRNO.EINVAL;
  if ((dma.rights & rights) !== rights) return -ERRNO.EPERM;
  const page = pageOf(iommu, dma, iova);
  const known = dma.pins.get(page);
  if (known !== undefined) {
    known.count += 1;
    return 0;
  }
  const place = dma.owner.memory.place(dma.vaddr + iova - dma.iova, dma.canWrite);
  if (place === undefined) return -ERRNO.EFAULT;
  if (place.isDevice) return -ERRNO.EINVAL;
  if (!iommu.hasIommu && !dma.charge(iommu.pageSize)) return -ERRNO.ENOMEM;
  dma.pins.set(page, { count: 1, place });
  dma.bits?.set(page, page + 1);
  return 0;
}

const pageOf = (iommu: Type1, dma: Dma, iova: bigint): number =>
  Number((iova - dma.iova) / iommu.pageSize);

/** Gives back one pin of each page, as far as there are mappings. @see vfio_unpin_page_external */
export function unpin(iommu: Type1, iova: bigint, pages: number): void {
  for (let i = 0; i < pages; i += 1) {
    const address = at(iommu, iova, i);
    const dma = iommu.mappings.find(address, iommu.pageSize);
    if (dma === undefined) return;
    const page = pageOf(iommu, dma, address);
    const pinned = dma.pins.get(page);
    if (pinned === undefined) continue;
    pinned.count -= 1;
    if (pinned.count > 0) continue;
    dma.pins.delete(page);
    if (!iommu.hasIommu) dma.uncharge(iommu.pageSize);
  }
}

/**
 * Reads or writes with the processor, across mappings, and marks what was written: 0 or -errno.
 *
 * @param options.current The process that makes the driver do it; a driver's own thread, if left out.
 */
export function access(
  iommu: Type1,
  iova: bigint,
  bytes: Uint8Array,
  options: { readonly write: boolean; readonly current?: Process | undefined },
): number {
  if (bytes.length === 0) return -ERRNO.EINVAL;
  if (iommu.hasInvalidVaddr) return -ERRNO.EBUSY;
  const { write, current } = options;
  for (let done = 0; done < bytes.length;) {
    const address = BigInt.asUintN(64, iova + BigInt(done));
    const dma = iommu.mappings.find(address, 1n);
    if (dma === undefined) return -ERRNO.EINVAL;
    if ((write && !dma.canWrite) || (dma.rights & VFIO_DMA_MAP_FLAG_READ) === 0) {
      return -ERRNO.EPERM;
    }
    const { owner } = dma;
    // The memory of another process is not at hand.
    if (current !== undefined && current !== owner) return -ERRNO.EFAULT;
    const offset = address - dma.iova;
    const rest = dma.size - offset;
    const part = bytes.subarray(done, rest < bytes.length - done ? done + Number(rest) : undefined);
    const vaddr = dma.vaddr + offset;
    if (!(write ? owner.memory.write(vaddr, part) : owner.memory.read(vaddr, part))) {
      return -ERRNO.EFAULT;
    }
    if (write) markBytes(iommu, dma, offset, part.length);
    done += part.length;
  }
  return 0;
}

function markBytes(iommu: Type1, dma: Dma, offset: bigint, length: number): void {
  const first = Number(offset / iommu.pageSize);
  const last = Number((offset + BigInt(length) - 1n) / iommu.pageSize);
  dma.bits?.set(first, last + 1);
}

/**
 * Reads or writes memory as a device does through its IOMMU. Type1 sees nothing of it, so that no page
 * is marked.
 *
 * @returns false for a fault: nothing is transferred then.
 */
export function deviceAccess(
  iommu: Type1,
  iova: bigint,
  bytes: Uint8Array,
  write: boolean,
): boolean {
  const parts: (() => void)[] = [];
  for (let done = 0; done < bytes.length;) {
    const address = iova + BigInt(done);
    const dma = iommu.mappings.find(address, 1n);
    const right = write ? dma?.canWrite : ((dma?.rights ?? 0) & VFIO_DMA_MAP_FLAG_READ) !== 0;
    if (dma === undefined || !dma.iommuMapped || right !== true) return false;
    const rest = dma.iova + dma.size - address;
    const part = bytes.subarray(done, rest < bytes.length - done ? done + Number(rest) : undefined);
    const { memory } = dma.owner;
    const vaddr = dma.vaddr + address - dma.iova;
    parts.push(() => void (write ? memory.write(vaddr, part) : memory.read(vaddr, part)));
    done += part.length;
  }
  for (const transfer of parts) transfer();
  return true;
}
