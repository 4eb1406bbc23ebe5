/** Whether the rules give the answer, and so the reason, that the kernel gives. */

import { errnoName } from "../../../mod.ts";
import { type Extent, ExtentSet } from "../../../lib/base/extent.ts";
import { firstRefusal, type Rule, type RuleState } from "../../../lib/rules/refusal.ts";
import { equal, ok } from "../../std/assert.ts";
import { addressLimit, PAGE } from "./machine.ts";

/** A container behind the IOMMU of the machine, with these mappings: first address and pages. */
export function space(...mappings: readonly (readonly [iova: bigint, pages: number])[]): {
  readonly pageSize: bigint;
  readonly mappings: ExtentSet<Extent>;
  readonly ranges: { readonly start: bigint; readonly end: bigint }[];
} {
  const set = new ExtentSet<Extent>();
  for (const [iova, pages] of mappings) set.add({ iova, size: BigInt(pages) * PAGE });
  const ranges = [
    { start: 0n, end: 0xfedf_ffffn },
    { start: 0xfef0_0000n, end: addressLimit() - 1n },
  ];
  return { pageSize: PAGE, mappings: set, ranges };
}

/**
 * The rules must refuse the request with the kernel's answer. What only the kernel can decide they
 * must let through, and one of them must be about it.
 */
export function predicts<Request, State extends RuleState>(
  rules: readonly Rule<Request, State>[],
  request: Request,
  state: State,
  answer: string,
): void {
  const refusal = firstRefusal(rules, request, state);
  if (refusal !== undefined) equal(errnoName(refusal.errno), answer, refusal.reason);
  else if (answer !== "OK") {
    const undecided = rules.filter(({ test }) => test === undefined);
    const known = undecided.map(({ errno }) => typeof errno === "number" ? errnoName(errno) : "");
    ok(known.includes(answer), `no rule refuses what the kernel answered with ${answer}`);
  }
}
