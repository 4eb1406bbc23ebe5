import { struct } from "../../../lib/uapi/layout.ts";
import { equal, ok, throws } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";
import v8 from "node:v8";
import vm from "node:vm";

const range = struct("range", { start: "u64", end: "u64" });
const all = struct("all", {
  u8: "u8",
  u16: "u16",
  u32: "u32",
  s32: "s32",
  u64: "u64",
  over: { over: "u32", type: "u16" },
  list: { array: "u32", length: 2 },
  range,
  data: { flex: "u8" },
});
const bitmap = struct("bitmap", { size: "u64", data: "ptr" });
const request = struct("request", { argsz: "u32", to: "ptr", bitmap });

describe("a struct in memory", () => {
  it("reads and writes every kind of field, little endian, where the layout says", () => {
    const { bytes, fields } = all.create();
    equal(bytes.byteLength, all.size);
    fields.u8 = 0xff;
    fields.u16 = 0x1234;
    fields.u32 = 0xfedc_ba98;
    fields.s32 = -2;
    fields.u64 = 0xffff_ffff_ffff_fff0n;
    fields.list[1] = 7;
    fields.range.end = 5n;
    const view = new DataView(bytes.buffer);
    equal(view.getUint8(all.offsets.u8), 0xff);
    equal(view.getUint16(all.offsets.u16, true), 0x1234);
    equal(view.getUint32(all.offsets.u32, true), 0xfedc_ba98);
    equal(view.getInt32(all.offsets.s32, true), -2);
    equal(view.getBigUint64(all.offsets.u64, true), 0xffff_ffff_ffff_fff0n);
    equal(view.getUint32(all.offsets.list + 4, true), 7);
    equal(view.getBigUint64(all.offsets.range + 8, true), 5n);
    equal([fields.u8, fields.u16, fields.u32, fields.s32], [0xff, 0x1234, 0xfedc_ba98, -2]);
    equal([fields.u64, fields.range.start, fields.range.end], [0xffff_ffff_ffff_fff0n, 0n, 5n]);
    equal([...fields.list], [0, 7]);
  });

  it("shows a union member and the field under it as the same bytes", () => {
    const { fields } = all.create();
    fields.u32 = 0x0002_0001;
    equal(fields.over, 1);
    fields.over = 0xffff;
    equal(fields.u32, 0x0002_ffff);
  });

  it("adds room behind itself, and has no property for a flexible array", () => {
    const { bytes, fields } = all.create(10);
    equal(bytes.byteLength, all.size + 10);
    ok(!("data" in fields));
  });

  it("lies over the bytes it is given, at any place", () => {
    const buffer = new Uint8Array(64).fill(0xee);
    const { bytes, fields } = range.over(buffer.subarray(3));
    fields.start = 1n;
    equal(buffer[3], 1);
    equal(buffer[2], 0xee);
    equal(bytes.byteOffset, 3);
  });

  it("refuses too few bytes, and an array at a place it cannot have", () => {
    const message = "struct range needs 16 bytes, got 15";
    throws(() => range.over(new Uint8Array(15)), RangeError, message);
    const odd = new Uint8Array(all.size + 1).subarray(1);
    throws(
      () => all.over(odd),
      RangeError,
      "an array of u32 needs a place that is a multiple of 4",
    );
  });

  it("is used again: the same objects, the same bytes", () => {
    const status = range.create();
    const { bytes, fields } = status;
    for (let i = 0n; i < 100n; i += 1n) {
      fields.start = i;
      ok(status.bytes === bytes && status.fields === fields);
      equal(status.bytes[0], Number(i));
    }
    ok(all.create().fields.range !== undefined);
    const { fields: nested } = all.create();
    ok(nested.range === nested.range && nested.list === nested.list);
  });

  it("starts zeroed, each one its own", () => {
    const first = range.create();
    first.fields.start = 9n;
    equal([...range.create().bytes], new Array<number>(16).fill(0));
  });
});

describe("a pointer field", () => {
  it("takes an address, also through a path, and NULL", () => {
    const { fields, point } = request.create();
    point("to", { address: 0x7fff_0000n });
    point("bitmap.data", { address: 0x1000n });
    equal([fields.to, fields.bitmap.data, fields.argsz], [0x7fff_0000n, 0x1000n, 0]);
    point("to", null);
    equal([fields.to, fields.bitmap.data], [0n, 0x1000n]);
  });

  it("cannot be assigned", () => {
    const { fields } = request.create();
    throws(() => Object.assign(fields, { to: 1n }), TypeError);
  });

  it("must be one", () => {
    const point = request.create().point as (path: string, target: null) => void;
    for (const path of ["argsz", "nothing", "bitmap", "bitmap.size", "to.data", "__proto__", ""]) {
      throws(() => point(path, null), TypeError, `struct request has no pointer field ${path}`);
    }
  });

  it("keeps its target alive until it points elsewhere", async () => {
    v8.setFlagsFromString("--expose-gc");
    const gc = vm.runInNewContext("gc") as () => void;
    const collect = async (): Promise<void> => {
      // A WeakRef that was read lives until the end of the turn.
      await new Promise((go) => setTimeout(go, 0));
      gc();
    };
    const held = request.create();
    const make = (): WeakRef<{ address: bigint }> => new WeakRef({ address: 0x1000n });
    const pointed = (path: "to" | "bitmap.data"): WeakRef<{ address: bigint }> => {
      const target = { address: 0x2000n };
      held.point(path, target);
      return new WeakRef(target);
    };
    const [loose, first, second] = [make(), pointed("to"), pointed("bitmap.data")];
    await collect();
    equal(loose.deref(), undefined, "nobody holds this one, so the collector did run");
    ok(first.deref() !== undefined && second.deref() !== undefined);
    held.point("to", { address: 0n });
    held.point("bitmap.data", null);
    await collect();
    equal([first.deref(), second.deref()], [undefined, undefined]);
    equal(held.fields.to, 0n);
  });
});
