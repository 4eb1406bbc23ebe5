/** Memory accounts on the model, by process: who pays, for how much, and whose limit counts. */

import { Container } from "../../mod.ts";
import { LAB_SCENE, ModelKernel, type Scene } from "../../lib/model/mod.ts";
import { MAP_SHARED, PROT_READ, PROT_WRITE } from "../../lib/sys/constant.ts";
import { readText } from "../../lib/sys/text.ts";
import { rawMap, rawUnmap } from "../kernel/vendor/raw_ioctl.ts";
import { code, PINS, VFIO_PCI } from "../kernel/vendor/scene.ts";
import { VendorDevice } from "../kernel/vendor/vendor_device.ts";
import { equal } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";

const PAGE = 4096n;
const LOW = 0x100_0000n;
const pages = (count: number): bigint => BigInt(count) * PAGE;
const scene = (more: Partial<Scene> = {}): ModelKernel =>
  new ModelKernel({ ...LAB_SCENE, ...more });

/** VmLck of the kernel's process, in pages. */
function locked(kernel: ModelKernel): number {
  const text = readText(kernel, "/proc/self/status");
  return Number(/^VmLck:\s*(\d+) kB$/m.exec(String(text))?.[1]) / 4;
}

describe("memory accounts of the model", () => {
  it("let exactly the limit be locked", () => {
    const kernel = scene({ ipcLock: false, memlock: pages(64) });
    using container = Container.open({ kernel });
    using _group = container.attach(VFIO_PCI);
    using memory = container.allocate(pages(65));
    const map = (iova: bigint, size: bigint): string =>
      rawMap(container, { iova, size, vaddr: memory.address });
    equal(map(LOW, pages(65)), "ENOMEM");
    equal(locked(kernel), 0);
    equal(map(LOW, pages(64)), "OK");
    equal(map(LOW + pages(64), PAGE), "ENOMEM");
    equal(rawUnmap(container, { iova: LOW, size: pages(64) }).answer, "OK");
    kernel.lock(PAGE);
    equal(map(LOW, pages(64)), "ENOMEM", "one page that was locked otherwise counts");
  });

  it("count the same memory in two containers, and at two addresses, twice", () => {
    const kernel = scene();
    using one = Container.open({ kernel });
    using two = Container.open({ kernel });
    using _first = one.attach(VFIO_PCI);
    using _second = two.attach("0000:00:11.0");
    using memory = one.allocate(pages(64));
    const range = { size: pages(64), vaddr: memory.address };
    equal(rawMap(one, { ...range, iova: LOW }), "OK");
    equal(locked(kernel), 64);
    equal(rawMap(two, { ...range, iova: LOW }), "OK");
    equal(locked(kernel), 128);
    equal(rawMap(one, { ...range, iova: LOW + pages(64) }), "OK");
    equal(locked(kernel), 192);
  });

  it("meet the limit at the pin where there is no IOMMU", () => {
    const kernel = scene({ ipcLock: false, memlock: pages(4) });
    using container = Container.open({ kernel });
    using group = container.attach(PINS);
    using memory = container.allocate(pages(64));
    using _mapping = container.map(memory, { iova: LOW });
    using vendor = new VendorDevice(group);
    vendor.pin(LOW, 4);
    equal([locked(kernel), code(() => vendor.pin(LOW + pages(4)))], [4, "ENOMEM"]);
    vendor.pin(LOW, 4); // the same pages are paid already
    equal(code(() => container.attach(VFIO_PCI)), "ENOMEM");
    equal(locked(kernel), 4);
  });

  it("lock all that is mapped while an IOMMU is there, and what is pinned only once", () => {
    const kernel = scene();
    using container = Container.open({ kernel });
    using group = container.attach(PINS);
    using large = container.allocate(1n << 20n);
    using small = container.allocate(pages(16));
    using _one = container.map(large, { iova: LOW });
    using _two = container.map(small, { iova: LOW * 2n, access: "r" });
    using vendor = new VendorDevice(group);
    vendor.pin(LOW, 5);
    equal(locked(kernel), 5);
    const pci = container.attach(VFIO_PCI);
    equal(locked(kernel), 272);
    vendor.pin(LOW + pages(5), 1);
    vendor.unpin(LOW, 1);
    equal(locked(kernel), 272);
    pci[Symbol.dispose]();
    equal(locked(kernel), 5);
  });

  it("stand by process: an unmap of the child gives back what the parent pays", () => {
    const parent = scene();
    using container = Container.open({ kernel: parent });
    using _group = container.attach(VFIO_PCI);
    using memory = container.allocate(pages(8));
    const range = { iova: LOW, size: pages(8), vaddr: memory.address };
    equal(rawMap(container, range), "OK");
    const child = parent.fork();
    equal([locked(parent), locked(child)], [8, 0]);
    const asChild = through(child);
    equal(rawUnmap(asChild, range).answer, "OK");
    equal([locked(parent), locked(child)], [0, 0]);
    equal(rawMap(asChild, range), "OK");
    equal([locked(parent), locked(child)], [0, 8]);
    equal(rawUnmap(container, range).answer, "OK");
    equal([locked(parent), locked(child)], [0, 0]);
  });

  it("remember whether the limit counted when a mapping was made", () => {
    const kernel = scene({ memlock: pages(2) });
    using container = Container.open({ kernel });
    using group = container.attach(PINS);
    using memory = container.allocate(pages(8));
    const range = { size: pages(8), vaddr: memory.address };
    equal(rawMap(container, { ...range, iova: LOW }), "OK");
    kernel.ipcLock = false;
    equal(rawMap(container, { ...range, iova: LOW * 2n }), "OK");
    using vendor = new VendorDevice(group);
    vendor.pin(LOW, 8);
    equal(code(() => vendor.pin(LOW * 2n)), "ENOMEM");
  });

  it("do not count a device's registers", () => {
    const kernel = scene();
    using container = Container.open({ kernel });
    using group = container.attach(VFIO_PCI);
    using device = group.device();
    const { offset } = device.region(0).info;
    const vaddr = BigInt(
      kernel.mmap(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, device.fd, offset),
    );
    equal(rawMap(container, { iova: LOW, size: PAGE, vaddr }), "OK");
    equal(locked(kernel), 0);
    equal(kernel.munmap(vaddr, PAGE), 0);
  });
});

/** The container as a child uses it: one of the descriptors that it has from its parent. */
function through(child: ModelKernel): Container {
  const names = child.list("/proc/self/fd");
  const isContainer = (fd: string): boolean =>
    child.readlink(`/proc/self/fd/${fd}`) === "/dev/vfio/vfio";
  const fd = Number(Array.isArray(names) ? names.find(isContainer) : undefined);
  const rawIoctl = (request: number, bytes: Uint8Array): number =>
    child.ioctlBuffer(fd, request, bytes);
  return { rawKernel: child, rawIoctl } as unknown as Container;
}
