import { describeRequest, type FdKind, requestName } from "../../../lib/uapi/decode.ts";
import { FIELD_TEXT } from "../../../lib/uapi/decode_text.ts";
import * as uapi from "../../../lib/uapi/mod.ts";
import { equal, ok } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";

const KINDS = ["container", "spapr-container", "group", "device", "iommufd", "migration"] as const;

/** The name on each kind of descriptor, in the order of KINDS. */
const COLLISIONS: readonly (readonly [number, readonly string[]])[] = [
  [0x3b64, ["VFIO_GET_API_VERSION", "VFIO_GET_API_VERSION", "", "", "VFIO_GET_API_VERSION", ""]],
  [0x3b67, ["", "", "VFIO_GROUP_GET_STATUS", "", "", ""]],
  [0x3b70, [
    "VFIO_IOMMU_GET_INFO",
    "VFIO_IOMMU_SPAPR_TCE_GET_INFO",
    "",
    "VFIO_DEVICE_GET_PCI_HOT_RESET_INFO",
    "VFIO_IOMMU_GET_INFO",
    "",
  ]],
  [0x3b71, [
    "VFIO_IOMMU_MAP_DMA",
    "VFIO_IOMMU_MAP_DMA",
    "",
    "VFIO_DEVICE_PCI_HOT_RESET",
    "VFIO_IOMMU_MAP_DMA",
    "",
  ]],
  [0x3b72, [
    "VFIO_IOMMU_UNMAP_DMA",
    "VFIO_IOMMU_UNMAP_DMA",
    "",
    "VFIO_DEVICE_QUERY_GFX_PLANE",
    "VFIO_IOMMU_UNMAP_DMA",
    "",
  ]],
  [0x3b75, [
    "VFIO_IOMMU_DIRTY_PAGES",
    "VFIO_IOMMU_SPAPR_REGISTER_MEMORY",
    "",
    "VFIO_DEVICE_FEATURE",
    "VFIO_IOMMU_DIRTY_PAGES",
    "",
  ]],
  [0x3b76, ["", "VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY", "", "VFIO_DEVICE_BIND_IOMMUFD", "", ""]],
  [0x3b79, ["", "VFIO_EEH_PE_OP", "", "", "", "VFIO_MIG_GET_PRECOPY_INFO"]],
  [0x3b8c, [
    "IOMMU_HWPT_GET_DIRTY_BITMAP",
    "",
    "",
    "",
    "IOMMU_HWPT_GET_DIRTY_BITMAP",
    "",
  ]],
];

describe("requestName", () => {
  for (const [request, names] of COLLISIONS) {
    it(`of 0x${request.toString(16)} depends on the kind of descriptor`, () => {
      const wanted = names.map((name) => name === "" ? `0x${request.toString(16)}` : name);
      equal(KINDS.map((kind) => requestName(kind, request)), wanted);
    });
  }

  it("finds every request of the headers on some descriptor", () => {
    for (const [name, value] of Object.entries(uapi)) {
      if (typeof value !== "number" || (value & ~0xff) !== 0x3b00) continue;
      ok(KINDS.some((kind) => requestName(kind, value) === name), name);
    }
  });

  it("understands the numbers of powerpc", () => {
    equal(requestName("spapr-container", 0x2000_3b79), "VFIO_EEH_PE_OP");
    equal(requestName("group", 0x2000_3b70), "0x20003b70");
  });

  it("gives any other number in hexadecimal", () => {
    equal(requestName("container", 0x5401), "0x5401");
    equal(requestName("container", -1), "0xffffffff");
  });
});

const fieldsOf = (kind: FdKind, request: number, bytes: Uint8Array): Record<string, string> => {
  const { fields, missing } = describeRequest(kind, request, bytes);
  equal(missing, undefined);
  return { ...fields };
};

