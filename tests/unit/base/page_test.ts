import { alignUp, bitmapBytes, isAligned, lowestBit } from "../../../lib/base/page.ts";
import { equal } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";

const TOP = 1n << 64n;

describe("pages", () => {
  it("isAligned holds on multiples only", () => {
    equal([0n, 0x1000n, 0x2000n, TOP - 0x1000n].map((v) => isAligned(v, 0x1000n)), [
      true,
      true,
      true,
      true,
    ]);
    equal([1n, 0xfffn, 0x1001n, 0x1800n, TOP - 1n].map((v) => isAligned(v, 0x1000n)), [
      false,
      false,
      false,
      false,
      false,
    ]);
    equal(isAligned(7n, 1n), true);
  });

  it("alignUp gives the multiple at or above", () => {
    const up = [0n, 1n, 0xfffn, 0x1000n, 0x1001n].map((value) => alignUp(value, 0x1000n));
    equal(up, [0n, 0x1000n, 0x1000n, 0x1000n, 0x2000n]);
    equal(alignUp(TOP - 1n, 0x1000n), TOP);
  });

  it("lowestBit finds the smallest page of a bitmap of page sizes", () => {
    equal([lowestBit(0x4020_1000n), lowestBit(1n), lowestBit(TOP - 0x1000n)], [
      0x1000n,
      1n,
      0x1000n,
    ]);
    equal(lowestBit(0n), 0n);
  });

  it("bitmapBytes counts whole 64-bit words", () => {
    const pages = [0n, 1n, 63n, 64n, 65n, 128n, 212n, 1n << 31n];
    equal(pages.map(bitmapBytes), [0n, 8n, 8n, 8n, 16n, 16n, 32n, 1n << 28n]);
  });
});
