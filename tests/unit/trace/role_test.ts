import { placesOf } from "../../../lib/trace/role.ts";
import { encodeRequest, type FdKind, REQUEST_KINDS } from "./support.ts";
import { REQUESTS } from "../../../lib/uapi/decode_table.ts";
import { structLeaves } from "../../../lib/uapi/leaf.ts";
import { equal, ok } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";

function places(kind: FdKind, request: string, fields: Record<string, string>): unknown {
  const { request: number, argument } = encodeRequest(kind, request, fields);
  if (!(argument instanceof Uint8Array)) throw new Error("no struct");
  const found = placesOf(kind, number, argument);
  return [
    found.pointers.map(({ at, field, address, length, content }) =>
      `${field}@${at} ${address} ${length} ${content ? "content" : "place"}`
    ),
    found.fds.map(({ at, kind: made }) => `${at} ${made}`),
  ];
}

describe("the places in a request", () => {
  it("are the memory of a mapping", () => {
    const fields = { vaddr: "0x7000", size: "0x2000" };
    equal(places("container", "VFIO_IOMMU_MAP_DMA", fields), [["vaddr@8 28672 8192 place"], []]);
  });

  const bitmap = { "bitmap.pgsize": "4096", "bitmap.size": "64", "bitmap.data": "5" };
  it("are a bitmap, as far as the range needs it", () => {
    const small = { flags: "GET_BITMAP", size: `${65 * 4096}`, ...bitmap };
    const wanted = [["bitmap.data@40 5 16 content"], []];
    equal(places("container", "VFIO_IOMMU_DIRTY_PAGES", small), wanted);
    const unmap = { ...small, flags: "GET_DIRTY_BITMAP" };
    equal(places("container", "VFIO_IOMMU_UNMAP_DMA", unmap), wanted);
    const large = { ...small, size: `${1n << 40n}` };
    equal(places("container", "VFIO_IOMMU_DIRTY_PAGES", large), [
      ["bitmap.data@40 5 64 content"],
      [],
    ]);
    const noPage = { ...small, "bitmap.pgsize": "0", "bitmap.size": `${1n << 40n}` };
    equal(places("container", "VFIO_IOMMU_DIRTY_PAGES", noPage), [
      [`bitmap.data@40 5 ${1 << 28} content`],
      [],
    ]);
    equal(places("container", "VFIO_IOMMU_DIRTY_PAGES", { flags: "START" }), [[], []]);
  });

  it("are descriptors", () => {
    const argument = { argument: "7" };
    equal(places("group", "VFIO_GROUP_SET_CONTAINER", argument), [[], ["0 other"]]);
    const events = { flags: "DATA_EVENTFD|ACTION_TRIGGER", data: "[7, -1]" };
    equal(places("device", "VFIO_DEVICE_SET_IRQS", events), [[], ["20 other", "24 other"]]);
    const state = { flags: "SET MIG_DEVICE_STATE", "data.device_state": "RUNNING" };
    equal(places("device", "VFIO_DEVICE_FEATURE", state), [[], ["12 migration"]]);
  });

  it("are what a device's log lies in", () => {
    const report = { "data.length": "0x100000", "data.page_size": "4096", "data.bitmap": "9" };
    const flags = "GET DMA_LOGGING_REPORT";
    equal(places("device", "VFIO_DEVICE_FEATURE", { flags, ...report }), [
      ["data.bitmap@32 9 32 content"],
      [],
    ]);
    const start = { flags: "SET DMA_LOGGING_START", "data.num_ranges": "3" };
    equal(places("device", "VFIO_DEVICE_FEATURE", start), [["data.ranges@24 0 48 content"], []]);
  });

  it("are none where the descriptor has no requests, and in bytes cut short", () => {
    equal(placesOf("other", 0x3b71, new Uint8Array(32)), { pointers: [], fds: [] });
    equal(placesOf("container", 0x3b99, new Uint8Array(32)), { pointers: [], fds: [] });
    equal(placesOf("container", 0x3b71, new Uint8Array(15)), { pointers: [], fds: [] });
  });

  it("leave no pointer of a struct out", () => {
    let pointers = 0;
    for (const kind of REQUEST_KINDS) {
      for (const [number, { argument }] of REQUESTS[kind]) {
        if (typeof argument === "string") continue;
        const found = placesOf(kind, number, new Uint8Array(argument.size)).pointers;
        for (const { type, at } of structLeaves(argument, 0, "")) {
          if (type !== "ptr") continue;
          pointers += 1;
          ok(found.some((one) => one.at === at), `${argument.tag} at ${at}`);
        }
      }
    }
    ok(pointers > 8, `${pointers} pointers`);
  });
});
