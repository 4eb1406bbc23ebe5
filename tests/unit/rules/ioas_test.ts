import {
  ioasCopyRefusal,
  type IoasCopyRequest,
  ioasMapRefusal,
  type IoasMapRequest,
  type IoasState,
} from "../../../lib/rules/ioas.ts";
import { ioasAllowRefusal, ioasUnmapRefusal } from "../../../lib/rules/ioas_range.ts";
import { equal, match } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";
import { PAGE, pages, short, space, TOP } from "./space.ts";

const LAST = TOP - 1n;
const [FIXED, WRITE, READ] = [1, 2, 4] as const;
const ALL = FIXED | WRITE | READ;

const state = (
  mappings: readonly (readonly [number, number])[] = [],
  more: Partial<IoasState> = {},
): IoasState => ({
  alignment: PAGE,
  mappings: space(mappings).mappings,
  ranges: [{ start: 0n, end: pages(64) - 1n }, { start: pages(80), end: LAST }],
  ...more,
});
const map = (more: Partial<IoasMapRequest>, where = state()): string =>
  short(ioasMapRefusal({ flags: ALL, iova: pages(16), size: pages(4), vaddr: 0n, ...more }, where));

describe("IOAS_MAP is refused", () => {
  it("not at all when every rule is kept", () => {
    for (const flags of [FIXED | READ, FIXED | WRITE, ALL, READ]) equal(map({ flags }), "allowed");
    equal(map({ iova: TOP - pages(4) }), "allowed", "it may end at 2^64");
  });

  it("one rule after the other, in the kernel's order", () => {
    const wrong = { flags: 8, reserved: 1, iova: LAST, size: LAST, vaddr: LAST };
    const gone = state([[16, 4]], { found: false });
    equal(map(wrong, gone), "ioas.map-flags 95");
    equal(map({ ...wrong, flags: 0 }, gone), "ioas.map-flags 95");
    equal(map({ ...wrong, flags: 0, reserved: 0 }, gone), "ioas.map-max 75");
    equal(map({ flags: FIXED, size: 0n }, gone), "ioas.map-rights 22");
    equal(map({ size: 0n }, gone), "ioas.found 2");
    equal(map({ size: 0n, iova: 1n }), "ioas.map-size 22");
    equal(map({ size: LAST - 5n, vaddr: LAST }), "ioas.map-size 22");
    equal(map({ size: pages(4) + 1n, vaddr: LAST - 1n }), "ioas.memory-wrap 75");
    equal(map({ size: pages(4) + 1n, iova: 1n }), "ioas.size-align 22");
    equal(map({ iova: TOP - pages(2) + 1n }), "ioas.iova-align 22");
    equal(map({ iova: TOP - pages(2) }), "ioas.wrap 75");
    equal(map({ iova: pages(63) }, state([[63, 1]])), "ioas.reserved 22");
    equal(map({ vaddr: 5n }, state([[19, 9]])), "ioas.overlap 17");
    equal(map({ vaddr: 5n }), "ioas.memory-align 22");
  });

  it("without FIXED_IOVA for nothing about an address", () => {
    equal(map({ flags: READ, iova: 1n }, state([[16, 4]])), "allowed");
    equal(map({ flags: READ, iova: LAST }), "ioas.map-max 75", "but the field is looked at");
  });

  it("with ranges, and the one that is asked for", () => {
    const request = { flags: ALL, iova: pages(62), size: pages(4) };
    match(ioasMapRefusal(request, state())!.reason, /^0x3e000..0x41fff must lie in one of 0x0\.\./);
  });
});

describe("IOAS_COPY is refused", () => {
  const copy = (
    more: Partial<IoasCopyRequest>,
    from: readonly (readonly [number, number])[] = [[4, 2], [6, 2]],
    where: Partial<{ found: boolean; writable: boolean; to: IoasState }> = {},
  ): string => {
    const { found = true, writable = true, to = state() } = where;
    const request = { flags: ALL, iova: pages(16), size: pages(4), source: pages(4), ...more };
    const source = { found, writable, mappings: space(from).mappings };
    return short(ioasCopyRefusal(request, { ...to, from: source }));
  };

  it("not across two mappings of the source", () => equal(copy({}), "allowed"));

  it("one rule after the other, in the kernel's order", () => {
    const gone = { found: false, to: state([], { found: false }) };
    equal(copy({ flags: 8, size: LAST }), "ioas.copy-flags 95");
    equal(copy({ flags: 0, source: LAST }), "ioas.copy-max 75");
    equal(copy({ flags: FIXED }, [], gone), "ioas.copy-rights 22");
    equal(copy({ size: 0n }, [], gone), "ioas.copy-found 2");
    equal(copy({ size: 0n }), "ioas.copy-size 22");
    equal(copy({ source: LAST - 1n }), "ioas.copy-wrap 75");
    equal(copy({ source: pages(5) }), "ioas.copy-source 2");
    equal(copy({}, [[4, 1], [6, 2]]), "ioas.copy-source 2");
    equal(copy({}, undefined, { to: gone.to }), "ioas.found 2");
    equal(copy({ iova: pages(70) }, undefined, { writable: false }), "ioas.reserved 22");
    equal(copy({}, undefined, { writable: false }), "ioas.copy-writable 1");
    equal(copy({ flags: FIXED | READ }, undefined, { writable: false }), "allowed");
  });
});

describe("IOAS_UNMAP is refused", () => {
  const unmap = (iova: bigint, size: bigint, found = true): string =>
    short(ioasUnmapRefusal({ iova, size }, { found, mappings: space([[16, 4]]).mappings }));

  it("one rule after the other, but never for everything", () => {
    equal(unmap(0n, LAST), "allowed");
    equal(unmap(0n, LAST, false), "ioas.found 2");
    equal(unmap(LAST, 0n), "ioas.unmap-max 75");
    equal(unmap(PAGE, LAST), "ioas.unmap-max 75");
    equal(unmap(PAGE, 0n), "ioas.unmap-size 22");
    equal(unmap(PAGE, LAST - 1n), "ioas.unmap-wrap 75");
    equal(unmap(pages(15), pages(2)), "ioas.unmap-cut 2");
    equal(unmap(pages(19), pages(9)), "ioas.unmap-cut 2");
    equal(unmap(pages(20), pages(9)), "ioas.unmap-none 2");
    equal(unmap(1n, pages(64)), "allowed", "alignment is not looked at");
  });
});

describe("ALLOW_IOVAS is refused", () => {
  const allow = (...ranges: [bigint, bigint][]): string => {
    const list = ranges.map(([start, end]) => ({ start, end }));
    return short(ioasAllowRefusal({ ranges: list }, { free: state().ranges }));
  };

  it("for empty ranges, ranges that overlap, and what a device reserves", () => {
    equal([allow(), allow([0n, 9n], [10n, 20n])], ["allowed", "allowed"]);
    equal(allow([9n, 9n]), "ioas.allow-range 22");
    equal(allow([0n, 9n], [9n, 20n]), "ioas.allow-range 22");
    equal(allow([0n, pages(64)]), "ioas.allow-device 98");
    equal(short(ioasAllowRefusal({ ranges: undefined }, {})), "ioas.allow-read 14");
    equal(short(ioasAllowRefusal({ ranges: [], reserved: 1 }, {})), "ioas.allow-reserved 95");
  });

  it("with the first address that two of them share", () => {
    const ranges = [{ start: 4n, end: 9n }, { start: 0n, end: 6n }];
    match(ioasAllowRefusal({ ranges }, {})!.reason, /must not overlap; 0x4 is in two/);
  });
});
