/** The kernel's defect of stale bits on pages that were dirtied once, and our windows beside it. */
import { Container, HostMemory, rawLinux as linux } from "../../../mod.ts";
import { dirty_bitmap_get_request, VFIO_IOMMU_DIRTY_PAGES } from "../../../lib/uapi/mod.ts";
import { equal } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { LOW, PAGE } from "../support/machine.ts";
import { words } from "../support/place.ts";
import { must } from "../support/raw.ts";
import { at, dirty, pages, PINS } from "./scene.ts";
import { VendorDevice } from "./vendor_device.ts";

/** Two neighbours of four pages at pages 1 and 5; the driver writes all of the first once. */
function withNeighbours(body: (container: Container, writeOnce: () => void) => void): void {
  using container = Container.open();
  using memory = container.allocate(pages(4));
  using group = container.attach(PINS);
  using _a = container.map(memory, { iova: at(1) });
  using _b = container.map(memory, { iova: at(5) });
  using vendor = new VendorDevice(group);
  body(container, () => {
    for (let page = 1; page < 5; page += 1) vendor.write(at(page), Uint8Array.of(1));
  });
}

/** One read of 64 pages into zeroed memory, past the library. */
function rawRead(container: Container, iova: bigint): bigint {
  using bitmap = HostMemory.allocate(linux, PAGE);
  const request = dirty_bitmap_get_request.create();
  const { size } = dirty_bitmap_get_request;
  const get = { argsz: size, flags: 4, iova, size: pages(64), pgsize: PAGE, bitmap_size: 8n };
  Object.assign(request.fields, get);
  request.point("data", bitmap);
  must(container.rawIoctl(VFIO_IOMMU_DIRTY_PAGES, request.bytes), "GET_BITMAP");
  return words(bitmap, 1)[0]!;
}

describe("pages that were written once", () => {
  it("raw: one read is right, all later ones show false dirt that drifts on", () => {
    withNeighbours((container, writeOnce) => {
      using _tracker = container.trackDirty();
      writeOnce();
      const reads = Array.from({ length: 5 }, () => rawRead(container, LOW).toString(16));
      equal(reads, ["1e", "220", "4440", "88880", "1111100"]);
    });
  });

  it("raw: stopping and starting ends it", () => {
    withNeighbours((container, writeOnce) => {
      {
        using _tracker = container.trackDirty();
        writeOnce();
        equal([rawRead(container, LOW), rawRead(container, LOW)], [0x1en, 0x220n]);
      }
      using _tracker = container.trackDirty();
      equal(rawRead(container, LOW), 0n);
    });
  });

  it("are in our windows once, and nothing else ever is", () => {
    withNeighbours((container, writeOnce) => {
      using tracker = container.trackDirty();
      for (let i = 0; i < 3; i += 1) {
        writeOnce();
        equal([dirty(tracker), dirty(tracker), dirty(tracker)], ["1-4", "none", "none"]);
      }
    });
  });
});
