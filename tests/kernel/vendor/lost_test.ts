/** A container that lost its last group: the kernel has dropped mappings and tracking. */
import { dma_unmap_with_bitmap_request, VFIO_IOMMU_GET_INFO } from "../../../lib/uapi/mod.ts";
import { equal, match, throws } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { LOW } from "../support/machine.ts";
import { answer } from "../support/raw.ts";
import { rawMap, rawTracking, rawUnmap, rawWord } from "./raw_ioctl.ts";
import { at, dirty, pages, PINS, Scene, VENDOR_PCI } from "./scene.ts";
import { VendorDevice } from "./vendor_device.ts";

const GONE = "mappings and dirty tracking went with the last one; attach a device again";

describe("a container that lost its last group", () => {
  for (const [name, device] of [["a mediated device", PINS], ["one behind an IOMMU", VENDOR_PCI]]) {
    it(`says EINVAL to everything, raw, after ${name}`, () => {
      using scene = new Scene({ device: device ?? PINS });
      const { container, memory } = scene;
      equal(rawTracking(container, 1), "OK");
      scene.vendor.pin(at(1), 3);
      scene.group[Symbol.dispose]();
      const range = { iova: LOW, size: pages(64) };
      const info = container.rawIoctl(
        VFIO_IOMMU_GET_INFO,
        dma_unmap_with_bitmap_request.create().bytes,
      );
      equal([
        rawMap(container, { ...range, vaddr: memory.address }),
        rawUnmap(container, range).answer,
        rawTracking(container, 1),
        rawTracking(container, 2),
        rawWord(container, range),
        answer(info),
      ], Array(6).fill("EINVAL"));
    });
  }

  it("is told so by everything that needs one, before any request", () => {
    using scene = new Scene();
    const { container, memory, mapping } = scene;
    const tracker = container.trackDirty();
    const history = container.pinHistory();
    scene.vendor.pin(at(1), 3);
    scene.group[Symbol.dispose]();
    const calls: Record<string, () => unknown> = {
      map: () => container.map(memory, { iova: LOW }),
      unmapAll: () => container.unmapAll(),
      trackDirty: () => container.trackDirty(),
      info: () => container.info(),
      pageSize: () => container.pageSize,
      forecast: () => container.forecast([{ size: pages(1) }]),
      pinned: () => container.pinned(),
      pinHistory: () => container.pinHistory(),
      probeScope: () => container.probeScope(),
    };
    for (const [name, call] of Object.entries(calls)) {
      const error = throws(call, ReferenceError, GONE);
      match(error.message, /^The container has no group any more: /, name);
    }
    throws(() => [...tracker.drain()], ReferenceError, "tracking has ended");
    throws(() => history.next(), ReferenceError, "tracking has ended");
    throws(() => mapping.unmapWithBitmap(), ReferenceError, "the mapping is gone already");
    const { label, basis, reason, groups } = container.scope();
    equal([label, basis, groups], ["unknown", "none", []]);
    match(reason, /has no group/);
    equal([container.pins().locked, container.pins().dmaAvailable], [0n, undefined]);
    equal([container.mappings, mapping.isMapped, container.tracker], [[], false, undefined]);
  });

  it("begins anew with the next one", () => {
    using scene = new Scene();
    const { container, memory } = scene;
    scene.group[Symbol.dispose]();
    using group = container.attach(PINS);
    using vendor = new VendorDevice(group);
    using _mapping = container.map(memory, { iova: LOW });
    using tracker = container.trackDirty();
    vendor.pin(at(5));
    equal(dirty(tracker), "5");
  });
});
