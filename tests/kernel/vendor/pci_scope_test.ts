/** A device behind an IOMMU whose driver pins: it declares its dirty scope with its first pin. */
import { equal } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { at, code, dirty, PINS, Scene, VENDOR_PCI, VFIO_PCI } from "./scene.ts";
import { VendorDevice } from "./vendor_device.ts";

describe("a vendor driver behind an IOMMU", () => {
  it("makes every mapped page dirty until its first pin, then its pins only, at once", () => {
    using scene = new Scene({ device: VENDOR_PCI });
    using tracker = scene.container.trackDirty();
    for (let i = 0; i < 3; i += 1) equal(dirty(tracker), "0-63");
    scene.vendor.pin(at(3), 2);
    equal(dirty(tracker), "3-4");
    equal(dirty(tracker), "3-4");
  });

  it("may have pinned before tracking began", () => {
    using scene = new Scene({ device: VENDOR_PCI });
    scene.vendor.pin(at(3));
    using tracker = scene.container.trackDirty();
    equal(dirty(tracker), "3");
  });

  it("stays pinned only after it has unpinned everything, over STOP and START too", () => {
    using scene = new Scene({ device: VENDOR_PCI });
    {
      using tracker = scene.container.trackDirty();
      scene.vendor.pin(at(3));
      scene.vendor.unpin(at(3));
      equal(dirty(tracker), "3");
      equal(dirty(tracker), "none");
    }
    using tracker = scene.container.trackDirty();
    equal(dirty(tracker), "none");
  });

  it("turns by a pin for reading too", () => {
    using scene = new Scene({ device: VENDOR_PCI });
    using tracker = scene.container.trackDirty();
    scene.vendor.pin(at(5), 1, { write: false });
    equal(dirty(tracker), "5");
  });

  it("does not turn by a pin that is refused, nor by vfio_dma_rw", () => {
    using scene = new Scene({ device: VENDOR_PCI });
    using tracker = scene.container.trackDirty();
    equal(code(() => scene.vendor.pin(at(60), 8)), "EINVAL");
    equal(dirty(tracker), "0-63");
    scene.vendor.write(at(1), Uint8Array.of(1));
    equal(dirty(tracker), "0-63");
  });

  it("stays pinned only when its device is closed and opened again", () => {
    using scene = new Scene({ device: VENDOR_PCI });
    using tracker = scene.container.trackDirty();
    scene.vendor.pin(at(3));
    scene.vendor[Symbol.dispose]();
    equal(dirty(tracker), "3");
    using _again = new VendorDevice(scene.group);
    equal(dirty(tracker), "none");
  });

  it("starts over when its group is taken out and put in again", () => {
    using scene = new Scene();
    using tracker = scene.container.trackDirty();
    {
      using group = scene.join(VENDOR_PCI);
      using edu = new VendorDevice(group);
      equal(dirty(tracker), "0-63");
      edu.pin(at(3));
      equal(dirty(tracker), "3");
    }
    equal(dirty(tracker), "3");
    using _group = scene.join(VENDOR_PCI);
    for (let i = 0; i < 2; i += 1) equal(dirty(tracker), "0-63");
  });

  it("leaves no full read behind when it goes after a pin", () => {
    using scene = new Scene();
    using tracker = scene.container.trackDirty();
    scene.vendor.pin(at(1));
    {
      using group = scene.join(VENDOR_PCI);
      using edu = new VendorDevice(group);
      edu.pin(at(3));
      edu.unpin(at(3));
      equal(dirty(tracker), "1,3");
    }
    equal(dirty(tracker), "1");
    equal(dirty(tracker), "1");
  });

  it("leaves one full read behind when it goes before its first successful pin", () => {
    using scene = new Scene();
    using tracker = scene.container.trackDirty();
    scene.vendor.pin(at(1));
    {
      using group = scene.join(VENDOR_PCI);
      using edu = new VendorDevice(group);
      equal(code(() => edu.pin(at(64))), "EINVAL");
    }
    equal(dirty(tracker), "0-63");
    equal(dirty(tracker), "1");
  });

  it("does not help while a vfio-pci group is there", () => {
    using scene = new Scene({ device: VENDOR_PCI });
    using tracker = scene.container.trackDirty();
    scene.vendor.pin(at(3));
    equal(dirty(tracker), "3");
    {
      using _plain = scene.join(VFIO_PCI);
      for (let i = 0; i < 2; i += 1) equal(dirty(tracker), "0-63");
    }
    equal(dirty(tracker), "0-63");
    equal(dirty(tracker), "3");
  });

  it("is not turned by the pin of an mdev in the same container", () => {
    using scene = new Scene({ device: VENDOR_PCI });
    using group = scene.join(PINS);
    using mdev = new VendorDevice(group);
    using tracker = scene.container.trackDirty();
    mdev.pin(at(9));
    equal(dirty(tracker), "0-63");
    scene.vendor.pin(at(3));
    equal(dirty(tracker), "3,9");
  });
});
