import { REQUESTS } from "../../../lib/uapi/decode_table.ts";
import { leavesOf, SCALAR_WIDTH, tailWithin, writeLeaf } from "../../../lib/uapi/leaf.ts";
import { describeRequest, encodeRequest, type FdKind } from "../../../lib/uapi/mod.ts";
import { equal, ok, throws } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";
import { Random } from "../random.ts";

const KINDS = Object.keys(REQUESTS) as FdKind[];

function hexOf(argument: unknown): string {
  if (!(argument instanceof Uint8Array)) throw new Error("no struct");
  return argument.toHex();
}

describe("encodeRequest", () => {
  it("is the inverse of describeRequest for every struct", () => {
    const random = new Random(7);
    let structs = 0;
    for (const kind of KINDS) {
      for (const [number, { name, argument }] of REQUESTS[kind]) {
        if (typeof argument === "string") continue;
        structs += 1;
        for (let round = 0; round < 20; round += 1) {
          const head = new Uint8Array(argument.size);
          const fill = (bytes: Uint8Array<ArrayBuffer>, from: number): void => {
            const view = new DataView(bytes.buffer);
            for (const leaf of leavesOf(argument, bytes)) {
              if (leaf.at < from) continue;
              const bits = leaf.type === "s32" ? 31 : 8 * SCALAR_WIDTH[leaf.type];
              const wide = BigInt(random.word()) << 32n | BigInt(random.word());
              const value = leaf.path === "count" ? 3n : BigInt.asUintN(bits, wide);
              writeLeaf(view, leaf, value);
            }
          };
          fill(head, 0);
          const tail = tailWithin(argument, head);
          const more = tail === undefined
            ? 0
            : "layout" in tail
            ? tail.layout.size
            : 3 * SCALAR_WIDTH[tail.item];
          const bytes = new Uint8Array(head.length + more);
          bytes.set(head);
          fill(bytes, head.length);
          new DataView(bytes.buffer).setUint32(0, bytes.length, true); // the whole is there
          const described = describeRequest(kind, number, bytes);
          equal([described.name, described.missing], [name, undefined]);
          const again = encodeRequest(kind, name, described.fields);
          equal([again.name, again.request], [name, number]);
          equal(hexOf(again.argument), bytes.toHex(), `${kind} ${name}`);
        }
      }
    }
    ok(structs > 60, `${structs} structs`);
  });

  it("fills in the length and the count of a list", () => {
    const get = encodeRequest("container", 0x3b75, { flags: "GET_BITMAP", "bitmap.size": "8" });
    equal(hexOf(get.argument).slice(0, 16), "3000000004000000");
    const irqs = encodeRequest("device", "VFIO_DEVICE_SET_IRQS", {
      flags: "DATA_EVENTFD|ACTION_TRIGGER",
      index: "1",
      data: "[7, -1]",
    });
    equal(hexOf(irqs.argument), "1c00000024000000010000000000000002000000" + "07000000ffffffff");
    const none = encodeRequest("device", "VFIO_DEVICE_SET_IRQS", { flags: "DATA_NONE" });
    equal(hexOf(none.argument), "1400000001000000000000000000000000000000");
  });

  it("takes values, numbers and texts", () => {
    equal(encodeRequest("container", "VFIO_CHECK_EXTENSION", { argument: "TYPE1v2" }).argument, 3n);
    equal(encodeRequest("container", 0x3b66, { argument: "TYPE1v2 (3)" }).argument, 3n);
    equal(encodeRequest("container", 0x20003b64, {}).argument, undefined);
    const fd = encodeRequest("group", "VFIO_GROUP_SET_CONTAINER", { argument: "-1" });
    equal(hexOf(fd.argument), "ffffffff");
    for (const argument of ['"a:b"', "a:b"]) {
      const name = encodeRequest("group", "VFIO_GROUP_GET_DEVICE_FD", { argument });
      equal(hexOf(name.argument), "613a6200");
    }
  });

  it("reads flags of features by name and by number", () => {
    const flags = (text: string): string =>
      hexOf(encodeRequest("device", "VFIO_DEVICE_FEATURE", { flags: text }).argument).slice(8, 16);
    equal(flags("PROBE feature 77"), "4d000400");
    equal(flags("SET BUS_MASTER"), flags("0x2000a"));
  });

  const wrong: readonly (readonly [FdKind, string, Record<string, string>, RegExp])[] = [
    ["group", "VFIO_IOMMU_MAP_DMA", {}, /A group has no request VFIO_IOMMU_MAP_DMA/],
    ["container", "VFIO_IOMMU_MAP_DMA", { iovaa: "1" }, /has argsz, .*iova, size; got "iovaa"/],
    ["container", "VFIO_IOMMU_MAP_DMA", { iova: "1K" }, /iova: .*like 4096 or 0x1000; got "1K"/],
    ["container", "VFIO_IOMMU_MAP_DMA", { flags: "EXEC" }, /flags: .* or of READ, WRITE.*"EXEC"/],
    ["container", "VFIO_IOMMU_MAP_DMA", { size: "-1" }, /size takes 0 to .*; got -1/],
    ["container", "VFIO_IOMMU_MAP_DMA", { argsz: "0x100000000" }, /argsz takes 0 to 4294967295/],
    ["container", "VFIO_GET_API_VERSION", { argument: "1" }, /takes nothing; got "argument"/],
    ["group", "VFIO_GROUP_GET_DEVICE_FD", { argument: '"' }, /quoted as JSON is; got "/],
    ["device", "VFIO_DEVICE_SET_IRQS", { flags: "DATA_BOOL", data: "1" }, /A list is written/],
    ["device", "VFIO_DEVICE_SET_IRQS", { flags: "DATA_BOOL", data: "[256]" }, /data\[0\] takes 0/],
  ];
  for (const [kind, name, fields, message] of wrong) {
    it(`refuses ${name} with ${JSON.stringify(fields)} on a ${kind}`, () => {
      throws(() => encodeRequest(kind, name, fields), Error, message);
    });
  }
});
