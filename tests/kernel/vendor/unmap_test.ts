/** UNMAP of pinned memory: what the driver is told, and what the bitmap holds. */
import { equal } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP } from "../../../lib/uapi/mod.ts";
import { it } from "../support/guard.ts";
import { LOW, PAGE } from "../support/machine.ts";
import { Places } from "../support/place.ts";
import { rawMap, rawTracking, rawUnmap, rawWord } from "./raw_ioctl.ts";
import { at, dirty, locked, pages, PINS2, Scene, show, VENDOR_PCI } from "./scene.ts";
import { VendorDevice } from "./vendor_device.ts";

const bits = (word: bigint): string =>
  show(Array.from({ length: 64 }, (_, i) => i).filter((i) => (word >> BigInt(i) & 1n) === 1n));

describe("UNMAP of a mapping with pinned pages", () => {
  it("calls dma_unmap once with the mapping's iova and length; the pages are in the bitmap", () => {
    using scene = new Scene();
    using _tracker = scene.container.trackDirty();
    scene.vendor.pin(at(2), 3);
    scene.vendor.pin(at(2));
    scene.vendor.pin(at(63));
    const window = scene.mapping.unmapWithBitmap();
    equal([...window.runs()].map((run) => [run.iova, run.pages]), [[at(2), 3], [at(63), 1]]);
    equal([window.label, window.count], ["pinned-scope", 4]);
    const log = [{ iova: LOW, size: pages(64) }];
    equal(scene.vendor.status(), { pinned: 0, pins: 0, unmaps: 1, returned: 4, log });
    equal(locked(scene.container), 0);
  });

  it("has what was unpinned or written since the last read in its bitmap too", () => {
    using scene = new Scene();
    using tracker = scene.container.trackDirty();
    scene.vendor.pin(at(1), 2);
    equal(dirty(tracker), "1-2");
    scene.vendor.unpin(at(1));
    scene.vendor.write(at(9), Uint8Array.of(1));
    const window = scene.mapping.unmapWithBitmap();
    equal([...window.runs()].map((run) => [run.iova, run.pages]), [[at(1), 2], [at(9), 1]]);
  });

  it("without tracking and bitmap calls dma_unmap too", () => {
    using scene = new Scene();
    scene.vendor.pin(at(0), 64);
    scene.mapping[Symbol.dispose]();
    const { unmaps, returned, pinned } = scene.vendor.status();
    equal([unmaps, returned, pinned], [1, 64, 0]);
  });

  it("does not call dma_unmap where nothing is pinned", () => {
    using scene = new Scene();
    scene.vendor.pin(at(0));
    scene.vendor.unpin(at(0));
    scene.mapping[Symbol.dispose]();
    equal(scene.vendor.status().unmaps, 0);
  });

  it("calls every device of the container, also one that has pinned nothing", () => {
    using scene = new Scene();
    using group = scene.join(PINS2);
    using other = new VendorDevice(group);
    scene.vendor.pin(at(0));
    scene.mapping[Symbol.dispose]();
    const log = [{ iova: LOW, size: pages(64) }];
    equal(scene.vendor.status().log, log);
    equal(other.status(), { pinned: 0, pins: 0, unmaps: 1, returned: 0, log });
  });

  it("calls the driver of a device behind an IOMMU as well", () => {
    using scene = new Scene({ device: VENDOR_PCI });
    scene.vendor.pin(at(7), 2);
    scene.mapping[Symbol.dispose]();
    const { pinned, returned, log } = scene.vendor.status();
    equal([pinned, returned, log], [0, 2, [{ iova: LOW, size: pages(64) }]]);
  });

  it("of everything: once for each mapping that has pins", () => {
    using scene = new Scene();
    using more = scene.container.allocate(pages(8));
    using _second = scene.container.map(more, { iova: at(128) });
    using _third = scene.container.map(more, { iova: at(256) });
    scene.vendor.pin(at(0));
    scene.vendor.pin(at(256), 8);
    equal(scene.container.unmapAll(), pages(80));
    const wanted = [{ iova: LOW, size: pages(64) }, { iova: at(256), size: pages(8) }];
    equal(scene.vendor.status().log, wanted);
    scene.vendor.clear();
    equal(scene.vendor.status(), { pinned: 0, pins: 0, unmaps: 0, returned: 0, log: [] });
  });

  it("of several mappings with EFAULT half-way: the first is gone, the second kept with its bits", () => {
    using scene = new Scene();
    using places = new Places();
    const [first, second] = [at(128), at(192)];
    const { container, vendor } = scene;
    equal(rawMap(container, { iova: first, size: pages(64), vaddr: places.good }), "OK");
    equal(rawMap(container, { iova: second, size: pages(64), vaddr: places.good }), "OK");
    equal(rawTracking(container, 1), "OK");
    vendor.pin(first + pages(3));
    vendor.pin(second + pages(4));
    const before = container.pins();
    // Of the bitmap's two words only the first can be written.
    const bitmap = places.halfGood + PAGE - 8n;
    const range = { iova: first, size: pages(128), bitmap, bitmapSize: 16n };
    const flags = VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP;
    equal(rawUnmap(container, { ...range, flags }), { answer: "EFAULT", size: pages(128) });
    const kernel = container.rawKernel;
    const view = new DataView(kernel.viewOf(places.halfGood, 4096));
    equal(bits(view.getBigUint64(4088, true)), "3");
    view.buffer.transfer(0);

    const log = [{ iova: first, size: pages(64) }, { iova: second, size: pages(64) }];
    equal(vendor.status(), { pinned: 0, pins: 0, unmaps: 2, returned: 2, log });
    const { locked: freed, dmaAvailable } = container.pins().since(before);
    equal([freed, dmaAvailable], [-pages(2), 1]);
    equal(rawWord(container, { iova: second, size: pages(64) }), "0x10");
    equal(rawWord(container, { iova: second, size: pages(64) }), "0x0");
    equal(rawUnmap(container, { iova: first, size: pages(64) }), { answer: "OK", size: 0n });
    equal(rawUnmap(container, { iova: second, size: pages(64) }).size, pages(64));
    equal(rawTracking(container, 2), "OK");
  });
});
