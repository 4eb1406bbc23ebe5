/** A group behind an IOMMU joins and leaves a container whose other devices pin. */
import { equal } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { at, dirty, pages, PINS2, read, Scene, VFIO_PCI } from "./scene.ts";
import { VendorDevice } from "./vendor_device.ts";

const ALL = { label: "all-mapped", dirty: "0-63" };
const pinned = (dirty: string): { label: string; dirty: string } => ({
  label: "pinned-scope",
  dirty,
});

describe("when a vfio-pci group", () => {
  it("joins, every mapped page is dirty at every read", () => {
    using scene = new Scene();
    using tracker = scene.container.trackDirty();
    scene.vendor.pin(at(1));
    equal(read(tracker), pinned("1"));
    using _group = scene.join(VFIO_PCI);
    for (let i = 0; i < 3; i += 1) equal(read(tracker), ALL);
  });

  it("leaves, the next read is all dirty once, then pins only", () => {
    using scene = new Scene();
    using tracker = scene.container.trackDirty();
    scene.vendor.pin(at(1));
    {
      using _group = scene.join(VFIO_PCI);
      equal(read(tracker), ALL);
    }
    equal(read(tracker), ALL);
    equal(read(tracker), pinned("1"));
    equal(read(tracker), pinned("1"));
  });

  it("comes and goes between two reads, the next is all dirty once, then pins only", () => {
    using scene = new Scene();
    using tracker = scene.container.trackDirty();
    scene.vendor.pin(at(1), 2);
    equal(read(tracker), pinned("1-2"));
    scene.join(VFIO_PCI)[Symbol.dispose]();
    equal(read(tracker), ALL);
    equal(read(tracker), pinned("1-2"));
  });

  it("leaves, pages of mappings that were made later are not dirty", () => {
    using scene = new Scene();
    using tracker = scene.container.trackDirty();
    scene.join(VFIO_PCI)[Symbol.dispose]();
    using more = scene.container.allocate(pages(8));
    using _mapping = scene.container.map(more, { iova: at(128) });
    equal(dirty(tracker), "0-63");
    equal(dirty(tracker), "none");
  });

  it("leaves before tracking begins, nothing is dirty but pins", () => {
    using scene = new Scene();
    scene.vendor.pin(at(4));
    scene.join(VFIO_PCI)[Symbol.dispose]();
    using tracker = scene.container.trackDirty();
    equal(read(tracker), pinned("4"));
  });

  it("was there when tracking began and leaves, one read is all dirty", () => {
    using scene = new Scene();
    using group = scene.join(VFIO_PCI);
    using tracker = scene.container.trackDirty();
    group[Symbol.dispose]();
    equal(read(tracker), ALL);
    equal(read(tracker), pinned("none"));
  });

  it("is left alone by the mdev's group, all stays dirty", () => {
    using scene = new Scene();
    using _group = scene.join(VFIO_PCI);
    using tracker = scene.container.trackDirty();
    scene.vendor.pin(at(1));
    scene.group[Symbol.dispose]();
    equal(read(tracker), ALL);
    equal(read(tracker), ALL);
  });
});

describe("when a second mdev", () => {
  it("joins and leaves, nothing but its pins is added", () => {
    using scene = new Scene();
    using tracker = scene.container.trackDirty();
    scene.vendor.pin(at(1));
    {
      using group = scene.join(PINS2);
      equal(read(tracker), pinned("1"));
      using other = new VendorDevice(group);
      other.pin(at(9));
      equal(read(tracker), pinned("1,9"));
    }
    equal(read(tracker), pinned("1,9"));
    equal(read(tracker), pinned("1"));
  });
});

describe("a mapping that was not read yet when the group left", () => {
  it("is reported all dirty when its turn comes", () => {
    using scene = new Scene();
    using more = scene.container.allocate(pages(8));
    using _mapping = scene.container.map(more, { iova: at(100) });
    using tracker = scene.container.trackDirty();
    scene.join(VFIO_PCI)[Symbol.dispose]();
    const cursor = { iova: 0n };
    const [first] = tracker.drain({ cursor });
    equal([first?.label, first?.pages, first?.count], ["all-mapped", 64, 64]);
    equal(read(tracker), { label: "pinned-scope+all-mapped", dirty: "100-107" });
    equal(read(tracker), pinned("none"));
  });
});
