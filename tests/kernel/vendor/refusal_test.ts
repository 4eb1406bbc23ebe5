/** Which pins and accesses the kernel refuses. */
import { equal } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { refused } from "../support/refused.ts";
import { at, code, dirty, NO_UNMAP, pages, Scene } from "./scene.ts";

describe("a pin", () => {
  it("outside a mapping: EINVAL", () => {
    using scene = new Scene();
    equal(code(() => scene.vendor.pin(at(64))), "EINVAL");
    equal(code(() => scene.vendor.pin(at(-1))), "EINVAL");
    equal(code(() => scene.vendor.pin(1n << 50n)), "EINVAL");
    refused(() => scene.vendor.pin(at(64)), {
      code: "EINVAL",
      operation: "vfio_pin_pages",
      text: "Cannot pin 1 pages at iova 0x1040000",
    });
  });

  it("over a gap between mappings: EINVAL, and nothing stays pinned", () => {
    using scene = new Scene();
    using more = scene.container.allocate(pages(8));
    using _mapping = scene.container.map(more, { iova: at(65) });
    equal(code(() => scene.vendor.pin(at(62), 4, { oneCall: true })), "EINVAL");
    equal(scene.vendor.status().pins, 0);
    equal(scene.container.pins().locked, 0n);
  });

  it("for writing, of a mapping for reading: EPERM; for reading: OK", () => {
    using scene = new Scene({ access: "r" });
    equal(code(() => scene.vendor.pin(at(0))), "EPERM");
    equal(code(() => scene.vendor.pin(at(0), 1, { write: false })), "OK");
  });

  it("for reading, of a mapping for writing only: EPERM", () => {
    using scene = new Scene({ access: "w" });
    equal(code(() => scene.vendor.pin(at(0), 1, { write: false })), "EPERM");
  });

  it("of 512 pages in a call: OK; of 513: E2BIG", () => {
    using scene = new Scene({ size: 600 });
    equal(code(() => scene.vendor.pin(at(0), 512, { oneCall: true })), "OK");
    equal(scene.vendor.status().pinned, 512);
    equal(code(() => scene.vendor.pin(at(0), 513, { oneCall: true })), "E2BIG");
    equal(scene.vendor.status().pins, 512);
  });

  it("of 600 pages in batches: OK", () => {
    using scene = new Scene({ size: 600 });
    scene.vendor.pin(at(0), 600);
    equal(scene.vendor.status().pinned, 600);
    scene.vendor.unpin(at(0), 600);
    equal(scene.vendor.status().pinned, 0);
  });

  it("of no page: EINVAL", () => {
    using scene = new Scene();
    equal(code(() => scene.vendor.pin(at(0), 0, { oneCall: true })), "EINVAL");
  });

  it("by a driver without dma_unmap: EINVAL", () => {
    using scene = new Scene({ device: NO_UNMAP });
    equal(code(() => scene.vendor.pin(at(0))), "EINVAL");
    equal(code(() => scene.vendor.pin(at(0), 1, { write: false })), "EINVAL");
  });
});

describe("vfio_dma_rw", () => {
  const bytes = Uint8Array.of(9);

  it("needs no dma_unmap", () => {
    using scene = new Scene({ device: NO_UNMAP });
    using tracker = scene.container.trackDirty();
    scene.vendor.write(at(6), bytes);
    equal([...scene.vendor.read(at(6), 1)], [9]);
    equal(dirty(tracker), "6");
    equal(dirty(tracker), "none");
  });

  it("outside a mapping: EINVAL", () => {
    using scene = new Scene();
    equal(code(() => scene.vendor.write(at(64), bytes)), "EINVAL");
    equal(code(() => scene.vendor.read(at(64), 1)), "EINVAL");
  });

  it("writes into a mapping for reading: EPERM", () => {
    using scene = new Scene({ access: "r" });
    equal(code(() => scene.vendor.write(at(0), bytes)), "EPERM");
    equal(code(() => scene.vendor.read(at(0), 1)), "OK");
  });

  it("over the end of a mapping: the part before it is written, and reported", () => {
    using scene = new Scene();
    using tracker = scene.container.trackDirty();
    equal(code(() => scene.vendor.write(at(64) - 2n, Uint8Array.of(1, 2, 3, 4))), "EINVAL");
    equal([...scene.memory.bytes.subarray(-2)], [1, 2]);
    equal(dirty(tracker), "63");
  });
});
