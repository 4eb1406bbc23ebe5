/**
 * The tests of addresses and lengths that MAP, UNMAP and DIRTY_PAGES share. Each says what is wrong,
 * or gives undefined.
 *
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import type { Extent, ExtentSet } from "../base/extent.ts";
import { hex } from "../base/format.ts";
import { isAligned } from "../base/page.ts";
import type { Behaviour } from "./behaviour.ts";

/** One past the highest address. */
export const ADDRESS_END: bigint = 1n << 64n;

/** What a kernel answers where a range wraps around 2^64. */
export const wrapErrno = (behaviour: Behaviour): number => ERRNO[behaviour.wrap];

/** Whether a struct is as long as the request needs. */
export function wrongArgsz(argsz: number | undefined, need: number): string | undefined {
  if (argsz === undefined || argsz >= need) return undefined;
  return `argsz must be at least ${need}; got ${argsz}`;
}

/** Whether flags are set that the request does not know. */
export function unknownFlags(flags: number, known: number): string | undefined {
  const unknown = (flags & ~known) >>> 0;
  return unknown === 0 ? undefined : `the flags ${hex(unknown)} are unknown`;
}

/** A length must be more than nothing. */
export function emptySize(size: bigint): string | undefined {
  return size > 0n ? undefined : `the size must be more than 0; got ${size}`;
}

/** A value must be a multiple of the smallest page of the IOMMU. */
export function misaligned(name: string, value: bigint, page: bigint): string | undefined {
  if (isAligned(value, page)) return undefined;
  return `${name} must be a multiple of the page size ${hex(page)}; got ${hex(value)}`;
}

/** A range must end at 2^64 or below. */
export function wraps(name: string, start: bigint, size: bigint): string | undefined {
  if (start + size <= ADDRESS_END) return undefined;
  return `${name} ${hex(start)} + size ${hex(size)} goes beyond 2^64`;
}

/** A range may not begin or end inside a mapping: type1 only handles whole ones. */
export function cuts(mappings: ExtentSet<Extent>, { iova, size }: Extent): string | undefined {
  const cut = mappings.cutAt(iova) ?? mappings.cutAt(iova + size);
  if (cut === undefined) return undefined;
  return `${describe({ iova, size })} cuts the mapping ${describe(cut)}`;
}

/** A range as its first and its last address. */
export function describe({ iova, size }: Extent): string {
  return `${hex(iova)}..${hex(iova + size - 1n)}`;
}
