/** The lab's machine on the model: the driver class of the kernel tests commands both. */

import { Container, VfioError } from "../../mod.ts";
import { LAB_SCENE, ModelKernel } from "../../lib/model/mod.ts";
import { NO_UNMAP, PINS, PINS2, VENDOR_PCI, VFIO_PCI } from "../kernel/vendor/scene.ts";
import { VendorDevice } from "../kernel/vendor/vendor_device.ts";
import { equal, throws } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";

const PAGE = 4096n;
const LOW = 0x100_0000n;
const at = (page: number): bigint => LOW + BigInt(page) * PAGE;

interface Setting {
  readonly container: Container;
  readonly vendor: VendorDevice;
}

/** A container with one device of the vendor driver and 64 pages at LOW. */
function setting(device: string, body: (setting: Setting) => void, access?: "r"): void {
  const kernel = new ModelKernel(LAB_SCENE);
  using container = Container.open({ kernel });
  using group = container.attach(device);
  using memory = container.allocate(64n * PAGE);
  using _mapping = container.map(memory, { iova: LOW, access: access ?? "rw" });
  using vendor = new VendorDevice(group);
  body({ container, vendor });
}

const code = (body: () => unknown): string => throws(body, VfioError).code;
const lockedPages = (container: Container): number => Number(container.pins().locked / PAGE);

for (const device of [PINS, VENDOR_PCI]) {
  describe(`the vendor driver of the model, ${device}`, () => {
    it("pins, counts and gives back", () =>
      setting(device, ({ vendor }) => {
        vendor.pin(at(0), 4);
        vendor.pin(at(2), 1);
        equal(vendor.status(), { pinned: 4, pins: 5, unmaps: 0, returned: 0, log: [] });
        vendor.unpin(at(0), 3);
        equal(vendor.status().pins, 2);
        equal(code(() => vendor.unpin(at(0))), "ENOENT");
      }));

    it("is told of an unmap once, with all of the mapping", () => {
      const kernel = new ModelKernel(LAB_SCENE);
      using container = Container.open({ kernel });
      using group = container.attach(device);
      using vendor = new VendorDevice(group);
      using memory = container.allocate(8n * PAGE);
      using mapping = container.map(memory, { iova: LOW });
      vendor.pin(at(1), 2);
      vendor.pin(at(2));
      mapping[Symbol.dispose]();
      const log = [{ iova: LOW, size: 8n * PAGE }];
      equal(vendor.status(), { pinned: 0, pins: 0, unmaps: 1, returned: 2, log });
      vendor.clear();
      equal(vendor.status().log, []);
    });

    it("writes and reads with the processor, and through a pin", () =>
      setting(device, ({ vendor }) => {
        vendor.write(at(3) + 5n, Uint8Array.of(1, 2, 3));
        equal([...vendor.read(at(3) + 4n, 5)], [0, 1, 2, 3, 0]);
        equal(code(() => vendor.writeThroughPin(at(3), Uint8Array.of(9))), "ENOENT");
        vendor.pin(at(3));
        vendor.writeThroughPin(at(3) + 5n, Uint8Array.of(9));
        equal([...vendor.read(at(3) + 5n, 2)], [9, 2]);
        equal(code(() => vendor.read(at(64), 1)), "EINVAL");
      }));

    it("refuses as the kernel does, in its order", () =>
      setting(device, ({ vendor }) => {
        vendor.pin(at(0), 1);
        equal(code(() => vendor.pin(at(0), 513, { oneCall: true })), "E2BIG");
        equal(code(() => vendor.pin(at(0) + 1n)), "EINVAL");
        equal(code(() => vendor.pin(at(64))), "EINVAL");
        equal(code(() => vendor.pin(at(63), 2)), "EINVAL");
        equal(vendor.status().pins, 1, "a pin that fails half-way is given back");
      }));

    it("writes only where the mapping allows it", () =>
      setting(device, ({ vendor }) => {
        equal(code(() => vendor.pin(at(0))), "EPERM");
        equal(code(() => vendor.write(at(0), Uint8Array.of(1))), "EPERM");
        vendor.pin(at(0), 1, { write: false });
        equal(code(() => vendor.writeThroughPin(at(0), Uint8Array.of(1))), "EPERM");
      }, "r"));
  });
}

describe("the lab's machine on the model", () => {
  it("charges a page once, however often it is pinned, and once for each address", () =>
    setting(PINS, ({ container, vendor }) => {
      vendor.pin(at(0), 4);
      vendor.pin(at(0), 4);
      equal(lockedPages(container), 4);
      using group = container.attach(PINS2);
      using other = new VendorDevice(group);
      other.pin(at(0), 1);
      equal(lockedPages(container), 4);
      other.pin(at(9), 1);
      vendor.unpin(at(0), 4);
      equal(lockedPages(container), 5);
    }));

  it("has a mediated device whose driver may not pin", () =>
    setting(NO_UNMAP, ({ vendor }) => {
      equal(code(() => vendor.pin(at(0))), "EINVAL");
      equal(code(() => vendor.pin(at(0), 513, { oneCall: true })), "EINVAL");
    }));

  it("gives everything back when the last file of a device is closed", () => {
    const kernel = new ModelKernel(LAB_SCENE);
    using container = Container.open({ kernel });
    using group = container.attach(PINS);
    using memory = container.allocate(64n * PAGE);
    using _mapping = container.map(memory, { iova: LOW });
    const one = new VendorDevice(group);
    const two = new VendorDevice(group);
    one.pin(at(0), 3);
    one[Symbol.dispose]();
    equal([two.status().pinned, lockedPages(container)], [3, 3]);
    two[Symbol.dispose]();
    equal(lockedPages(container), 0);
    using again = new VendorDevice(group);
    equal(again.status(), { pinned: 0, pins: 0, unmaps: 0, returned: 0, log: [] });
  });

  it("has edu as it is there", () => {
    const kernel = new ModelKernel(LAB_SCENE);
    using container = Container.open({ kernel });
    using group = container.attach(VFIO_PCI);
    using device = group.device();
    equal(device.info(), { regions: 9, irqs: 5, canReset: false, isPci: true, flags: 2 });
    equal(code(() => device.reset()), "EINVAL");
    const sizes = Array.from({ length: 8 }, (_, index) => device.region(index).info.size);
    equal(sizes, [1n << 20n, 0n, 0n, 0n, 0n, 0n, 0n, 256n]);
    const config = device.region(7);
    equal(
      [0x00, 0x04, 0x10, 0x2c, 0x3c, 0x40].map((offset) => config.read32(offset).toString(16)),
      ["11e81234", "100103", "fe900000", "11001af4", "10a", "800005"],
    );
    config.write(4, Uint8Array.of(0xff, 0xff));
    config.write(0x10, Uint8Array.of(0xff, 0xff, 0xff, 0xff));
    equal([config.read32(4), config.read32(0x10)].map((value) => value.toString(16)), [
      "100507",
      "fff00000",
    ]);
    config.write(4, Uint8Array.of(0, 0));
    equal(code(() => device.region(0).read32(0)), "EIO", "memory is off");
    const no = { get: false, set: false };
    const set = { get: false, set: true };
    const features = Array.from({ length: 7 }, (_, index) => device.feature(index));
    equal(features, [no, no, no, set, set, set, no]);
  });
});
