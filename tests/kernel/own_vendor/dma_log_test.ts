/** A device's own log against what the device was told to write. */

import { Container, type DmaLog, Iommufd, NoDmaLogError, rawLinux as linux } from "../../../mod.ts";
import { startDmaLog } from "../../../lib/vfio/dma_log.ts";
import { equal, ok, throws } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { LOW, PAGE } from "../support/machine.ts";
import { refused } from "../support/refused.ts";
import { OP } from "../vendor/layout.ts";
import { Scene } from "../vendor/scene.ts";
import { commandBytes, VendorDevice } from "../vendor/vendor_device.ts";
import { drained, HUGE, LOGS, LOGS2, LOGS_PCI, PINS, range, someNumbers } from "./scene.ts";

const FIRST = Number(LOW / PAGE);
const GiB = 1n << 30n;

/** Lets the device write pages of a size, each given by its number from address 0 on. */
function write({ vendor }: Scene, numbers: readonly number[], pageSize = PAGE): void {
  for (const number of numbers) equal(vendor.dirty(BigInt(number) * pageSize), 1);
}

describe("device.logDma", () => {
  for (const device of [LOGS, LOGS_PCI]) {
    it(`${device}: tells page for page what the device wrote, once`, () => {
      using scene = new Scene({ device });
      using log = scene.vendor.device.logDma({ ranges: [{ iova: LOW, size: GiB }] });
      equal([log.pageSize, log.tracker.pageSize, log.tracker.source], [PAGE, PAGE, "log"]);
      equal(scene.vendor.log(), { pageSize: PAGE, dirty: 0, ranges: 1 });
      equal(drained(log.tracker), []);
      for (const [seed, count] of [[1, 1000], [2, 1], [3, 3000]] as const) {
        const wanted = someNumbers(count, Number(GiB / PAGE), seed).map((page) => FIRST + page);
        write(scene, wanted);
        equal(scene.vendor.log().dirty, count);
        equal(drained(log.tracker), wanted);
        equal(scene.vendor.log().dirty, 0);
        equal(drained(log.tracker), [], "taken");
      }
    });

    it(`${device}: the same in pages of 2 MiB`, () => {
      using scene = new Scene({ device });
      const ranges = [{ iova: 0n, size: 16n * GiB }];
      using log = scene.vendor.device.logDma({ ranges, pageSize: HUGE });
      equal(log.pageSize, HUGE);
      const wanted = someNumbers(700, Number(16n * GiB / HUGE), 4);
      write(scene, wanted, HUGE);
      equal(scene.vendor.dirty(BigInt(wanted[5]!) * HUGE + 0x5000n, 3), 1, "the same page again");
      equal(drained(log.tracker), wanted);
      equal(drained(log.tracker), []);
    });
  }

  it("loses and invents nothing in windows of any size, and at edges", () => {
    using scene = new Scene({ device: LOGS });
    const ranges = [range(1, 1), range(3, 62), range(65, 64), range(200, 1000), range(1201, 1)];
    using log = scene.vendor.device.logDma({ ranges });
    const all = ranges.flatMap(({ iova, size }) =>
      Array.from({ length: Number(size / PAGE) }, (_, i) => Number(iova / PAGE) + i)
    );
    const edges = [1, 3, 64, 65, 128, 200, 1199, 1201].map((page) => FIRST + page);
    for (const bytes of [8, 16, 24, 128, 1 << 20]) {
      for (const wanted of [all, edges, [FIRST + 65], [FIRST + 1201]]) {
        write(scene, wanted);
        equal(drained(log.tracker, bytes), wanted, `${bytes} bytes`);
        equal(drained(log.tracker, bytes), []);
      }
    }
    for (const outside of [0, 2, 129, 199, 1200, 1202]) {
      equal(scene.vendor.dirty(LOW + BigInt(outside) * PAGE), 0, "not logged");
    }
  });

  it("reads a log of 16 TiB in windows of 32 GiB, and small windows of a small one", () => {
    using scene = new Scene({ device: LOGS });
    const { device } = scene.vendor;
    {
      using log = device.logDma({ ranges: [{ iova: 0n, size: 1n << 44n }] });
      write(scene, [0, 2 ** 31 + 5, 2 ** 32 - 1]);
      equal(drained(log.tracker), [0, 2 ** 31 + 5, 2 ** 32 - 1]);
    }
    using log = device.logDma({ ranges: [{ iova: 0n, size: GiB }] });
    equal([...log.tracker.drain({ maxBitmapBytes: 8 })].length, 4096);
  });

  it("merges more than 256 ranges, and does not report what it logs for that", () => {
    using scene = new Scene({ device: LOGS });
    // The gaps grow from 1 to 300 pages: the 44 smallest are closed.
    let at = 0;
    const ranges = Array.from({ length: 300 }, (_, i) => {
      const one = range(at, 2);
      at += 2 + i + 1;
      return one;
    });
    using log = scene.vendor.device.logDma({ ranges });
    equal(scene.vendor.log().ranges, 256);
    equal([log.ranges.length, log.logged.length], [300, 256]);
    equal(log.added, 44 * 45 / 2);
    equal(
      `${log}`,
      `DMA log of ${LOGS}: 2.3 MiB in 4 KiB pages; 300 ranges merged to 256, so that the device ` +
        "logs 990 pages more, which are not reported",
    );
    equal(scene.vendor.dirty(LOW + 2n * PAGE), 1, "a gap that was closed");
    const wanted = ranges.map(({ iova }) => Number(iova / PAGE));
    write(scene, wanted);
    equal(drained(log.tracker), wanted);
    equal(scene.vendor.log().dirty, 1, "the gap's page stays in the device");
  });

  it("takes the page size that the device grants: ranges are widened to larger pages", () => {
    using scene = new Scene({ device: LOGS });
    scene.vendor.logSizes(0x10000n, 0x10000n);
    using log = scene.vendor.device.logDma({ ranges: [range(3, 2), range(40, 8)] });
    equal(log.pageSize, 0x10000n);
    equal(log.ranges, [range(0, 16), range(32, 16)]);
    equal(log.widened, 2); // 22 of 32 small pages
    equal(scene.vendor.dirty(LOW + 15n * PAGE, 30), 2);
    equal(drained(log.tracker), [0, 2].map((page) => FIRST / 16 + page));
    ok(`${log}`.endsWith("128 KiB in 64 KiB pages, 2 pages more than asked for"), `${log}`);
  });

  it("takes smaller pages than were wished for", () => {
    using scene = new Scene({ device: LOGS });
    scene.vendor.logSizes(PAGE, PAGE);
    using log = scene.vendor.device.logDma({
      ranges: [{ iova: 0n, size: HUGE }],
      pageSize: HUGE,
    });
    equal(log.pageSize, PAGE);
    write(scene, [7, 511]);
    equal(drained(log.tracker), [7, 511]);
  });

  it("stops at scope end, with the device too, and can begin again", () => {
    using scene = new Scene({ device: LOGS });
    const { vendor } = scene;
    const begin = (): DmaLog => vendor.device.logDma({ ranges: [range(0, 64)] });
    {
      using log = begin();
      throws(begin, ReferenceError, "keeps a log already");
      equal([log.isOn, vendor.device.dmaLogSupport()], [true, { works: true }]);
      vendor.dirty(LOW);
    }
    equal(vendor.log(), { pageSize: 0n, dirty: 0, ranges: 0 });
    const log = begin();
    equal(drained(log.tracker), [], "a new log is empty");
    log[Symbol.dispose]();
    log[Symbol.dispose]();
    throws(() => [...log.tracker.drain()], ReferenceError, "tracking has ended");
    const last = begin();
    vendor.device[Symbol.dispose]();
    equal(last.isOn, false);
  });

  it("works through the device's own node", () => {
    using iommufd = Iommufd.open();
    using device = iommufd.bind(LOGS);
    const { fd, name } = device;
    using log = startDmaLog({ kernel: linux, fd, name }, { ranges: [range(0, 512)] });
    equal(linux.pwrite(fd, commandBytes(OP.DIRTY, LOW + 5n * PAGE, 3, 0), 0n), 32);
    equal(drained(log.tracker), [5, 6, 7].map((page) => FIRST + page));
  });
});

