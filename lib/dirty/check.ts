/**
 * What is refused of pages and of sets of them, before anything is done with it.
 *
 * @module
 */

import { checkKind } from "../base/argument.ts";
import { hex } from "../base/format.ts";
import { isAligned } from "../base/page.ts";

/** Where 64 bits end. */
export const TOP: bigint = 1n << 64n;

/** Page numbers are exact below. */
const EXACT = 1n << 53n;

/** Refuses what is no page size. */
export function checkPageSize(pageSize: bigint): void {
  checkKind("pageSize", pageSize, "bigint");
  if (pageSize > 0n && (pageSize & (pageSize - 1n)) === 0n) return;
  throw new RangeError(`A page size is a power of two; got ${pageSize}`);
}

/** Refuses regions that would cut a page. */
export function checkRegion(size: bigint, pageSize: bigint): void {
  checkKind("size", size, "bigint");
  if (size > 0n && isAligned(size, pageSize)) return;
  throw new RangeError(`A region is a multiple of ${pageSize} bytes; got ${size}`);
}

/** Where pages end that can be numbered: at 2^64, or where numbers are no longer exact. */
export function pagesEnd(pageSize: bigint): bigint {
  const top = TOP / pageSize;
  return top < EXACT ? top : EXACT;
}

/** The number of the first page of a run; refuses a run that 64 bits do not hold. */
export function firstPage(iova: bigint, pages: number, pageSize: bigint): number {
  checkKind("iova", iova, "bigint");
  checkKind("pages", pages, "number");
  if (!Number.isSafeInteger(pages) || pages < 0) {
    throw new RangeError(`pages must be a whole number of at least 0; got ${pages}`);
  }
  const end = pagesEnd(pageSize);
  const first = iova / pageSize;
  if (iova >= 0n && first + BigInt(pages) <= end) return Number(first);
  throw new RangeError(
    `Pages of ${hex(pageSize)} bytes must lie from address 0 to ${hex(end * pageSize)}; ` +
      `got ${pages} at ${iova < 0n ? iova : hex(iova)}`,
  );
}
