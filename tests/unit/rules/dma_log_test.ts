import type { Extent } from "../../../lib/base/extent.ts";
import {
  LOG_MAX_RANGES,
  LOG_REPORT_RULES,
  LOG_START_RULES,
  type LogState,
} from "../../../lib/rules/dma_log.ts";
import { firstRefusal } from "../../../lib/rules/refusal.ts";
import { equal } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";
import { PAGE, pages, short, TOP } from "./space.ts";

const TWO_MIB = 0x20_0000n;

/** Ranges of [iova, size] in bytes. */
const ranges = (list: readonly (readonly [bigint, bigint])[]): Extent[] =>
  list.map(([iova, size]) => ({ iova, size }));

const start = (
  list: readonly (readonly [bigint, bigint])[],
  pageSize = PAGE,
  state: LogState = {},
): string => short(firstRefusal(LOG_START_RULES, { ranges: ranges(list), pageSize }, state));

const report = (iova: bigint, size: bigint, pageSize = PAGE, state: LogState = {}): string =>
  short(firstRefusal(LOG_REPORT_RULES, { iova, size, pageSize }, state));

const many = (count: number): [bigint, bigint][] =>
  Array.from({ length: count }, (_, i) => [pages(2 * i), PAGE]);

describe("START of a device's log is refused", () => {
  it("not at all for ranges in any order that touch, from 1 to 256", () => {
    equal(start([[0n, PAGE]]), "allowed");
    equal(start([[pages(4), pages(2)], [0n, pages(4)], [pages(6), PAGE]]), "allowed");
    equal(start(many(LOG_MAX_RANGES)), "allowed");
  });

  it("without a range, and with more than 256, before it looks at any", () => {
    equal(start([]), "log.none 22");
    equal(start(many(257)), "log.many 7");
    equal(start([...many(256), [1n, 1n]]), "log.many 7");
  });

  it("for a range that does not fit the page size", () => {
    equal(start([[1n, PAGE]]), "log.align 22");
    equal(start([[0n, PAGE + 1n]]), "log.align 22");
    equal(start([[0n, TWO_MIB]], TWO_MIB), "allowed");
    equal(start([[PAGE, TWO_MIB]], TWO_MIB), "log.align 22");
    equal(start([[0n, TWO_MIB + PAGE]], TWO_MIB), "log.align 22");
  });

  it("for page sizes that are none as the kernel reckons: by the bits below", () => {
    equal(start([[0n, 0n]], 0n), "allowed");
    equal(start([[0n, PAGE]], 0n), "log.align 22");
    equal(start([[0n, PAGE]], 3n * PAGE), "allowed"); // 0x1000 & 0x2fff is 0
    equal(start([[0n, 2n * PAGE]], 3n * PAGE), "log.align 22");
  });

  it("for a range that ends at 2^64 or beyond", () => {
    equal(start([[TOP - pages(2), PAGE]]), "allowed");
    equal(start([[TOP - PAGE, PAGE]]), "log.wrap 75");
    equal(start([[TOP - PAGE, pages(2)]]), "log.wrap 75");
  });

  it("for a range over another", () => {
    equal(start([[0n, pages(2)], [PAGE, PAGE]]), "log.overlap 22");
    equal(start([[PAGE, PAGE], [0n, pages(2)]]), "log.overlap 22");
  });

  it("range by range: the first that is wrong decides", () => {
    equal(start([[TOP - PAGE, PAGE], [1n, PAGE]]), "log.wrap 75");
    equal(start([[0n, PAGE], [0n, PAGE], [TOP - PAGE, PAGE]]), "log.overlap 22");
    equal(start([[0n, PAGE], [TOP - PAGE, PAGE], [0n, PAGE]]), "log.wrap 75");
  });

  it("when the device keeps one, which only its driver tests", () => {
    equal(start([[0n, PAGE]], PAGE, { isOn: true }), "log.on 22");
    equal(start([[1n, PAGE]], PAGE, { isOn: true }), "log.align 22");
  });
});

describe("REPORT of a device's log is refused", () => {
  it("not for a range of any alignment", () => {
    equal([report(0n, PAGE), report(1n, 3n), report(0n, 0n)], Array(3).fill("allowed"));
  });

  it("for a page size below 4096 or of more than one bit, before all else", () => {
    equal(
      [0n, 1n, 2048n, 3n * PAGE].map((size) => report(TOP - PAGE, pages(2), size)),
      Array(4).fill("log.report-page 22"),
    );
  });

  it("for a range that ends at 2^64 or beyond, where the kernel has no bitmaps too", () => {
    equal(report(TOP - PAGE, PAGE, PAGE, { hasBitmaps: false }), "log.report-wrap 75");
    equal(report(TOP - pages(2), PAGE, PAGE, { hasBitmaps: false, isOn: false }), "log.bitmaps 95");
  });

  it("when the device keeps none", () => {
    equal(report(0n, PAGE, PAGE, { isOn: false }), "log.off 22");
    equal(report(0n, PAGE, PAGE, { isOn: true, hasBitmaps: true }), "allowed");
  });
});
