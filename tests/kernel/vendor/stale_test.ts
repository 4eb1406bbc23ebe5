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

/**
 * Neighbours of four pages at pages 1, 5 and on; the driver writes all of the one that begins at a
 * page, once.
 */
function withNeighbours(
  count: number,
  body: (container: Container, writeOnce: (first: number) => void) => void,
): void {
  using stack = new DisposableStack();
  const container = stack.use(Container.open());
  const memory = stack.use(container.allocate(pages(4)));
  const group = stack.use(container.attach(PINS));
  for (let i = 0; i < count; i += 1) stack.use(container.map(memory, { iova: at(1 + 4 * i) }));
  const vendor = stack.use(new VendorDevice(group));
  body(container, (first) => {
    for (let page = first; page < first + 4; page += 1) vendor.write(at(page), Uint8Array.of(1));
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
    withNeighbours(2, (container, writeOnce) => {
      using _tracker = container.trackDirty();
      writeOnce(1);
      const reads = Array.from({ length: 5 }, () => rawRead(container, LOW).toString(16));
      equal(reads, ["1e", "220", "4440", "88880", "1111100"]);
    });
  });

  it("raw: stopping and starting ends it", () => {
    withNeighbours(2, (container, writeOnce) => {
      {
        using _tracker = container.trackDirty();
        writeOnce(1);
        equal([rawRead(container, LOW), rawRead(container, LOW)], [0x1en, 0x220n]);
      }
      using _tracker = container.trackDirty();
      equal(rawRead(container, LOW), 0n);
    });
  });

  it("are in our windows once, and nothing else ever is", () => {
    withNeighbours(3, (container, writeOnce) => {
      using tracker = container.trackDirty();
      for (const [first, shown] of [[1, "1-4"], [5, "5-8"], [9, "9-12"], [5, "5-8"]] as const) {
        writeOnce(first);
        equal([dirty(tracker), dirty(tracker), dirty(tracker)], [shown, "none", "none"]);
      }
    });
  });
});
