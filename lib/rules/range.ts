/**
 * The tests of addresses and lengths that MAP, UNMAP and DIRTY_PAGES share.
 *
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import type { Extent, ExtentSet } from "../base/extent.ts";
import { hex } from "../base/format.ts";
import { isAligned } from "../base/page.ts";
import type { Refusal } from "./refusal.ts";

/** One past the highest address. */
export const ADDRESS_END: bigint = 1n << 64n;

const EINVAL = ERRNO.EINVAL;

/** A length must be more than nothing. */
export function emptyRefusal(rule: string, size: bigint): Refusal | undefined {
  if (size > 0n) return undefined;
  return { errno: EINVAL, rule, reason: `the size must be more than 0; got ${size}` };
}

/** A value must be a multiple of the smallest page of the IOMMU. */
export function alignRefusal(
  rule: string,
  name: string,
  value: bigint,
  page: bigint,
): Refusal | undefined {
  if (isAligned(value, page)) return undefined;
  const reason = `${name} must be a multiple of the page size ${hex(page)}; got ${hex(value)}`;
  return { errno: EINVAL, rule, reason };
}

/**
 * A range must end below 2^64.
 *
 * Linux before v6.18 answers EINVAL, later ones EOVERFLOW.
 */
export function wrapRefusal(
  rule: string,
  name: string,
  start: bigint,
  size: bigint,
): Refusal | undefined {
  if (start + size <= ADDRESS_END) return undefined;
  const reason = `${name} ${hex(start)} + size ${hex(size)} goes beyond 2^64`;
  return { errno: EINVAL, rule, reason };
}

/** A range may not begin or end inside a mapping: type1 only handles whole ones. */
export function cutRefusal(
  rule: string,
  mappings: ExtentSet<Extent>,
  iova: bigint,
  size: bigint,
): Refusal | undefined {
  const cut = mappings.cutAt(iova) ?? mappings.cutAt(iova + size);
  if (cut === undefined) return undefined;
  const reason = `${describe({ iova, size })} cuts the mapping ${describe(cut)}`;
  return { errno: EINVAL, rule, reason };
}

/** A range as its first and its last address. */
export function describe({ iova, size }: Extent): string {
  return `${hex(iova)}..${hex(iova + size - 1n)}`;
}
