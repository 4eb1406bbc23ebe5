/** Memory that moves (UNMAP and MAP with VADDR), and containers of version 1, on the model. */

import { Container } from "../../mod.ts";
import { LAB_SCENE, ModelKernel } from "../../lib/model/mod.ts";
import { RawContainer, type Unmapped } from "../../lib/conform/container.ts";
import { MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ } from "../../lib/sys/constant.ts";
import { VFIO_IOMMU_MAP_DMA, vfio_iommu_type1_dma_map } from "../../lib/uapi/mod.ts";
import { answer } from "../kernel/support/raw.ts";
import { rawMap, rawUnmap } from "../kernel/vendor/raw_ioctl.ts";
import { code, PINS, VFIO_PCI } from "../kernel/vendor/scene.ts";
import { equal } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";

const PAGE = 4096n;
const LOW = 0x100_0000n;
const pages = (count: number): bigint => BigInt(count) * PAGE;
const VADDR = 4;
const ALL = 2;

/** MAP with VADDR. */
function give(container: Container, range: { iova: bigint; size: bigint; vaddr: bigint }): string {
  const request = vfio_iommu_type1_dma_map.create();
  Object.assign(request.fields, { argsz: 32, flags: VADDR, ...range });
  return answer(container.rawIoctl(VFIO_IOMMU_MAP_DMA, request.bytes));
}

describe("memory that moves", () => {
  it("loses its address, and gets another one", () => {
    const kernel = new ModelKernel(LAB_SCENE);
    using container = Container.open({ kernel });
    using _group = container.attach(VFIO_PCI);
    using memory = container.allocate(pages(17));
    const range = { iova: LOW, size: pages(16), vaddr: memory.address };
    equal(give(container, range), "ENOENT");
    equal(rawMap(container, range), "OK");
    equal(give(container, range), "EINVAL");
    const take = { ...range, flags: VADDR };
    equal(rawUnmap(container, take), { answer: "OK", size: pages(16) });
    equal(rawUnmap(container, take), { answer: "EINVAL", size: pages(16) }, "it is gone already");
    equal(rawUnmap(container, { iova: 0n, size: 0n, flags: VADDR | ALL }).answer, "EINVAL");
    equal(rawUnmap(container, { ...take, iova: LOW * 2n }), { answer: "OK", size: 0n });
    equal(give(container, { ...range, size: pages(8) }), "EINVAL", "a part of it");
    equal(code(() => container.attach(PINS)), "EBUSY");
    equal(code(() => container.attach("0000:00:11.0")), "EBUSY");
    equal(give(container, { ...range, vaddr: memory.address + PAGE }), "OK");
    using _other = container.attach("0000:00:11.0");
    equal(rawUnmap(container, { iova: 0n, size: 0n, flags: ALL }).size, pages(16));
  });

  it("does not move where a mediated device is in the container", () => {
    const kernel = new ModelKernel(LAB_SCENE);
    using container = Container.open({ kernel });
    using _group = container.attach(PINS);
    equal(rawUnmap(container, { iova: 1n, size: 0n, flags: VADDR }).answer, "EBUSY");
    equal(rawUnmap(container, { iova: 1n, size: 0n, flags: VADDR | 1 }).answer, "EINVAL");
  });

  it("takes what it costs along to the process that gives the address", () => {
    const parent = new ModelKernel(LAB_SCENE);
    using container = Container.open({ kernel: parent });
    using _group = container.attach(VFIO_PCI);
    using memory = container.allocate(pages(4));
    const range = { iova: LOW, size: pages(4), vaddr: memory.address };
    equal(rawMap(container, range), "OK");
    equal(rawUnmap(container, { ...range, flags: VADDR }).answer, "OK");
    const child = parent.fork();
    const fds = child.list("/proc/self/fd");
    const fd = Array.isArray(fds)
      ? fds.find((name) => child.readlink(`/proc/self/fd/${name}`) === "/dev/vfio/vfio")
      : undefined;
    const request = vfio_iommu_type1_dma_map.create();
    Object.assign(request.fields, { argsz: 32, flags: VADDR, ...range });
    equal(child.ioctlBuffer(Number(fd), VFIO_IOMMU_MAP_DMA, request.bytes), 0);
    equal(container.pins().locked, 0n);
  });
});

describe("a container of version 1", () => {
  it("removes what begins in the range, whole, and nothing where it begins inside", () => {
    const kernel = new ModelKernel(LAB_SCENE);
    using container = new RawContainer(kernel, { name: VFIO_PCI, group: 5 }, "v1");
    const size = pages(8);
    const vaddr = BigInt(kernel.mmap(size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0n));
    equal(container.map({ argsz: 32, flags: 1, vaddr, iova: LOW, size }), 0);
    const unmap = (first: number, count: number, flags = 0): Unmapped =>
      container.unmap({
        argsz: 24,
        flags,
        iova: LOW + pages(first),
        size: pages(count),
        pgsize: 0n,
        bitmap_size: 0n,
        data: 0n,
      });
    equal(unmap(2, 2), { result: 0, size: 0n }, "inside");
    equal(unmap(2, 20), { result: 0, size: 0n }, "and beyond its end");
    equal(unmap(0, 1), { result: 0, size }, "its first page");
    equal(unmap(0, 8), { result: 0, size: 0n }, "it is gone");
  });

  it("has no dirty pages, whatever is asked", () => {
    const kernel = new ModelKernel(LAB_SCENE);
    using container = new RawContainer(kernel, { name: VFIO_PCI, group: 5 }, "v1");
    equal([1, 2, 4, 0].map((flags) => container.dirtySwitch(flags)), [-13, -13, -13, -13]);
  });
});
