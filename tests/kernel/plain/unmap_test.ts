/** Unmapping with the library: bits, accounts, and what it says where the kernel did otherwise. */
import { Container, PartialUnmapError } from "../../../mod.ts";
import { vfio_iommu_type1_dma_unmap, VFIO_IOMMU_UNMAP_DMA } from "../../../lib/uapi/mod.ts";
import { equal, ok, throws } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { EDU, LOW, MiB, PAGE } from "../support/machine.ts";
import { must } from "../support/raw.ts";

/** Unmaps behind the library's back. */
function steal(container: Container, iova: bigint, size: bigint): void {
  const request = vfio_iommu_type1_dma_unmap.create();
  Object.assign(request.fields, { argsz: 24, flags: 0, iova, size });
  must(container.rawIoctl(VFIO_IOMMU_UNMAP_DMA, request.bytes), "UNMAP");
  equal(request.fields.size, size);
}

describe("unmapping", () => {
  it("with its bits: a window of its own, which later reads leave alone", () => {
    using container = Container.open();
    using _group = container.attach(EDU);
    using memory = container.allocate(MiB);
    const mapping = container.map(memory, { iova: LOW, size: 70n * PAGE });
    using _other = container.map(memory, { iova: LOW + MiB, size: PAGE });
    using tracker = container.trackDirty();
    const window = mapping.unmapWithBitmap();
    equal([...tracker.runs()].length, 1, "the other mapping only");
    ok(window.isCurrent);
    equal({ iova: window.iova, size: window.size, label: window.label, count: window.count }, {
      iova: LOW,
      size: 70n * PAGE,
      label: "all-mapped",
      count: 70,
    });
    throws(() => mapping.unmapWithBitmap(), ReferenceError, "gone already");
  });

  it("with its bits needs tracking, and says so before any request", () => {
    using container = Container.open();
    using _group = container.attach(EDU);
    using memory = container.allocate(MiB);
    using mapping = container.map(memory, { iova: LOW });
    throws(() => mapping.unmapWithBitmap(), ReferenceError, "tracking is off");
    equal(mapping.isMapped, true);
  });

  it("everything at once, and the memory may go", () => {
    using container = Container.open();
    using _group = container.attach(EDU);
    const before = container.pins();
    const memory = container.allocate(MiB);
    for (let i = 0n; i < 10n; i += 1n) {
      container.map(memory, { iova: LOW + i * 2n * MiB, size: (i + 1n) * PAGE });
    }
    using tracker = container.trackDirty();
    equal(container.pins().since(before), {
      locked: 55n * PAGE,
      pinned: 0n,
      dmaAvailable: -10,
    });
    equal(container.unmapAll(), 55n * PAGE);
    equal(container.pins().since(before), { locked: 0n, pinned: 0n, dmaAvailable: 0 });
    equal(container.mappings, []);
    equal([...tracker.runs()], []);
    memory[Symbol.dispose]();
    equal(container.unmapAll(), 0n);
  });

  it("tells when the kernel removed less", () => {
    using container = Container.open();
    const group = container.attach(EDU);
    using memory = container.allocate(MiB);
    const mapping = container.map(memory, { iova: LOW });
    steal(container, LOW, MiB);
    const error = throws(
      () => mapping[Symbol.dispose](),
      PartialUnmapError,
      "Cannot unmap 1 MiB at iova 0x1000000: VFIO_IOMMU_UNMAP_DMA failed with ENOENT (2): " +
        "the kernel removed 0x0 bytes of 0x100000",
    );
    equal(error.details, { wanted: MiB, removed: 0n });
    group[Symbol.dispose](); // the kernel has nothing of it any more, so the memory may go
    equal(mapping.isMapped, false);
  });

  it("tells when the kernel removed less with ALL", () => {
    using container = Container.open();
    using _group = container.attach(EDU);
    using memory = container.allocate(MiB);
    container.map(memory, { iova: LOW, size: PAGE });
    container.map(memory, { iova: LOW + MiB, size: PAGE });
    steal(container, LOW, PAGE);
    throws(() => container.unmapAll(), PartialUnmapError, "removed 0x1000 bytes of 0x2000");
    equal(container.mappings, [], "nothing is mapped, whatever was expected");
  });

  it("on a v1 container, which has no dirty pages", () => {
    using container = Container.open({ type: "v1" });
    using _group = container.attach(EDU);
    const before = container.pins();
    using memory = container.allocate(MiB);
    {
      using _mapping = container.map(memory, { iova: LOW });
      equal(container.pins().since(before).locked, MiB);
    }
    equal(container.pins().since(before).locked, 0n);
    using _again = container.map(memory, { iova: LOW });
    equal(container.unmapAll(), MiB);
  });
});
