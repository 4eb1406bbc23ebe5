import type { BitmapRequest } from "../../../lib/rules/dirty.ts";
import { unmapRefusal, type UnmapRequest } from "../../../lib/rules/unmap.ts";
import { equal } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";
import { PAGE, pages, short, space, TOP } from "./space.ts";

const [BITMAP, ALL, VADDR] = [1, 2, 4];
const where = space([[16, 4], [20, 4], [32, 4]]);
const bitmap: BitmapRequest = { pageSize: PAGE, size: 8n };

function unmap(more: Partial<UnmapRequest>, tracking = true): string {
  const request = { flags: 0, iova: pages(16), size: pages(4), ...more };
  return short(unmapRefusal(request, where, tracking));
}

describe("UNMAP_DMA is refused", () => {
  it("not at all for whole mappings, several of them, or none", () => {
    const at = (first: number, count: number): string =>
      unmap({ iova: pages(first), size: pages(count) });
    equal([at(16, 4), at(16, 8), at(16, 20), at(0, 99), at(24, 8), at(500, 1)], [
      "allowed",
      "allowed",
      "allowed",
      "allowed",
      "allowed",
      "allowed",
    ]);
  });

  it("for a flag that is unknown", () => equal(unmap({ flags: 8 }), "unmap.flags 22"));

  it("for a bitmap together with ALL or VADDR", () => {
    equal(unmap({ flags: BITMAP | ALL, bitmap }), "unmap.flags 22");
    equal(unmap({ flags: BITMAP | VADDR, bitmap }), "unmap.flags 22");
    equal(unmap({ flags: VADDR }), "allowed");
  });

  it("for ALL with a range", () => {
    const none = { iova: 0n, size: 0n };
    equal(unmap({ flags: ALL, ...none }), "allowed");
    equal(unmap({ flags: ALL | VADDR, ...none }), "allowed");
    equal(unmap({ flags: ALL, iova: PAGE, size: 0n }), "unmap.all 22");
    equal(unmap({ flags: ALL, iova: 0n, size: PAGE }), "unmap.all 22");
  });

  it("for no bytes, or parts of pages", () => {
    equal(unmap({ size: 0n }), "unmap.size 22");
    equal([unmap({ iova: pages(16) + 1n }), unmap({ size: pages(4) - 1n })], [
      "unmap.align 22",
      "unmap.align 22",
    ]);
  });

  it("beyond 2^64, and not at it", () => {
    equal(unmap({ iova: TOP - pages(4) }), "allowed");
    equal(unmap({ iova: TOP - pages(3) }), "unmap.wrap 22");
  });

  it("where it cuts a mapping, at its head or its tail", () => {
    for (const [first, count] of [[17, 3], [16, 3], [15, 2], [17, 2], [18, 6], [0, 33], [33, 9]]) {
      equal(unmap({ iova: pages(first!), size: pages(count!) }), "unmap.cut 22");
    }
  });
});

describe("UNMAP_DMA with a bitmap is refused", () => {
  const withBitmap = (more: Partial<UnmapRequest>, tracking = true): string =>
    unmap({ flags: BITMAP, bitmap, ...more }, tracking);

  it("not at all between START and STOP", () => equal(withBitmap({}), "allowed"));

  it("without the bitmap's fields", () => {
    equal(withBitmap({ bitmap: undefined }), "dirty.argsz 22");
  });

  it("while nothing is tracked; without a bitmap that is no matter", () => {
    equal(withBitmap({}, false), "dirty.started 22");
    equal(unmap({}, false), "allowed");
  });

  it("for a bitmap that is too small, too large, or of other pages", () => {
    equal(withBitmap({ bitmap: { ...bitmap, size: 7n } }), "dirty.bitmap-size 22");
    equal(withBitmap({ bitmap: { ...bitmap, size: (1n << 28n) + 1n } }), "dirty.bitmap-max 22");
    equal(withBitmap({ bitmap: { pageSize: 0x2000n, size: 8n } }), "dirty.page-size 22");
  });

  it("by the first rule in the kernel's order", () => {
    // The bitmap's size comes first, and its page size and tracking only behind the range.
    const small = { pageSize: 0x2000n, size: 0n };
    const other = { pageSize: 0x2000n, size: 8n };
    equal(withBitmap({ bitmap: small, iova: 1n }, false), "dirty.bitmap-size 22");
    equal(withBitmap({ bitmap: other, iova: 1n }, false), "unmap.align 22");
    equal(withBitmap({ bitmap: other, iova: TOP - PAGE }, false), "unmap.wrap 22");
    equal(withBitmap({ bitmap: other, size: pages(3) }, false), "dirty.started 22");
    equal(withBitmap({ bitmap: other, size: pages(3) }), "dirty.page-size 22");
    equal(withBitmap({ size: pages(3) }), "unmap.cut 22");
  });
});
