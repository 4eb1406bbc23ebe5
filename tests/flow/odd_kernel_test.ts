import { Container, type Kernel, PartialUnmapError, VfioError } from "../../mod.ts";
import { DEFAULT_MDEV, DEFAULT_SCENE, ModelKernel } from "../../lib/model/mod.ts";
import {
  VFIO_IOMMU_DIRTY_PAGES,
  VFIO_IOMMU_GET_INFO,
  vfio_iommu_type1_dma_unmap,
  vfio_iommu_type1_info,
  VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL,
  vfio_iommu_type1_info_dma_avail,
  VFIO_IOMMU_UNMAP_DMA,
} from "../../lib/uapi/mod.ts";
import { equal, throws } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";

const PCI = "0000:00:10.0";

/** A model whose answer to one request is changed by `alter`. */
class OddKernel extends ModelKernel {
  readonly #request: number;
  readonly #alter: (argument: Uint8Array) => number;

  constructor(request: number, alter: (argument: Uint8Array) => number) {
    super();
    this.#request = request;
    this.#alter = alter;
  }

  override ioctlBuffer(fd: number, request: number, argument: Uint8Array): number {
    const result = super.ioctlBuffer(fd, request, argument);
    return request === this.#request && result === 0 ? this.#alter(argument) : result;
  }
}

function opened(kernel: Kernel, body: (container: Container) => void): void {
  using container = Container.open({ kernel });
  using _group = container.attach(PCI);
  body(container);
}

describe("a kernel that unmaps less than it was asked for", () => {
  it("is reported with both figures, and the mapping is not forgotten", () => {
    let short = false;
    const kernel = new OddKernel(VFIO_IOMMU_UNMAP_DMA, (argument) => {
      if (short) vfio_iommu_type1_dma_unmap.over(argument).fields.size = 4096n;
      return 0;
    });
    using memory = Container.open({ kernel }).allocate(1n << 20n);
    opened(kernel, (container) => {
      const mapping = container.map(memory);
      short = true;
      const text = "the kernel removed 0x1000 bytes of 0x100000";
      throws(() => mapping[Symbol.dispose](), PartialUnmapError, text);
      equal(mapping.isMapped, true);
      short = false;
      throws(() => memory.free(), ReferenceError, "still mapped for a device");
      container.groups[0]?.[Symbol.dispose]();
      equal(mapping.isMapped, false);
    });
  });
});

describe("a container whose device was removed", () => {
  it("is told from one that another user changed", () => {
    // As Linux answers then: see tests/kernel/vendor/gone_test.ts.
    const lost = new Set<number>();
    const kernel = new class extends ModelKernel {
      override ioctlBuffer(fd: number, request: number, argument: Uint8Array): number {
        return lost.has(request) ? -22 : super.ioctlBuffer(fd, request, argument);
      }
    }();
    opened(kernel, (container) => {
      using memory = container.allocate(1n << 20n);
      using _mapping = container.map(memory);
      using tracker = container.trackDirty();
      const read = (): unknown => [...tracker.drain()];
      lost.add(VFIO_IOMMU_DIRTY_PAGES);
      throws(read, VfioError, "another user of the container stopped its tracking");
      lost.add(VFIO_IOMMU_GET_INFO);
      const error = throws(read, VfioError, "the last device of the container was removed, or");
      equal((error as VfioError).details["gone"], true);
      lost.clear();
    });
  });
});

describe("the last page below 2^64", () => {
  it("is said to be what this kernel can neither read nor unmap, as no IOMMU refuses it", () => {
    const kernel = new ModelKernel();
    using container = Container.open({ kernel });
    using group = container.attach(DEFAULT_MDEV);
    using memory = container.allocate(4096n);
    const mapping = container.map(memory, { iova: (1n << 64n) - 4096n });
    using tracker = container.trackDirty();
    throws(() => [...tracker.drain()], VfioError, "cannot read the last page below 2^64: end");
    const text = "0x0 bytes of 0x1000: before v6.18 it cannot unmap the last page below 2^64";
    throws(() => mapping[Symbol.dispose](), PartialUnmapError, text);
    tracker[Symbol.dispose]();
    group[Symbol.dispose]();
    equal(mapping.isMapped, false);
  });
});

describe("iommufd behind /dev/vfio/vfio", () => {
  it("is recognised, and refused for dirty pages by name", () => {
    const kernel = new OddKernel(VFIO_IOMMU_GET_INFO, (argument) => {
      const { fields } = vfio_iommu_type1_info.over(argument);
      if (fields.cap_offset === 0) return 0;
      const capability = vfio_iommu_type1_info_dma_avail.over(argument.subarray(24)).fields;
      capability.header.id = VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL;
      capability.header.next = 0;
      capability.avail = 0xffff_ffff;
      return 0;
    });
    opened(kernel, (container) => {
      equal(container.info().backend, "iommufd-compat");
      equal(container.info().dmaAvailable, undefined);
      const error = throws(() => container.trackDirty(), VfioError, "iommufd's compatibility");
      equal(error.code, "ENOTTY");
    });
  });
});

describe("a corrupted capability chain", () => {
  const corrupt = (change: (argument: Uint8Array) => void): Kernel =>
    new OddKernel(VFIO_IOMMU_GET_INFO, (argument) => {
      if (vfio_iommu_type1_info.over(argument).fields.cap_offset !== 0) change(argument);
      return 0;
    });
  const next = (argument: Uint8Array, value: number): void =>
    new DataView(argument.buffer).setUint32(24 + 4, value, true);

  it("cannot loop or read outside its buffer, and leaves nothing", () => {
    for (const value of [24, 23, 4, 0x1000, 0xffff_fff8]) {
      const kernel = corrupt((argument) => next(argument, value));
      using container = Container.open({ kernel });
      throws(() => container.attach(PCI), RangeError);
      equal((kernel as ModelKernel).openFiles, 1);
    }
  });

  it("that asks for ever more room ends in a sentence", () => {
    const kernel = new OddKernel(VFIO_IOMMU_GET_INFO, (argument) => {
      vfio_iommu_type1_info.over(argument).fields.argsz = argument.length + 8;
      return 0;
    });
    using container = Container.open({ kernel });
    throws(() => container.attach(PCI), VfioError, "ever more room");
  });
});

describe("no-IOMMU mode", () => {
  it("is refused by name", () => {
    const devices = DEFAULT_SCENE.devices.map((device) =>
      device.kind === "pci" && device.name === PCI ? { ...device, noIommu: true } : device
    );
    using container = Container.open({ kernel: new ModelKernel({ devices }) });
    throws(() => container.attach(PCI), VfioError, "no-IOMMU mode");
  });
});
