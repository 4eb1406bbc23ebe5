import { RuleError } from "../base/error.ts";
import { type HwptRead, hwptReadRefusal, type HwptReadState } from "../rules/hwpt_trap.ts";

/**
 * Refuses a read that the kernel would refuse, and one that it would answer with success and wrong
 * bits.
 *
 * @throws {ReferenceError} If tracking is off.
 * @throws {RangeError} If the range, the page size or the bitmap does not fit.
 */
export function checkDirtyRead(read: HwptRead, state: HwptReadState, what: string): void {
  if (read.iova < 0n || read.size <= 0n) {
    throw new RangeError(
      `A range of dirty pages has a size above 0 and an iova of 0 or more; got ${read.iova}, size ` +
        `${read.size}`,
    );
  }
  const refusal = hwptReadRefusal(read, state);
  if (refusal === undefined) return;
  const text = `Cannot read dirty pages of ${what}: ${refusal.reason}`;
  if (refusal.rule === "hwpt.tracking") throw new ReferenceError(text);
  // What the kernel answers with success has no error number.
  throw refusal.errno === 0 ? new RangeError(text) : new RuleError(text, refusal);
}
