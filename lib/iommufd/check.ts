/**
 * What is found wrong with a request before the kernel sees it: the rules of `lib/rules`, as errors.
 *
 * @module
 */

import { RuleError } from "../base/error.ts";
import type { Extent, ExtentSet } from "../base/extent.ts";
import { hex } from "../base/format.ts";
import { ioasMapRefusal } from "../rules/ioas.ts";
import { ioasAllowRefusal, ioasUnmapRefusal } from "../rules/ioas_range.ts";
import type { IovaRange } from "../rules/iova.ts";
import type { Refusal } from "../rules/refusal.ts";
import { flagsOf, type IoasRanges, type Place } from "./ioas_request.ts";

/** Throws what a rule has found. */
export function refuse(action: string, refusal: Refusal | undefined): void {
  if (refusal === undefined) return;
  throw new RuleError(`Cannot ${action}: ${refusal.reason}`, refusal);
}

/** Refuses a part that is not in the whole. */
export function checkPart(what: string, offset: bigint, size: bigint, whole: bigint): void {
  if (offset >= 0n && size > 0n && offset + size <= whole) return;
  throw new RangeError(
    `${what} must lie in the ${hex(whole)} bytes that there are; got offset ${offset} and size ` +
      `${size}`,
  );
}

/** Refuses a place that the kernel would, as far as the address space tells. */
export function checkPlace(
  place: Place,
  { ranges, alignment }: IoasRanges,
  mappings: ExtentSet<Extent>,
): void {
  const { iova = 0n, size } = place;
  if (iova < 0n) throw new RangeError(`iova must be 0 or more; got ${iova}`);
  const request = { flags: flagsOf(place), iova, size };
  refuse("map memory", ioasMapRefusal(request, { alignment, mappings, ranges }));
}

/** Refuses ranges that are empty, overlap each other, or do not fit 64 bits. */
export function checkRanges(ranges: readonly IovaRange[]): void {
  refuse("allow addresses", ioasAllowRefusal({ ranges }, {}));
}

/** Refuses a range to unmap that cuts a mapping, or has none. */
export function checkUnmap(range: Extent, mappings: ExtentSet<Extent>): void {
  if (range.iova < 0n) throw new RangeError(`iova must be 0 or more; got ${range.iova}`);
  refuse("unmap", ioasUnmapRefusal(range, { mappings }));
}
