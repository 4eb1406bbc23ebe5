/** Large containers on the model cost little: memory and bits that nobody looks at take no room. */

import { Container } from "../../mod.ts";
import { DEFAULT_SCENE, LAB_SCENE, ModelKernel } from "../../lib/model/mod.ts";
import { RawContainer } from "../../lib/conform/container.ts";
import { MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE } from "../../lib/sys/constant.ts";
import { PINS, VFIO_PCI } from "../kernel/vendor/scene.ts";
import { equal, ok } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";

const PAGE = 4096n;
const TiB = 1n << 40n;
const LOW = 1n << 40n;
const { ranges } = DEFAULT_SCENE; // 48 bits

/** Bytes of the heap and of all buffers. */
const memory = (): number => Deno.memoryUsage().heapUsed + Deno.memoryUsage().external;

describe("16 TiB on the model", () => {
  it("are mapped, tracked, read and unmapped", () => {
    const kernel = new ModelKernel({ ...LAB_SCENE, ranges });
    using container = new RawContainer(kernel, { name: VFIO_PCI, group: 5 }, "v2");
    const before = memory();
    const size = 4n * TiB;
    const rights = PROT_READ | PROT_WRITE;
    const vaddr = BigInt(kernel.mmap(size, rights, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0n));
    for (let i = 0n; i < 4n; i += 1n) {
      equal(container.map({ argsz: 32, flags: 3, vaddr, iova: LOW + i * size, size }), 0);
    }
    equal(container.dirtySwitch(1), 0);
    // A page has a bit: 128 MiB for each mapping.
    const bytes = 128n << 20n;
    const address = BigInt(kernel.mmap(bytes, rights, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0n));
    const range = { argsz: 48, flags: 4, pgsize: PAGE, bitmap_size: bytes, data: address };
    equal(container.dirty({ ...range, iova: LOW, size }), 0);
    const bitmap = new BigUint64Array(kernel.viewOf(address, Number(bytes)));
    const all = 0xffff_ffff_ffff_ffffn;
    equal([bitmap[0], bitmap[1 << 20], bitmap.at(-1)], [all, all, all]);
    ok(memory() - before < 600 << 20, `${memory() - before} bytes for a bitmap of 128 MiB`);
    equal(kernel.munmap(address, bytes), 0);
    const unmap = {
      argsz: 24,
      flags: 2,
      iova: 0n,
      size: 0n,
      pgsize: 0n,
      bitmap_size: 0n,
      data: 0n,
    };
    equal(container.unmap(unmap), { result: 0, size: 16n * TiB });
  });

  it("cost what is pinned where there is no IOMMU", () => {
    const kernel = new ModelKernel(LAB_SCENE);
    using container = Container.open({ kernel });
    using group = container.attach(PINS);
    using _device = group.device();
    const before = memory();
    const stack = new DisposableStack();
    for (let i = 0n; i < 16n; i += 1n) {
      const part = stack.use(container.allocate(TiB));
      stack.use(container.map(part, { iova: i * TiB + PAGE }));
    }
    using tracker = container.trackDirty();
    const driver = kernel.vendor(PINS);
    equal(driver.pin(5n * TiB + PAGE, 512), 512);
    equal(driver.write(9n * TiB, Uint8Array.of(1)), 0);
    let pages = 0;
    for (const window of tracker.drain({ maxBitmapBytes: 64 << 20 })) {
      for (const run of window.runs()) pages += run.pages;
    }
    equal(pages, 513);
    ok(memory() - before < 200 << 20, `${memory() - before} bytes`);
    stack.dispose();
  });

  it("has room for every mapping that the limit allows, in any order", () => {
    const entryLimit = 5000;
    const kernel = new ModelKernel({ ...LAB_SCENE, entryLimit });
    using container = new RawContainer(kernel, { name: PINS, group: 8 }, "v2");
    const map = (page: number): number =>
      container.map({ argsz: 32, flags: 3, vaddr: 0n, iova: BigInt(page) * PAGE, size: PAGE });
    for (let i = 0; i < entryLimit; i += 1) equal(map(i * 7919 % entryLimit), 0);
    equal(map(entryLimit), -28, "ENOSPC");
    equal(map(77), -17, "EEXIST");
  });
});
