/** What pins cost: VmLck of the process that mapped. */
import { Container } from "../../../mod.ts";
import { equal } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { MiB } from "../support/machine.ts";
import { at, code, locked, pages, PINS2, Scene, VENDOR_PCI, VFIO_PCI } from "./scene.ts";
import { VendorDevice } from "./vendor_device.ts";

const kB = (scene: Scene): number => Number(scene.container.pins().locked / 1024n);

describe("VmLck with an mdev only", () => {
  it("does not move at MAP; each pin adds 4 kB, each unpin takes them back", () => {
    using scene = new Scene({ size: 256 });
    equal(kB(scene), 0);
    for (let i = 0; i < 5; i += 1) {
      scene.vendor.pin(at(i));
      equal(kB(scene), 4 * (i + 1));
    }
    scene.vendor.unpin(at(0), 5);
    equal(kB(scene), 0);
  });

  it("counts a pin for reading as one for writing", () => {
    using scene = new Scene();
    scene.vendor.pin(at(0), 3, { write: false });
    equal(locked(scene.container), 3);
  });

  it("counts the same address once, however often it is pinned", () => {
    using scene = new Scene();
    scene.vendor.pin(at(7));
    scene.vendor.pin(at(7));
    equal(locked(scene.container), 1);
    scene.vendor.unpin(at(7));
    equal(locked(scene.container), 1);
    scene.vendor.unpin(at(7));
    equal(locked(scene.container), 0);
  });

  it("counts the same address once, also if two devices pin it", () => {
    using scene = new Scene();
    using second = scene.join(PINS2);
    using other = new VendorDevice(second);
    scene.vendor.pin(at(7), 2);
    other.pin(at(7), 2);
    equal(locked(scene.container), 2);
    scene.vendor.unpin(at(7), 2);
    equal(locked(scene.container), 2);
    other.unpin(at(7), 2);
    equal(locked(scene.container), 0);
  });

  it("counts the same page twice if it is pinned at two addresses", () => {
    using scene = new Scene();
    using _again = scene.container.map(scene.memory, { iova: at(1024) });
    scene.vendor.pin(at(7));
    scene.vendor.pin(at(1024 + 7));
    equal(locked(scene.container), 2);
  });

  it("counts nothing for a pin that was refused, and for vfio_dma_rw", () => {
    using scene = new Scene();
    equal(code(() => scene.vendor.pin(at(60), 8)), "EINVAL");
    scene.vendor.write(at(0), new Uint8Array(4096));
    equal(locked(scene.container), 0);
  });

  it("is given back by UNMAP, and when the device is closed", () => {
    using scene = new Scene();
    using more = scene.container.allocate(pages(8));
    using mapping = scene.container.map(more, { iova: at(128) });
    scene.vendor.pin(at(0), 3);
    scene.vendor.pin(at(128), 8);
    equal(locked(scene.container), 11);
    mapping[Symbol.dispose]();
    equal(locked(scene.container), 3);
    scene.vendor[Symbol.dispose]();
    equal(locked(scene.container), 0);
  });
});

describe("VmLck when a group behind an IOMMU joins", () => {
  it("counts all mapped memory, pins not again; when it leaves, the pins only", () => {
    using scene = new Scene({ size: 256 });
    using more = scene.container.allocate(MiB / 16n);
    // Untouched memory that is only read is the page of zeros, which older kernels do not count.
    more.bytes.fill(1);
    using _readOnly = scene.container.map(more, { iova: at(1024), access: "r" });
    scene.vendor.pin(at(0), 5);
    equal(kB(scene), 20);
    {
      using _group = scene.join(VFIO_PCI);
      equal(kB(scene), 1088);
      scene.vendor.pin(at(5), 5);
      equal(kB(scene), 1088);
      scene.vendor.unpin(at(5), 5);
      equal(kB(scene), 1088);
    }
    equal(kB(scene), 20);
  });

  it("keeps what was pinned while it was there", () => {
    using scene = new Scene();
    {
      using _group = scene.join(VFIO_PCI);
      scene.vendor.pin(at(10), 4);
      equal(locked(scene.container), 64);
    }
    equal(locked(scene.container), 4);
  });

  it("does the same for a group whose driver pins", () => {
    using scene = new Scene({ device: VENDOR_PCI });
    equal(locked(scene.container), 64);
    scene.vendor.pin(at(0), 8);
    equal(locked(scene.container), 64);
    scene.vendor.unpin(at(0), 8);
    equal(locked(scene.container), 64);
  });

  it("comes back to 0 with the last group, whatever was pinned", () => {
    using scene = new Scene();
    using group = scene.join(VFIO_PCI);
    scene.vendor.pin(at(0), 8);
    scene.group[Symbol.dispose]();
    equal(locked(scene.container), 64);
    group[Symbol.dispose]();
    equal(locked(scene.container), 0);
  });
});

describe("VmLck of memory that is reached in several ways", () => {
  it("counts it in each container, behind an IOMMU when it is mapped", () => {
    using one = Container.open();
    using _edu = one.attach(VFIO_PCI);
    using two = Container.open();
    using _vendor = two.attach(VENDOR_PCI);
    using memory = one.allocate(pages(64));
    memory.bytes.fill(1);
    const counts = [locked(one)];
    using _first = one.map(memory, { iova: at(0) });
    counts.push(locked(one));
    using _second = two.map(memory, { iova: at(0) });
    counts.push(locked(one));
    using _third = one.map(memory, { iova: at(128) });
    counts.push(locked(one));
    equal(counts, [0, 64, 128, 192]);
  });

  it("counts it in each container of mediated devices when it is pinned", () => {
    using one = new Scene();
    using two = new Scene({ device: PINS2 });
    using _same = two.container.map(one.memory, { iova: at(128) });
    one.vendor.pin(at(7), 2);
    equal(locked(one.container), 2);
    two.vendor.pin(at(128 + 7), 2);
    equal(locked(one.container), 4);
    one.vendor.unpin(at(7), 2);
    equal(locked(one.container), 2);
  });
});

describe("VmPin", () => {
  it("never moves", () => {
    using scene = new Scene();
    const before = scene.container.pins();
    scene.vendor.pin(at(0), 32);
    using _group = scene.join(VFIO_PCI);
    const { locked: grown, pinned } = scene.container.pins().since(before);
    equal([grown, pinned], [pages(64), 0n]);
  });
});
