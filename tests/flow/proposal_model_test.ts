import { Container, readDirtyV9, VfioError } from "../../mod.ts";
import { DEFAULT_MDEV, ModelKernel, type ProposalV9, type SceneMdev } from "../../lib/model/mod.ts";
import {
  dma_unmap_with_bitmap_request,
  proposal_v9,
  VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP,
  VFIO_IOMMU_DIRTY_PAGES_FLAG_START,
  vfio_iommu_type1_dirty_bitmap,
} from "../../lib/uapi/mod.ts";
import { equal, throws } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import {
  ALONE,
  ANY,
  bits,
  INFERRED,
  IOVA,
  MiB,
  PAGE,
  PAIR,
  PCI,
  setting,
} from "../support/proposal.ts";

describe("the model that speaks the proposal", () => {
  it("validates bitmap_size, in words or in bytes", () => {
    setting({}, ({ driver, read }) => {
      equal(driver.pin(IOVA + 3n * PAGE, 2), 2);
      throws(() => read(PAGE, 1), VfioError, "the bitmap needs 8 bytes for 1 pages; got 1");
      equal(bits(read(PAGE, 8)), []);
      equal(bits(read(8n * PAGE, 8)), [3, 4]);
      equal(bits(read(8n * PAGE, 16)), [3, 4], "more room than is needed");
      equal(bits(read(2n * PAGE, 8, 3n * PAGE)), [0, 1], "a cut mapping: bit 0 is at iova");
      equal(bits(read(2n * PAGE, 8, 4n * PAGE)), [0]);
      equal(read(128n * MiB).bitmap.length, 4096);
    });
    setting({ unit: "bytes" }, ({ driver, read }) => {
      equal(driver.pin(IOVA, 1), 1);
      equal(read(PAGE, 1).bitmap, new Uint8Array([1]));
      throws(() => read(9n * PAGE, 1), VfioError, "the bitmap needs 2 bytes for 9 pages; got 1");
      equal(read(9n * PAGE, 2).bitmap, new Uint8Array([1, 0]));
    });
  });

  it("ignores bitmap_size, and writes behind what it was told, into room that is ours", () => {
    setting({ bitmapSize: "ignored" }, ({ driver, read }) => {
      equal(driver.pin(IOVA + 127n * MiB, 1), 1);
      const small = read(128n * MiB, 8);
      equal([small.bitmap.length, small.count, small.overrun], [8, 0, 4088]);
      equal(read(PAGE, 0).overrun, 8);
      equal(read(PAGE, 1).overrun, 7);
      equal(read(PAGE, 8).overrun, 0);
      equal(bits(read(128n * MiB, 4096)), [127 * 256]);
    });
    setting({ bitmapSize: "ignored" }, ({ container }) => {
      using memory = container.allocate(1024n * MiB);
      using _mapping = container.map(memory, { iova: 0n });
      const request = { iova: 0n, size: memory.size, bitmapBytes: 8 };
      equal(readDirtyV9(container, request).overrun, 32760, "more than the guard behind it");
    });
    setting({ bitmapSize: "ignored", unit: "bytes" }, ({ read }) => {
      equal([read(PAGE, 0).overrun, read(PAGE, 1).overrun], [1, 0]);
      equal(read(9n * PAGE, 1).overrun, 1);
    });
  });

  it("infers coarser pages, of which one is dirty if a part of it is", () =>
    setting(INFERRED, ({ driver, read }) => {
      equal(driver.pin(IOVA + 2n * MiB - PAGE, 2), 2);
      equal(driver.pin(IOVA + 128n * MiB - PAGE, 1), 1);
      const whole = read(128n * MiB, 8);
      equal([whole.pageSize, bits(whole)], [2n * MiB, [0, 1, 63]]);
      equal(bits(read(128n * MiB, 1)), [0, 7]);
      equal(bits(read(4n * MiB, 1, MiB)), [1, 2], "bits count from iova");
      const odd = read(100n * MiB, 8);
      equal([odd.pageSize, bits(odd), odd.overrun], [2n * MiB, [0, 1], 0]);
    }));

  it("infers no page below the smallest of the IOMMU, or any", () => {
    setting(INFERRED, ({ driver, read }) => {
      equal(driver.pin(IOVA, 1), 1);
      for (const bytes of [1, 8]) {
        const { pageSize, bitmap } = read(PAGE, bytes);
        equal([pageSize, [...bitmap]], [PAGE, [1, ...Array(bytes - 1).fill(0)]]);
      }
    });
    setting(ANY, ({ driver, read }) => {
      equal(driver.pin(IOVA + PAGE, 1), 1);
      equal([read(PAGE, 1).pageSize, read(PAGE, 1).count], [512n, 0]);
      equal(bits(read(PAGE, 1, PAGE)), [0, 1, 2, 3, 4, 5, 6, 7]);
      equal([read(PAGE, 8, PAGE).pageSize, read(PAGE, 8, PAGE).count], [64n, 64]);
      equal(bits(read(PAGE, 1, PAGE / 2n)), [4, 5, 6, 7], "half of it lies on the pinned page");
      throws(() => read(PAGE, 1, 1n), VfioError, "page size 0x200; got 0x100000001");
    });
    setting({ ...ANY, unit: "u64" }, ({ read }) => {
      throws(() => read(PAGE, 1), VfioError, "bitmap_size must be a multiple of 8; got 1");
      equal(read(PAGE, 8).pageSize, 64n);
    });
  });

  it("reports what is pinned now, starts nothing and clears nothing", () =>
    setting({}, ({ driver, read }) => {
      equal(driver.pin(IOVA, 2), 2);
      equal([bits(read(MiB)), bits(read(MiB))], [[0, 1], [0, 1]]);
      equal(driver.write(IOVA + 5n * PAGE, new Uint8Array(1)), 0);
      driver.unpin(IOVA, 1);
      equal(bits(read(MiB)), [1]);
    }));

  it("lets a first pin declare the scope of a singleton group, of all groups, or never", () => {
    const everything = 32768;
    const counts = (scope: ProposalV9["scope"], name: string): number[] => {
      const found: number[] = [];
      setting({ scope }, ({ driver, read }) => {
        found.push(read(128n * MiB).count, driver.pin(IOVA, 1), read(128n * MiB).count);
      }, name);
      return found;
    };
    equal(counts("singleton", ALONE), [everything, 1, 1]);
    equal(counts("singleton", PAIR), [everything, -22, everything]);
    equal(counts("all", ALONE), [everything, 1, 1]);
    equal(counts("all", PAIR), [everything, 1, 1]);
    equal(counts("never", ALONE), [everything, 1, everything]);
    equal(counts("never", PAIR), [everything, 1, everything]);
    for (const scope of ["singleton", "all", "never"] as const) {
      equal(counts(scope, DEFAULT_MDEV), [0, 1, 1], "no IOMMU, so nothing to declare");
    }
  });

  it("is all dirty while one group of the container has not declared its scope", () =>
    setting({}, ({ container, driver, read }) => {
      equal(driver.pin(IOVA, 1), 1);
      equal(read(MiB).count, 1);
      {
        using _plain = container.attach(PCI);
        equal(read(MiB).count, 256);
      }
      equal(read(MiB).count, 1, "and nothing is kept of it");
    }));

  it("lets a device work when it is read anew after a wait", async () => {
    let rounds = 0;
    const devices: SceneMdev[] = [
      { kind: "mdev", name: DEFAULT_MDEV, group: 1, workload: () => rounds += 1 },
    ];
    using container = Container.open({ kernel: new ModelKernel({ devices, proposal: {} }) });
    using group = container.attach(DEFAULT_MDEV);
    using _device = group.device();
    using memory = container.allocate(PAGE);
    using _mapping = container.map(memory, { iova: 0n });
    readDirtyV9(container, { iova: 0n, size: PAGE });
    readDirtyV9(container, { iova: 0n, size: PAGE });
    equal(rounds, 1);
    await Promise.resolve();
    readDirtyV9(container, { iova: 0n, size: PAGE });
    equal(rounds, 2);
  });

  it("does not speak what shipped: no capability, no START, no bitmap on unmap", () =>
    setting({}, ({ container }) => {
      equal(container.info().migration, undefined);
      equal(container.info().dmaAvailable !== undefined, true);
      const error = throws(() => container.trackDirty(), VfioError, "no MIGRATION capability");
      equal(error.code, "ENOTTY");
      const start = vfio_iommu_type1_dirty_bitmap.create(40);
      start.fields.argsz = 8;
      start.fields.flags = VFIO_IOMMU_DIRTY_PAGES_FLAG_START;
      equal(container.rawIoctl(proposal_v9.VFIO_IOMMU_GET_DIRTY_BITMAP, start.bytes), -22);
      const { fields, bytes } = dma_unmap_with_bitmap_request.create();
      fields.argsz = 48;
      fields.flags = VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP;
      fields.iova = IOVA;
      fields.size = 128n * MiB;
      fields.pgsize = PAGE;
      fields.bitmap_size = 4096n;
      equal(container.rawIoctl(0x3b72, bytes), -22);
      equal(container.rawIoctl(proposal_v9.VFIO_IOMMU_UNMAP_DMA_GET_BITMAP, bytes), -25);
    }));

  it("faults on a struct, or a bitmap, that is not there, however long it is said to be", () =>
    setting({}, ({ container }) => {
      const { VFIO_IOMMU_GET_DIRTY_BITMAP: number, vfio_iommu_type1_dirty_bitmap: layout } =
        proposal_v9;
      const ask = (change: { argsz?: number; bitmap_size?: bigint; flags?: number }): number => {
        const { fields, bytes } = layout.create();
        Object.assign(fields, { argsz: 40, iova: IOVA, size: PAGE, bitmap_size: 8n, ...change });
        return container.rawIoctl(number, bytes);
      };
      equal(ask({}), -14, "a bitmap at 0");
      equal(ask({ bitmap_size: 1n << 62n }), -14);
      equal(ask({ flags: 7 }), -14, "flags were not looked at");
      equal(ask({ argsz: 39 }), -22);
      equal(container.rawIoctl(number, layout.create().bytes.subarray(0, 39)), -14);
      equal(container.rawIoctl(number), -14);
    }));
});
