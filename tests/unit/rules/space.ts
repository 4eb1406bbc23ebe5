/** What the tests of rules begin with: a container with 4 KiB pages and a few mappings. */

import { type Extent, ExtentSet } from "../../../lib/base/extent.ts";
import type { AddressSpace } from "../../../lib/rules/map.ts";
import type { Refusal } from "../../../lib/rules/refusal.ts";

/** The smallest page. */
export const PAGE = 0x1000n;
/** One past the highest address. */
export const TOP: bigint = 1n << 64n;

/** A number of pages, in bytes. */
export const pages = (count: number | bigint): bigint => BigInt(count) * PAGE;

/** A container with these mappings, each given as its first page and its number of pages. */
export function space(
  mappings: readonly (readonly [first: number, count: number])[] = [],
  more: Partial<AddressSpace> = {},
): AddressSpace {
  const set = new ExtentSet<Extent>();
  for (const [first, count] of mappings) set.add({ iova: pages(first), size: pages(count) });
  return { pageSize: PAGE, mappings: set, ranges: undefined, ...more };
}

/** A refusal in one line: which rule, and which number the kernel would give. */
export const short = (refusal: Refusal | undefined): string =>
  refusal === undefined ? "allowed" : `${refusal.rule} ${refusal.errno}`;