describe("describeRequest", () => {
  it("writes addresses in hexadecimal and flags by name", () => {
    const map = uapi.vfio_iommu_type1_dma_map.create();
    Object.assign(map.fields, { argsz: 32, flags: 11, vaddr: 0x7f00n, iova: 1n << 40n, size: 9n });
    equal(fieldsOf("container", uapi.VFIO_IOMMU_MAP_DMA, map.bytes), {
      argsz: "32",
      flags: "READ|WRITE|0x8",
      vaddr: "0x7f00",
      iova: "0x10000000000",
      size: "0x9",
    });
  });

  it("reads the range behind a GET_BITMAP, and none behind a START", () => {
    const get = uapi.dirty_bitmap_get_request.create();
    Object.assign(get.fields, { argsz: 48, flags: 4, iova: 0x1000n, size: 0x2000n });
    Object.assign(get.fields, { pgsize: 0x1000n, bitmap_size: 8n });
    get.point("data", { address: 0xabcn });
    equal(fieldsOf("container", uapi.VFIO_IOMMU_DIRTY_PAGES, get.bytes), {
      argsz: "48",
      flags: "GET_BITMAP",
      iova: "0x1000",
      size: "0x2000",
      "bitmap.pgsize": "0x1000",
      "bitmap.size": "0x8",
      "bitmap.data": "0xabc",
    });
    get.fields.flags = 1;
    const start = fieldsOf("container", uapi.VFIO_IOMMU_DIRTY_PAGES, get.bytes);
    equal(start, { argsz: "48", flags: "START" });
  });

  it("reads the bitmap behind an unmap", () => {
    const unmap = uapi.dma_unmap_with_bitmap_request.create();
    Object.assign(unmap.fields, { argsz: 48, flags: 1, pgsize: 0x1000n, bitmap_size: 16n });
    const fields = fieldsOf("spapr-container", uapi.VFIO_IOMMU_UNMAP_DMA, unmap.bytes);
    equal(fields["flags"], "GET_DIRTY_BITMAP");
    equal(fields["bitmap.size"], "0x10");
  });

  it("takes the same number on a device for a feature", () => {
    const bytes = new Uint8Array(16);
    const feature = uapi.vfio_device_feature.over(bytes);
    feature.fields.argsz = 16;
    feature.fields.flags = uapi.VFIO_DEVICE_FEATURE_SET | 2;
    uapi.vfio_device_feature_mig_state.over(bytes.subarray(8)).fields.device_state = 3;
    uapi.vfio_device_feature_mig_state.over(bytes.subarray(8)).fields.data_fd = -1;
    equal(fieldsOf("device", uapi.VFIO_DEVICE_FEATURE, bytes), {
      argsz: "16",
      flags: "SET MIG_DEVICE_STATE",
      "data.device_state": "STOP_COPY (3)",
      "data.data_fd": "-1",
    });
    feature.fields.flags = uapi.VFIO_DEVICE_FEATURE_PROBE | uapi.VFIO_DEVICE_FEATURE_GET | 2;
    const probe = fieldsOf("device", uapi.VFIO_DEVICE_FEATURE, bytes);
    equal(probe, { argsz: "16", flags: "GET|PROBE MIG_DEVICE_STATE" });
    feature.fields.flags = uapi.VFIO_DEVICE_FEATURE_GET | 99;
    const unknown = fieldsOf("device", uapi.VFIO_DEVICE_FEATURE, bytes);
    equal(unknown, { argsz: "16", flags: "GET feature 99" });
  });

  it("lists eventfds and bytes of interrupts", () => {
    const irq = uapi.vfio_irq_set.create(12);
    Object.assign(irq.fields, { argsz: 32, flags: 0x24, index: 2, start: 1, count: 3 });
    new DataView(irq.bytes.buffer).setInt32(24, -1, true);
    const set = fieldsOf("device", uapi.VFIO_DEVICE_SET_IRQS, irq.bytes);
    equal([set["flags"], set["data"]], ["DATA_EVENTFD|ACTION_TRIGGER", "[0, -1, 0]"]);
    irq.fields.flags = 0x12;
    irq.fields.count = 12;
    const bools = fieldsOf("device", uapi.VFIO_DEVICE_SET_IRQS, irq.bytes);
    equal(bools["data"], "[0, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 0]");
  });

  it("shortens a long list and says what of it is missing", () => {
    const reset = uapi.vfio_pci_hot_reset.create(80);
    reset.fields.count = 30;
    const { fields, missing } = describeRequest("device", 0x3b71, reset.bytes);
    equal(fields["group_fds"], `[${new Array<number>(16).fill(0).join(", ")}, ... 4 more]`);
    equal(missing, "10 of 30 group_fds: there are 92 bytes");
  });

  it("names a value, and reads a number or a text that is pointed to", () => {
    equal(describeRequest("container", 0x3b66, 3), {
      name: "VFIO_SET_IOMMU",
      fields: { argument: "TYPE1v2 (3)" },
    });
    const fd = fieldsOf("group", 0x3b68, Uint8Array.of(0xff, 0xff, 0xff, 0xff));
    equal(fd, { argument: "-1" });
    const name = fieldsOf("group", 0x3b6a, new TextEncoder().encode("0000:06:0d.0\0"));
    equal(name, { argument: '"0000:06:0d.0"' });
    const open = describeRequest("group", 0x3b6a, new TextEncoder().encode("0000"));
    equal(open.missing, "the NUL at the end of argument: there are 4 bytes");
  });

  it("takes the shorter struct of an older kernel by its argsz", () => {
    const bind = uapi.vfio_device_bind_iommufd_v6_6.create();
    Object.assign(bind.fields, { argsz: 16, iommufd: 5 });
    const wanted = { argsz: "16", flags: "0", iommufd: "5", out_devid: "0" };
    equal(fieldsOf("device", uapi.VFIO_DEVICE_BIND_IOMMUFD, bind.bytes), wanted);
    const longer = new Uint8Array(24);
    longer.set(bind.bytes);
    equal(fieldsOf("device", uapi.VFIO_DEVICE_BIND_IOMMUFD, longer), wanted);
  });

  it("shows a reserved field only if it is set", () => {
    const dirty = uapi.iommu_hwpt_set_dirty_tracking.create();
    Object.assign(dirty.fields, { size: 16, flags: 1, hwpt_id: 2 });
    const wanted = { size: "16", flags: "ENABLE", hwpt_id: "2" };
    equal(fieldsOf("iommufd", uapi.IOMMU_HWPT_SET_DIRTY_TRACKING, dirty.bytes), wanted);
    dirty.fields.__reserved = 1;
    const set = fieldsOf("iommufd", uapi.IOMMU_HWPT_SET_DIRTY_TRACKING, dirty.bytes);
    equal(set, { ...wanted, __reserved: "1" });
  });

  it("gives the name alone without an argument, or for a number that names nothing", () => {
    equal(describeRequest("device", 0x3b6f), { name: "VFIO_DEVICE_RESET", fields: {} });
    equal(describeRequest("group", 0x3b6f, new Uint8Array(9)), { name: "0x3b6f", fields: {} });
    equal(describeRequest("device", 0x3b6f, 1).fields, {});
  });

  it("says which fields are missing", () => {
    const bytes = uapi.vfio_iommu_type1_dma_map.create().bytes.subarray(0, 17);
    const { fields, missing } = describeRequest("container", 0x3b71, bytes);
    equal(Object.keys(fields), ["argsz", "flags", "vaddr"]);
    equal(missing, "iova, size: there are 17 bytes");
    const one = describeRequest("container", 0x3b71, bytes.subarray(0, 1));
    equal(one.missing, "argsz, flags, vaddr, iova, size: there is 1 byte");
  });

  it("never throws, whatever the length and the bytes", () => {
    for (const kind of KINDS) {
      for (let request = 0x3b60; request < 0x3ba0; request += 1) {
        for (const fill of [0x00, 0x01, 0x04, 0xff]) {
          for (let length = 0; length < 80; length += 1) {
            const description = describeRequest(kind, request, new Uint8Array(length).fill(fill));
            ok(description.name !== "");
          }
        }
      }
    }
  });

  it("has texts for fields that exist", () => {
    for (const key of Object.keys(FIELD_TEXT)) {
      const [tag, field] = key.split(".");
      const layout = Object.entries(uapi).find(([name]) => name === tag)?.[1];
      ok(typeof layout === "object" && "offsets" in layout && field !== undefined, key);
      ok(field in layout.offsets, key);
    }
  });
});
