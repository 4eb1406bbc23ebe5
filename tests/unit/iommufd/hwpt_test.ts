import { type Hwpt, Iommufd, VfioError } from "../../../mod.ts";
import { equal, throws } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";
import { type Fake, fakeKernel } from "./fake.ts";

const PAGE = 4096n;
const TARGET = { address: 0x5000n, size: 16 };

/** A page table with 8 pages at 0x10000 and 8 pages at 0x20000. */
function scene(body: (table: Hwpt, fake: Fake) => void, refuse = {}): void {
  const fake = fakeKernel({ refuse });
  using iommufd = Iommufd.open({ kernel: fake.kernel });
  using memory = iommufd.allocate(8n * PAGE);
  using space = iommufd.addressSpace();
  space.map(memory, { iova: 0x10000n });
  space.map(memory, { iova: 0x18000n });
  space.map(memory, { iova: 0x40000n });
  body(space.pageTable({ id: 77 }, { dirtyTracking: true }), fake);
}

describe("hwpt.readDirty", () => {
  it("asks for what is mapped, also across mappings", () => {
    scene((table, { last }) => {
      table.setDirtyTracking(true);
      table.readDirty({ iova: 0x12000n, size: 8n * PAGE }, TARGET, { clear: false });
      const view = new DataView(last.get("IOMMU_HWPT_GET_DIRTY_BITMAP")!.buffer);
      equal([4, 8].map((at) => view.getUint32(at, true)), [table.id, 1]);
      const long = [16, 24, 32, 40].map((at) => view.getBigUint64(at, true));
      equal(long, [0x12000n, 8n * PAGE, PAGE, TARGET.address]);
      table.readDirty({ iova: 0x12000n, size: 8n * PAGE }, TARGET);
      const taken = new DataView(last.get("IOMMU_HWPT_GET_DIRTY_BITMAP")!.buffer);
      equal(taken.getUint32(8, true), 0);
    });
  });

  it("refuses what the kernel would answer with success and no bits", () => {
    scene((table) => {
      const range = { iova: 0x10000n, size: 8n * PAGE };
      throws(() => table.readDirty(range, TARGET), ReferenceError, "tracking is off");
      table.setDirtyTracking(true);
      equal(table.isTracking, true);
      const cases: readonly [bigint, bigint, string][] = [
        [0x10000n, 17n * PAGE, "nothing is at iova 0x20000"],
        [0xf000n, 2n * PAGE, "nothing is at iova 0xf000"],
        [0x30000n, PAGE, "nothing is at iova 0x30000"],
        [0x10800n, PAGE, "iova must be a multiple of 0x1000"],
        [0x10000n, 0x800n, "size must be a multiple of 0x1000"],
        [0x10000n, 0n, "a size above 0"],
        [(1n << 64n) - PAGE, 2n * PAGE, "ends at 2^64 or below"],
      ];
      for (const [iova, size, text] of cases) {
        throws(() => table.readDirty({ iova, size }, TARGET), RangeError, text);
      }
      const small = { address: 0n, size: 1 };
      throws(
        () => table.readDirty({ iova: 0x10000n, size: 9n * PAGE }, small),
        RangeError,
        "takes 2 bytes; the target has 1",
      );
      for (const pageSize of [0n, -4096n, 3n * PAGE]) {
        throws(() => table.readDirty(range, TARGET, { pageSize }), RangeError, "power of two");
      }
      const large = { pageSize: 1n << 20n };
      throws(() => table.readDirty(range, TARGET, large), RangeError, "multiple of 0x100000");
      table.setDirtyTracking(false);
      throws(() => table.readDirty(range, TARGET), ReferenceError, "tracking is off");
    });
  });

  it("says what is wrong with the page table", () => {
    scene((table) => {
      table.setDirtyTracking(true);
      const read = (): void => table.readDirty({ iova: 0x10000n, size: PAGE }, TARGET);
      throws(read, VfioError, "no such page table");
      equal(table.isTracking, true);
    }, { IOMMU_HWPT_GET_DIRTY_BITMAP: 2 });
    scene((table) => {
      throws(() => table.setDirtyTracking(true), VfioError, "EIO (5)");
      equal(table.isTracking, false);
    }, { IOMMU_HWPT_SET_DIRTY_TRACKING: 5 });
  });

  it("is gone once", () => {
    scene((table, { asked }) => {
      equal([table.tracksDirty, table.ioas.id], [true, table.id - 1]);
      asked.length = 0;
      table[Symbol.dispose]();
      table[Symbol.dispose]();
      equal(asked, ["IOMMU_DESTROY"]);
      throws(() => table.readDirty({ iova: 0x10000n, size: PAGE }, TARGET), ReferenceError, "gone");
    });
  });
});
