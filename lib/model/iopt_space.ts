/**
 * Where an address space has room.
 *
 * @see drivers/iommu/iommufd/io_pagetable.c, iopt_alloc_iova
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import type { IovaRange } from "../rules/iova.ts";
import { PAGE } from "./page.ts";

/** The highest address. */
export const LAST: bigint = (1n << 64n) - 1n;
/** A transparent huge page: alignment beyond it brings nothing. */
const HUGE = 2n << 20n;

/** What is between ranges, from one address to another. */
export function* holes(
  used: Iterable<IovaRange>,
  from: bigint = 0n,
  to: bigint = LAST,
): Generator<IovaRange> {
  let next = from;
  for (const { start, end } of [...used].sort((a, b) => a.start < b.start ? -1 : 1)) {
    if (end < next) continue;
    if (start > to) break;
    if (start > next) yield { start: next, end: start - 1n };
    next = end + 1n;
  }
  if (next <= to) yield { start: next, end: to };
}

/** What is looked for. */
export interface SpaceWish {
  /** Bytes. */
  readonly size: bigint;
  /** User address of the memory: the address found is aligned as it is. */
  readonly vaddr: bigint;
  /** The unit of the address space. */
  readonly alignment: bigint;
}

function roundUp(size: bigint): bigint {
  let power = 1n;
  while (power < size) power <<= 1n;
  return power;
}

/** The first place in a range that fits. @see __alloc_iova_check_range */
function fits(range: IovaRange, size: bigint, align: bigint, offset: bigint): bigint | undefined {
  const start = (range.start + align - 1n) / align * align | offset;
  return start >= range.end || range.end - start < size - 1n ? undefined : start;
}

/** Finds an address that is allowed and not used, never 0: it, or -errno. */
export function findSpace(
  { size, vaddr, alignment }: SpaceWish,
  allowed: readonly IovaRange[],
  used: readonly IovaRange[],
): bigint {
  if (size >= LAST / 2n) return -BigInt(ERRNO.EOVERFLOW);
  const natural = roundUp(size);
  const own = vaddr === 0n ? natural : vaddr & -vaddr;
  const align = [natural, own, HUGE].reduce((least, one) => one < least ? one : least);
  if (align < alignment) return -BigInt(ERRNO.EINVAL);
  const offset = vaddr % PAGE;
  const all = [{ start: PAGE, end: LAST - PAGE }];
  const choice = allowed.length === 0
    ? all
    : [...allowed].sort((a, b) => a.start < b.start ? -1 : 1).map(({ start, end }) => ({
      start: start > PAGE ? start : PAGE,
      end: end < LAST - PAGE ? end : LAST - PAGE,
    }));
  for (const range of choice) {
    const from = fits(range, size, align, offset);
    if (from === undefined) continue;
    for (const hole of holes(used, from, range.end)) {
      const found = fits(hole, size, align, offset);
      if (found !== undefined) return found;
    }
  }
  return -BigInt(ERRNO.ENOSPC);
}
