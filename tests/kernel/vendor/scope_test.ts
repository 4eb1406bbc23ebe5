/** What groups that come and go do to the dirty pages of a container. */

import { equal } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { at, code, locked, pages, read, Scene, VENDOR_PCI, VFIO_PCI } from "./scene.ts";
import { VendorDevice } from "./vendor_device.ts";

const ALL = "0-63";

describe("a vfio-pci group beside an mdev", () => {
  it("makes everything dirty while it is there, and once when it has left", () => {
    using scene = new Scene();
    scene.vendor.pin(at(3));
    using tracker = scene.container.trackDirty();
    equal(read(tracker), { label: "pinned-scope", dirty: "3" });
    const plain = scene.join(VFIO_PCI);
    for (let i = 0; i < 3; i += 1) equal(read(tracker), { label: "all-mapped", dirty: ALL });
    plain[Symbol.dispose]();
    equal(read(tracker), { label: "all-mapped", dirty: ALL });
    equal(read(tracker), { label: "pinned-scope", dirty: "3" });
  });

  it("does so too when it came and went between two reads", () => {
    using scene = new Scene();
    using tracker = scene.container.trackDirty();
    equal(read(tracker).dirty, "none");
    scene.join(VFIO_PCI)[Symbol.dispose]();
    equal(read(tracker), { label: "all-mapped", dirty: ALL });
    equal(read(tracker), { label: "pinned-scope", dirty: "none" });
  });
});

describe("a vendor's PCI device", () => {
  it("makes everything dirty until its first pin, and not after it, also unpinned", () => {
    using scene = new Scene({ device: VENDOR_PCI });
    using tracker = scene.container.trackDirty();
    for (let i = 0; i < 2; i += 1) equal(read(tracker), { label: "unknown", dirty: ALL });
    scene.vendor.pin(at(7));
    equal(read(tracker), { label: "pinned-scope", dirty: "7" }); // with no last full read
    scene.vendor.unpin(at(7));
    equal(read(tracker).dirty, "7");
    equal(read(tracker), { label: "pinned-scope", dirty: "none" });
  });

  it("starts over when it is taken out and put in again", () => {
    using scene = new Scene();
    using tracker = scene.container.trackDirty();
    {
      using group = scene.join(VENDOR_PCI);
      using vendor = new VendorDevice(group);
      vendor.pin(at(1));
      vendor.unpin(at(1));
      equal(read(tracker).dirty, "1");
    }
    equal(read(tracker), { label: "pinned-scope", dirty: "none" }); // it had pinned: no full read
    using group = scene.join(VENDOR_PCI);
    equal(read(tracker), { label: "unknown", dirty: ALL });
    using vendor = new VendorDevice(group);
    vendor.pin(at(2));
    equal(read(tracker), { label: "pinned-scope", dirty: "2" });
  });

  it("taken out before its first pin leaves one full read", () => {
    using scene = new Scene();
    using tracker = scene.container.trackDirty();
    scene.join(VENDOR_PCI)[Symbol.dispose]();
    equal(read(tracker), { label: "unknown", dirty: ALL });
    equal(read(tracker), { label: "pinned-scope", dirty: "none" });
  });

  it("is not turned by a pin that fails", () => {
    using scene = new Scene({ device: VENDOR_PCI });
    using tracker = scene.container.trackDirty();
    equal(code(() => scene.vendor.pin(at(1000))), "EINVAL");
    equal(read(tracker), { label: "unknown", dirty: ALL });
  });
});

describe("accounts", () => {
  it("of an mdev: a mapping costs nothing, each pin a page; an IOMMU pins all, and gives it back", () => {
    using scene = new Scene({ size: 256 });
    const { container, vendor } = scene;
    using readOnly = container.allocate(pages(16));
    const before = locked(container);
    using _second = container.map(readOnly, { iova: at(1024), access: "r" });
    equal(locked(container) - before, 0);
    vendor.pin(at(0), 5);
    vendor.pin(at(0)); // the same page again counts once
    equal(locked(container) - before, 5);
    const plain = scene.join(VFIO_PCI);
    equal(locked(container) - before, 272);
    vendor.pin(at(100), 3);
    equal(locked(container) - before, 272);
    vendor.unpin(at(100), 3);
    plain[Symbol.dispose]();
    equal([locked(container) - before, container.pins().pinned], [5, 0n]);
  });
});

describe("an unmap", () => {
  it("calls the driver back with iova and length, and its bitmap has what was pinned", () => {
    using scene = new Scene();
    const { container, vendor } = scene;
    using memory = container.allocate(pages(32));
    const mapping = container.map(memory, { iova: at(1024) });
    using _tracker = container.trackDirty();
    vendor.pin(at(1024 + 4), 2);
    vendor.write(at(1024 + 9), new Uint8Array(1));
    vendor.clear();
    const window = mapping.unmapWithBitmap();
    const runs = [...window.runs()].map((run) => [run.iova, run.pages]);
    equal(runs, [[at(1028), 2], [at(1033), 1]]);
    const { unmaps, returned, pinned, log } = vendor.status();
    equal([unmaps, returned, pinned], [1, 2, 0]);
    equal(log, [{ iova: at(1024), size: pages(32) }]);
  });
});
