/** An UNMAP whose bitmap cannot be written half-way, as the library tells it. */
import { Container, type Kernel, PartialUnmapError, rawLinux as linux } from "../../../mod.ts";
import {
  dma_unmap_with_bitmap_request,
  VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP,
  VFIO_IOMMU_UNMAP_DMA,
} from "../../../lib/uapi/mod.ts";
import { equal, throws } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { LOW, PAGE } from "../support/machine.ts";
import { Places } from "../support/place.ts";
import { refused } from "../support/refused.ts";
import { at, pages, PINS } from "./scene.ts";
import { VendorDevice } from "./vendor_device.ts";

/** Linux, where the bitmap of an UNMAP lies at an address of which one word can be written. */
function withBitmapAt(address: bigint): Kernel {
  const spoil = (fd: number, request: number, bytes: Uint8Array): number => {
    if (request !== VFIO_IOMMU_UNMAP_DMA || bytes.length < dma_unmap_with_bitmap_request.size) {
      return linux.ioctlBuffer(fd, request, bytes);
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const hasBitmap = view.getUint32(4, true) === VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP;
    if (hasBitmap) view.setBigUint64(40, address, true);
    return linux.ioctlBuffer(fd, request, bytes);
  };
  return new Proxy(linux, {
    get: (target, name) => {
      if (name === "ioctlBuffer") return spoil;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

describe("an unmap of a mapping in pieces with EFAULT half-way", () => {
  it("is an error that takes all as dirty; the pieces before are gone, the others stay", () => {
    using places = new Places();
    using container = Container.open({ kernel: withBitmapAt(places.halfGood + PAGE - 8n) });
    using memory = container.allocate(pages(192));
    const group = container.attach(PINS);
    const vendor = new VendorDevice(group);
    const mapping = container.map(memory, { iova: LOW, pieceSize: pages(64) });
    const tracker = container.trackDirty();
    for (const page of [3, 64 + 4, 128 + 5]) vendor.pin(at(page));
    const before = container.pins();
    refused(() => mapping.unmapWithBitmap(), {
      code: "EFAULT",
      operation: "VFIO_IOMMU_UNMAP_DMA",
      text: "Cannot unmap 768 KiB at iova 0x1000000 with its dirty bits: VFIO_IOMMU_UNMAP_DMA " +
        "failed with EFAULT (14): take every page of the mapping as dirty",
    });
    // One piece went; the driver of the second has given its page back, and it stays.
    const { locked, dmaAvailable } = container.pins().since(before);
    equal([locked, dmaAvailable, mapping.isMapped], [-pages(2), 1, true]);
    const { unmaps, log, pinned } = vendor.status();
    const told = [0, 64].map((page) => ({ iova: at(page), size: pages(64) }));
    equal([unmaps, log, pinned], [2, told, 1]);
    // The next unmap says how little of it was left, and nothing is left after it.
    const partial = throws(() => mapping[Symbol.dispose](), PartialUnmapError);
    equal(partial.details, { wanted: pages(192), removed: pages(128) });
    equal(container.pins().dmaAvailable, (before.dmaAvailable ?? 0) + 3);
    tracker[Symbol.dispose]();
    vendor[Symbol.dispose]();
    group[Symbol.dispose](); // with the last group the library knows that all is gone
    equal([mapping.isMapped, container.pins().locked], [false, 0n]);
  });
});
