import { Container, type DirtyV9, type Kernel, readDirtyV9, VfioError } from "../../mod.ts";
import { ModelKernel } from "../../lib/model/mod.ts";
import { proposal_v9 } from "../../lib/uapi/mod.ts";
import { equal, match, ok, throws } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { failAt } from "../support/failing_kernel.ts";
import { DEVICES, IOVA, MiB, PAGE, PCI, setting } from "../support/proposal.ts";

describe("readDirtyV9", () => {
  const refused =
    /^Cannot read dirty pages by the ABI of the v9 series: .*EOPNOTSUPP \(95\): it never shipped, and its number 0x3b75 now means VFIO_IOMMU_DIRTY_PAGES; /;

  it("asks nothing of a kernel that does not say that it speaks the proposal", () =>
    setting(undefined, ({ container, read }) => {
      const error = throws(() => read(PAGE), VfioError);
      match(error.message, refused);
      using tracker = container.trackDirty();
      equal([...tracker.runs()].length, 0);
    }));

  it("believes nothing that calls itself linux", () => {
    class Impostor extends ModelKernel {
      requests = 0;
      override ioctlBuffer(fd: number, request: number, argument: Uint8Array): number {
        if (request === proposal_v9.VFIO_IOMMU_GET_DIRTY_BITMAP) this.requests += 1;
        return super.ioctlBuffer(fd, request, argument);
      }
    }
    const model = new Impostor({ proposal: {} });
    const kernel: Kernel = new Proxy(model, {
      get(target, key): unknown {
        if (key === "name") return "linux";
        const member: unknown = Reflect.get(target, key, target);
        return typeof member === "function" ? member.bind(target) : member;
      },
    });
    using container = Container.open({ kernel });
    using _group = container.attach(PCI);
    using memory = container.allocate(PAGE);
    using _mapping = container.map(memory, { iova: IOVA });
    const request = { iova: IOVA, size: PAGE };
    match(throws(() => readDirtyV9(container, request), VfioError).message, refused);
    equal(model.requests, 0);
    equal(readDirtyV9(container, { ...request, force: true }).pageSize, undefined);
    equal(model.requests, 1);
  });

  it("forced on the ABI that shipped, is refused by it, and changes nothing there", () =>
    setting(undefined, ({ container, driver }) => {
      using tracker = container.trackDirty();
      equal(driver.pin(IOVA, 1), 1);
      const request = { iova: IOVA, size: PAGE, force: true };
      const error = throws(() => readDirtyV9(container, request), VfioError);
      equal([error.code, error.operation], ["EINVAL", "VFIO_IOMMU_GET_DIRTY_BITMAP"]);
      match(error.message, /the number means VFIO_IOMMU_DIRTY_PAGES to a kernel without/);
      equal([...tracker.runs()].map(({ pages }) => pages), [1]);
    }));

  it("refuses arguments before the kernel is asked", () =>
    setting({}, ({ container }) => {
      const read = (request: object): DirtyV9 =>
        readDirtyV9(container, { iova: IOVA, size: PAGE, ...request });
      throws(
        () => read({ iova: 4096 }),
        TypeError,
        "iova must be a bigint, as 0x1000n; got the number 4096",
      );
      throws(() => read({ size: -1n }), RangeError, "size must be at least 0");
      throws(() => read({ iova: 1n << 64n }), RangeError, "below 2^64; got 18446744073709551616");
      throws(() => read({ bitmapBytes: 1.5 }), RangeError, "whole number of at least 0; got 1.5");
      throws(
        () => read({ bitmapBytes: 8n }),
        TypeError,
        "bitmapBytes must be a number; got bigint",
      );
      throws(() => read({ bitmapBytes: 2 ** 28 + 1 }), RangeError, "at most 256 MiB");
      throws(() => read({ size: (1n << 43n) + PAGE }), RangeError, "at most 256 MiB");
    }));

  it("tells the rule behind a refusal, and gives its memory back", () =>
    setting({}, ({ kernel, container, read }) => {
      const before = kernel.openMappings;
      const cases: readonly [() => DirtyV9, string][] = [
        [() => read(0n, 8), "the size must be more than 0; got 0"],
        [() => read(128n * MiB, 8), "the bitmap needs 4096 bytes for 32768 pages; got 8"],
        [() => read(PAGE, 0), "bitmap_size must be more than 0; got 0"],
        [
          () => read(PAGE, 8, 1n),
          "iova must be a multiple of the page size 0x1000; got 0x100000001",
        ],
        [() => read(PAGE + 1n), "size must be a multiple of the page size 0x1000; got 0x1001"],
        [() => read(2n * PAGE, 8, 128n * MiB - PAGE), "must lie inside one mapping"],
        [() => readDirtyV9(container, { iova: 0n, size: PAGE }), "must lie inside one mapping"],
        [
          () => readDirtyV9(container, { iova: (1n << 64n) - PAGE, size: 2n * PAGE }),
          "goes beyond 2^64",
        ],
      ];
      for (const [body, text] of cases) {
        equal(throws(body, VfioError, text).code, "EINVAL");
        equal(kernel.openMappings, before);
      }
    }));

  it("is refused by a v1 container", () => {
    using container = Container.open({
      kernel: new ModelKernel({ devices: DEVICES, proposal: {} }),
      type: "v1",
    });
    using _group = container.attach(PCI);
    const error = throws(() => readDirtyV9(container, { iova: 0n, size: PAGE }), VfioError);
    equal(error.code, "EACCES");
    match(error.message, /open it with type v2/);
  });

  it("leaves nothing behind when its memory or its request fails", () => {
    const inner = new ModelKernel({ devices: DEVICES, proposal: {} });
    const calls = (failing: number): number => {
      const { kernel, calls } = failAt(inner, failing);
      try {
        using container = Container.open({ kernel });
        using _group = container.attach(PCI);
        using memory = container.allocate(PAGE);
        using _mapping = container.map(memory, { iova: 0n });
        readDirtyV9(container, { iova: 0n, size: PAGE });
      } catch (error) {
        if (!(error instanceof VfioError)) throw error;
      }
      equal([inner.openFiles, inner.openMappings], [0, 0], `call ${failing}`);
      return calls();
    };
    const all = calls(-1);
    ok(all > 10, `only ${all} calls were counted`);
    for (let failing = 1; failing <= all; failing += 1) calls(failing);
  });
});
