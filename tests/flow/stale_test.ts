/** The kernel's defects with bitmaps, as they were seen on real ones, on the model. */

import { Container } from "../../mod.ts";
import { dirty_bitmap_get_request, VFIO_IOMMU_DIRTY_PAGES } from "../../lib/uapi/mod.ts";
import { LAB_SCENE, ModelKernel } from "../../lib/model/mod.ts";
import { rawMap, rawTracking, rawUnmap, rawWord } from "../kernel/vendor/raw_ioctl.ts";
import { PINS } from "../kernel/vendor/scene.ts";
import { VendorDevice } from "../kernel/vendor/vendor_device.ts";
import { equal } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";

const PAGE = 4096n;
const LOW = 0x100_0000n;
const pages = (count: number): bigint => BigInt(count) * PAGE;
const START = 1;
const STOP = 2;

interface Setting {
  readonly container: Container;
  readonly vendor: VendorDevice;
  /** Writes pages from LOW on, once. */
  write(first: number, count: number): void;
}

/** Mappings of so many pages at those pages from LOW, while tracking is on. */
function setting(
  mappings: readonly (readonly [number, number])[],
  body: (setting: Setting) => void,
): void {
  using stack = new DisposableStack();
  const kernel = new ModelKernel(LAB_SCENE);
  const container = stack.use(Container.open({ kernel }));
  const vendor = stack.use(new VendorDevice(stack.use(container.attach(PINS))));
  for (const [first, count] of mappings) {
    const memory = stack.use(container.allocate(pages(count)));
    const range = { iova: LOW + pages(first), size: pages(count), vaddr: memory.address };
    equal(rawMap(container, range), "OK");
  }
  equal(rawTracking(container, START), "OK");
  body({
    container,
    vendor,
    write: (first, count) => {
      for (let i = 0; i < count; i += 1) vendor.write(LOW + pages(first + i), Uint8Array.of(1));
    },
  });
}

const word = (container: Container, first: number, count: number): string =>
  rawWord(container, { iova: LOW + pages(first), size: pages(count) });

/** GET_BITMAP from LOW on into words that are not zeroed; all of them afterwards. */
function readOver(container: Container, count: number, before: bigint): string[] {
  const kernel = container.rawKernel;
  const memory = kernel.allocate(Math.ceil(count / 64) * 8);
  const view = new BigUint64Array(memory.buffer).fill(before);
  const request = dirty_bitmap_get_request.create();
  const size = pages(count);
  const bitmap_size = BigInt(memory.length);
  Object.assign(request.fields, {
    argsz: 48,
    flags: 4,
    iova: LOW,
    size,
    pgsize: PAGE,
    bitmap_size,
  });
  request.point("data", kernel.addressOf(memory));
  equal(container.rawIoctl(VFIO_IOMMU_DIRTY_PAGES, request.bytes), 0);
  return [...view].map((value) => `0x${value.toString(16)}`);
}

describe("stale bits of the model", () => {
  it("drift on at each shifted read", () =>
    setting([[1, 4], [5, 4]], ({ container, write }) => {
      write(1, 4);
      const read = (): string => word(container, 0, 64);
      equal([read(), read(), read(), read(), read()], [
        "0x1e",
        "0x220",
        "0x4440",
        "0x88880",
        "0x1111100",
      ]);
      equal(word(container, 1, 4), "0x100", "a bit behind the mapping's four pages");
      equal(word(container, 1, 4), "0x100", "an aligned read neither shifts nor clears it");
      equal([rawTracking(container, STOP), rawTracking(container, START)], ["OK", "OK"]);
      equal(read(), "0x0");
    }));

  it("come out of UNMAP too", () =>
    setting([[1, 4]], ({ container, write }) => {
      write(1, 4);
      word(container, 0, 64);
      const kernel = container.rawKernel;
      const bytes = kernel.allocate(8);
      const { address } = kernel.addressOf(bytes);
      const range = { iova: LOW + PAGE, size: pages(4) };
      equal(rawUnmap(container, { ...range, flags: 1, bitmap: address, bitmapSize: 8n }), {
        answer: "OK",
        size: pages(4),
      });
      equal([...bytes], [0x10, 0, 0, 0, 0, 0, 0, 0]);
    }));

  it("come from a buffer that was not zeroed, and poison later reads", () =>
    setting([[1, 2], [70, 2]], ({ container }) => {
      const ones = 0xffff_ffff_ffff_ffffn;
      // Word 0 keeps what was there. So does word 1, which holds the second mapping.
      equal(readOver(container, 256, ones), [
        "0xffffffffffffffff",
        "0xffffffffffffffff",
        "0xffffffffffffffff",
        "0xffffffffffffffff",
      ]);
      equal(readOver(container, 128, 0n), ["0xfffffffffffffff8", "0xffffffffffffff00"]);
    }));

  it("do not arise where each mapping begins at a word", () =>
    setting([[0, 4], [64, 4]], ({ container, write }) => {
      write(0, 1);
      write(65, 1);
      equal(readOver(container, 256, 0xffn), ["0x1", "0x2", "0xff", "0xff"]);
      equal(readOver(container, 256, 0n), ["0x0", "0x0", "0x0", "0x0"]);
    }));
});

describe("a bitmap that cannot be written", () => {
  it("leaves the bits, shifted", () =>
    setting([[1, 1]], ({ container, write }) => {
      write(1, 1);
      const range = { iova: LOW, size: pages(64) };
      const bad = { ...range, flags: 1, bitmap: 0x1000n, bitmapSize: 8n };
      equal(rawUnmap(container, bad), { answer: "EFAULT", size: pages(64) });
      equal(word(container, 0, 64), "0x4");
    }));

  it("stops an UNMAP half-way: what was before is gone, and drivers have been told", () =>
    setting([[0, 4], [64, 4], [128, 4]], ({ container, vendor, write }) => {
      write(64, 2);
      vendor.pin(LOW + pages(64), 1);
      const left = (): number => container.pins().dmaAvailable ?? -1;
      const before = left();
      const kernel = container.rawKernel;
      const page = container.allocate(PAGE);
      // One word fits in front of the end of the memory.
      const bitmap = page.address + PAGE - 8n;
      const range = { iova: LOW, size: pages(192) };
      equal(rawUnmap(container, { ...range, flags: 1, bitmap, bitmapSize: 24n }), {
        answer: "EFAULT",
        size: pages(192),
      });
      equal(left(), before + 1);
      equal(vendor.status().unmaps, 1);
      equal([word(container, 0, 64), word(container, 64, 64)], ["0x0", "0x3"]);
      equal(kernel.name, "model");
      page[Symbol.dispose]();
    }));
});
