import { struct } from "../../../lib/uapi/layout.ts";
import { equal, throws } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";

describe("struct places fields as a C compiler does", () => {
  it("keeps a packed order without holes", () => {
    const { size, align, offsets } = struct("s", { a: "u32", b: "u32", c: "u64" });
    equal({ size, align, offsets }, { size: 16, align: 8, offsets: { a: 0, b: 4, c: 8 } });
  });

  it("leaves a hole before a wider field and pads the end", () => {
    const { size, offsets } = struct("s", { a: "u8", b: "u16", c: "u8", d: "u64", e: "u8" });
    equal({ size, offsets }, { size: 24, offsets: { a: 0, b: 2, c: 4, d: 8, e: 16 } });
  });

  it("gives a struct of bytes the alignment 1", () => {
    const { size, align } = struct("s", { a: "u8", b: "u8", c: "u8" });
    equal([size, align], [3, 1]);
  });

  it("knows the widths of all scalars", () => {
    const { offsets, size } = struct("s", {
      ptr: "ptr",
      u64: "u64",
      s32: "s32",
      u32: "u32",
      u16: "u16",
      u8: "u8",
    });
    equal(offsets, { ptr: 0, u64: 8, s32: 16, u32: 20, u16: 24, u8: 26 });
    equal(size, 32);
  });

  it("aligns a nested struct by its widest field", () => {
    const inner = struct("inner", { x: "u32", y: "u64" });
    const { size, align, offsets } = struct("outer", { a: "u8", inner, b: "u8" });
    equal({ size, align, offsets }, { size: 32, align: 8, offsets: { a: 0, inner: 8, b: 24 } });
  });

  it("aligns a fixed array by its elements", () => {
    const { size, offsets } = struct("s", {
      a: "u8",
      three: { array: "u8", length: 3 },
      words: { array: "u32", length: 6 },
      long: { array: "u64", length: 1 },
    });
    equal({ size, offsets }, { size: 40, offsets: { a: 0, three: 1, words: 4, long: 32 } });
  });

  it("gives a flexible array no size, and its alignment", () => {
    const item = struct("item", { start: "u64", end: "u64" });
    const bytes = struct("bytes", { a: "u64", b: "u32", data: { flex: "u8" } });
    equal([bytes.size, bytes.offsets.data], [16, 12]);
    const items = struct("items", { a: "u32", areas: { flex: item } });
    equal([items.size, items.align, items.offsets.areas], [8, 8, 8]);
    const words = struct("words", { a: "u16", fds: { flex: "s32" } });
    equal([words.size, words.offsets.fds], [4, 4]);
  });

  it("lays a union member over the first one and goes on behind it", () => {
    const { size, offsets } = struct("s", {
      id: "u32",
      in_type: "u32",
      out_type: { over: "in_type", type: "u32" },
      low: { over: "in_type", type: "u8" },
      last: "u8",
    });
    equal({ size, offsets }, {
      size: 12,
      offsets: { id: 0, in_type: 4, out_type: 4, low: 4, last: 8 },
    });
  });

  it("refuses a union member without a first one, or larger than it", () => {
    throws(() => struct("s", { b: { over: "a", type: "u32" } }), TypeError, "no field a before it");
    const wide = { a: "u32", b: { over: "a", type: "u64" } } as const;
    throws(() => struct("s", wide), TypeError, "s.b is larger than a, which it lies over");
  });
});
