/** What is reported as dirty in a container with mediated devices only. */
import { equal } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { LOW, PAGE } from "../support/machine.ts";
import { at, code, dirty, pages, PINS2, read, Scene } from "./scene.ts";
import { VendorDevice } from "./vendor_device.ts";

const bytes = Uint8Array.of(1, 2, 3, 4);

describe("a container with an mdev only", () => {
  it("reports nothing while nothing is pinned, and says that pins are what it reports", () => {
    using scene = new Scene();
    using tracker = scene.container.trackDirty();
    equal(read(tracker), { label: "pinned-scope", dirty: "none" });
    scene.memory.bytes.fill(7);
    equal(dirty(tracker), "none");
  });

  it("reports pinned pages at every read", () => {
    using scene = new Scene();
    using tracker = scene.container.trackDirty();
    scene.vendor.pin(at(3), 4);
    scene.vendor.pin(at(63));
    for (let i = 0; i < 4; i += 1) equal(dirty(tracker), "3-6,63");
  });

  it("reports what was pinned before tracking began", () => {
    using scene = new Scene();
    scene.vendor.pin(at(0), 2);
    scene.vendor.pin(at(9));
    scene.vendor.unpin(at(9));
    using tracker = scene.container.trackDirty();
    equal(dirty(tracker), "0-1");
    equal(dirty(tracker), "0-1");
  });

  it("reports pages pinned for reading too, at every read", () => {
    using scene = new Scene();
    using tracker = scene.container.trackDirty();
    scene.vendor.pin(at(5), 2, { write: false });
    for (let i = 0; i < 3; i += 1) equal(dirty(tracker), "5-6");
  });

  it("reports unpinned pages once more", () => {
    using scene = new Scene();
    using tracker = scene.container.trackDirty();
    scene.vendor.pin(at(8), 8);
    equal(dirty(tracker), "8-15");
    scene.vendor.unpin(at(10), 3);
    equal(dirty(tracker), "8-15");
    equal(dirty(tracker), "8-9,13-15");
    scene.vendor.unpin(at(8), 2);
    scene.vendor.unpin(at(13), 3);
    equal(dirty(tracker), "8-9,13-15");
    equal(dirty(tracker), "none");
  });

  it("reports pages pinned and unpinned between two reads once", () => {
    using scene = new Scene();
    using tracker = scene.container.trackDirty();
    scene.vendor.pin(at(20), 4);
    scene.vendor.unpin(at(20), 4);
    equal(dirty(tracker), "20-23");
    equal(dirty(tracker), "none");
    scene.vendor.pin(at(20), 1, { write: false });
    scene.vendor.unpin(at(20));
    equal(dirty(tracker), "20");
    equal(dirty(tracker), "none");
  });

  it("reports a page pinned twice until both pins are gone", () => {
    using scene = new Scene();
    using tracker = scene.container.trackDirty();
    scene.vendor.pin(at(1));
    scene.vendor.pin(at(1));
    equal(scene.vendor.status(), { pinned: 1, pins: 2, unmaps: 0, returned: 0, log: [] });
    scene.vendor.unpin(at(1));
    for (let i = 0; i < 3; i += 1) equal(dirty(tracker), "1");
    scene.vendor.unpin(at(1));
    equal(dirty(tracker), "1");
    equal(dirty(tracker), "none");
  });

  it("reports the pins of two devices together", () => {
    using scene = new Scene();
    using second = scene.join(PINS2);
    using other = new VendorDevice(second);
    using tracker = scene.container.trackDirty();
    scene.vendor.pin(at(1), 2);
    other.pin(at(2), 2);
    equal(read(tracker), { label: "pinned-scope", dirty: "1-3" });
    scene.vendor.unpin(at(1), 2);
    equal(dirty(tracker), "1-3");
    equal(dirty(tracker), "2-3");
  });

  it("reports what vfio_dma_rw wrote once, also over the edge of a page", () => {
    using scene = new Scene();
    using tracker = scene.container.trackDirty();
    scene.vendor.write(at(7) + 16n, bytes);
    scene.vendor.write(at(31) - 2n, bytes);
    equal([...scene.memory.bytes.subarray(7 * 4096 + 16, 7 * 4096 + 20)], [1, 2, 3, 4]);
    equal(dirty(tracker), "7,30-31");
    equal(dirty(tracker), "none");
  });

  it("never reports what vfio_dma_rw read", () => {
    using scene = new Scene();
    using tracker = scene.container.trackDirty();
    scene.memory.bytes.set(bytes, 4096);
    equal([...scene.vendor.read(at(1), 4)], [1, 2, 3, 4]);
    equal(dirty(tracker), "none");
  });

  it("does not tell a write through a pinned page from the pin", () => {
    using scene = new Scene();
    using tracker = scene.container.trackDirty();
    scene.vendor.pin(at(2), 2);
    scene.vendor.writeThroughPin(at(2) + 5n, bytes);
    equal([...scene.memory.bytes.subarray(2 * 4096 + 5, 2 * 4096 + 9)], [1, 2, 3, 4]);
    equal(dirty(tracker), "2-3");
    equal(dirty(tracker), "2-3");
  });

  it("forgets history, and keeps current pins, over STOP and START", () => {
    using scene = new Scene();
    {
      using _tracker = scene.container.trackDirty();
      scene.vendor.pin(at(1));
      scene.vendor.pin(at(2));
      scene.vendor.unpin(at(2));
      scene.vendor.write(at(3), bytes);
    }
    using tracker = scene.container.trackDirty();
    equal(dirty(tracker), "1");
  });

  it("does not know what was written before tracking began", () => {
    using scene = new Scene();
    scene.vendor.write(at(3), bytes);
    using tracker = scene.container.trackDirty();
    equal(dirty(tracker), "none");
  });

  it("reports the pages before the end of a mapping that a failed pin had taken", () => {
    using scene = new Scene();
    using tracker = scene.container.trackDirty();
    equal(code(() => scene.vendor.pin(at(60), 8)), "EINVAL");
    equal(scene.vendor.status().pinned, 0);
    equal(dirty(tracker), "60-63");
    equal(dirty(tracker), "none");
  });

  it("reports what one pin took in two mappings that touch", () => {
    using scene = new Scene();
    using more = scene.container.allocate(pages(8));
    using _mapping = scene.container.map(more, { iova: at(64) });
    using tracker = scene.container.trackDirty();
    scene.vendor.pin(at(62), 4, { oneCall: true });
    equal(dirty(tracker), "62-65");
    equal(dirty(tracker), "62-65");
  });

  it("reports pins of a mapping that was made while tracking", () => {
    using scene = new Scene();
    using tracker = scene.container.trackDirty();
    using more = scene.container.allocate(8n * PAGE);
    using _mapping = scene.container.map(more, { iova: LOW + pages(128) });
    equal(dirty(tracker), "none");
    scene.vendor.pin(at(130), 2);
    scene.vendor.write(at(128), bytes);
    equal(dirty(tracker), "128,130-131");
    equal(dirty(tracker), "130-131");
  });

  it("gives back every pin when the device is closed: reported once more", () => {
    using scene = new Scene();
    using second = scene.join(PINS2);
    using tracker = scene.container.trackDirty();
    {
      using other = new VendorDevice(second);
      other.pin(at(40), 5);
      equal(dirty(tracker), "40-44");
    }
    equal(dirty(tracker), "40-44");
    equal(dirty(tracker), "none");
  });
});