describe("device.logDma refuses", () => {
  it("a device whose driver keeps no log", () => {
    using scene = new Scene({ device: PINS });
    refused(() => scene.vendor.device.logDma({ ranges: [range(0, 1)] }), {
      code: "ENOTTY",
      operation: "VFIO_DEVICE_FEATURE",
      text: "keeps no log of its DMA",
    });
    const support = scene.vendor.device.dmaLogSupport();
    equal(support.works ? "works" : support.reason, "no-log");
  });

  it("a log while somebody else keeps one", () => {
    using container = Container.open();
    using group = container.attach(LOGS);
    using one = new VendorDevice(group);
    using two = group.device();
    {
      using _log = one.device.logDma({ ranges: [range(0, 64)] });
      one.dirty(LOW + PAGE);
      throws(() => two.logDma({ ranges: [range(0, 1)] }), NoDmaLogError, "somebody else");
      equal(one.log().dirty, 1, "the other log is whole");
    }
    using _log = two.logDma({ ranges: [range(0, 1)] });
  });

  it("ranges that the kernel would not take, without asking it", () => {
    using scene = new Scene({ device: LOGS2 });
    const { device } = scene.vendor;
    throws(() => device.logDma({ ranges: [] }), RangeError, "at least one range");
    throws(() => device.logDma({ ranges: [{ iova: 1n, size: PAGE }] }), RangeError, "multiple");
    throws(() => device.logDma({ ranges: [range(0, 2), range(1, 1)] }), RangeError, "lies over");
    throws(() => device.logDma({ ranges: [{ iova: (1n << 64n) - PAGE, size: PAGE }] }), RangeError);
    throws(() => device.logDma({ ranges: [range(0, 1)], pageSize: 2048n }), RangeError, "power");
    equal(scene.vendor.log().ranges, 0);
  });
});
