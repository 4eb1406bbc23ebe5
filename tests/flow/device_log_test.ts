/** A device's own log on the model, which answers as the lab's driver does. */
import { Container, DmaLog, NoDmaLogError, RuleError, VfioError } from "../../mod.ts";
import { requestStart, requestStop } from "../../lib/vfio/log_support.ts";
import { DEFAULT_MDEV, LAB_SCENES, ModelKernel, type Scene } from "../../lib/model/mod.ts";
import { failingLog, failsHalfWay, noRoom } from "../kernel/own_vendor/log_fail_cases.ts";
import { VendorDevice } from "../kernel/vendor/vendor_device.ts";
import { equal, ok, throws } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";

const LOGS = "50696e73-0000-4000-8000-000000000001";
const PLAIN = "50696e73-0000-4000-8000-000000000004";
const PCI = "0000:00:11.0";
const LOW = 0x100_0000n;
const PAGE = 4096n;
const FIRST = Number(LOW / PAGE);

const range = (first: number, count: number): { iova: bigint; size: bigint } => ({
  iova: LOW + BigInt(first) * PAGE,
  size: BigInt(count) * PAGE,
});

/** Runs a body with an open device of a scene. */
function withDevice(
  name: string,
  body: (vendor: VendorDevice, container: Container) => void,
  scene: Partial<Scene> = LAB_SCENES.own_vendor,
): void {
  const kernel = new ModelKernel(scene);
  {
    using container = Container.open({ kernel });
    using group = container.attach(name);
    using vendor = new VendorDevice(group);
    body(vendor, container);
  }
  equal([kernel.openFiles, kernel.openMappings], [0, 0]);
}

/** The numbers of dirty pages from LOW on. */
function drained(log: DmaLog, maxBitmapBytes?: number): number[] {
  const options = maxBitmapBytes === undefined ? {} : { maxBitmapBytes };
  const found: number[] = [];
  for (const window of log.tracker.drain(options)) {
    equal(window.label, "written");
    for (const { iova, pages } of window.runs()) {
      const first = Number((iova - LOW) / log.pageSize);
      for (let i = 0; i < pages; i += 1) found.push(first + i);
    }
  }
  return found;
}

describe("device.logDma on the model", () => {
  it("treats a log whose device fails to report as the real kernel's is", () => {
    failingLog(new ModelKernel(LAB_SCENES.own_vendor));
    failsHalfWay(new ModelKernel(LAB_SCENES.own_vendor));
  });

  it("refuses what the device cannot log, with the reason", () => {
    noRoom(new ModelKernel(LAB_SCENES.own_vendor));
  });

  for (const name of [LOGS, PCI]) {
    it(`${name}: tells what the device wrote, once, in windows of any size`, () => {
      withDevice(name, (vendor) => {
        const ranges = [range(0, 64), range(70, 200), range(270, 3)];
        using log = vendor.device.logDma({ ranges });
        ok(log instanceof DmaLog);
        equal(`${log}`, `DMA log of ${name}: 1 MiB in 4 KiB pages`);
        for (const bytes of [8, 16, 1024, undefined]) {
          equal(vendor.dirty(LOW + 60n * PAGE, 20), 14);
          equal(vendor.dirty(LOW + 272n * PAGE), 1);
          const wanted = [60, 61, 62, 63, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 272];
          equal(drained(log, bytes), wanted);
          equal(drained(log, bytes), []);
        }
      });
    });
  }

  it("reads a log of any size in windows of the wanted size", () => {
    withDevice(LOGS, (vendor) => {
      const windows = (log: DmaLog, maxBitmapBytes: number): number =>
        [...log.tracker.drain({ maxBitmapBytes })].length;
      {
        using log = vendor.device.logDma({ ranges: [{ iova: 0n, size: 1n << 30n }] });
        equal([windows(log, 8), windows(log, 80), windows(log, 1 << 20)], [4096, 410, 1]);
      }
      using log = vendor.device.logDma({ ranges: [{ iova: 0n, size: 1n << 47n }] });
      vendor.dirty((1n << 47n) - PAGE);
      const dirty = [...log.tracker.drain()].map(({ iova, size }) => ({ iova, size }));
      equal(dirty.length, 4096);
      equal(dirty.at(-1), { iova: (1n << 47n) - (1n << 35n), size: 1n << 35n });
    });
  });

  it("reads pages of 2 MiB, and ends with its device", () => {
    withDevice(LOGS, (vendor) => {
      const HUGE = 1n << 21n;
      const ranges = [{ iova: LOW, size: 100n * HUGE }];
      const log = vendor.device.logDma({ ranges, pageSize: HUGE });
      equal(vendor.dirty(LOW + 3n * HUGE - PAGE, 2), 2);
      vendor.dirty(LOW + 99n * HUGE);
      equal(drained(log), [2, 3, 99]);
      vendor.device[Symbol.dispose]();
      equal(log.isOn, false);
    });
  });

  it("reads no gap between ranges: a driver may refuse to report what it does not log", () => {
    withDevice(LOGS, (vendor) => {
      using log = vendor.device.logDma({ ranges: [range(128, 64), range(0, 64), range(192, 1)] });
      equal([...log.tracker.drain()].map(({ iova, size }) => ({ iova, size })), [
        range(0, 64),
        range(128, 65),
      ]);
    });
  });

  it("merges, widens and says so", () => {
    withDevice(LOGS, (vendor) => {
      const many = Array.from({ length: 300 }, (_, i) => range(i * 3, 2));
      {
        using log = vendor.device.logDma({ ranges: many });
        equal([log.logged.length, log.added, vendor.log().ranges], [256, 44, 256]);
        vendor.dirty(LOW, 900);
        equal(drained(log).length, 600);
        ok(/300 ranges merged to 256, .* 44 pages more, which are not reported/.test(`${log}`));
      }
      vendor.logSizes(0x4000n, 0x4000n);
      using log = vendor.device.logDma({ ranges: new Set([range(9, 1), range(1, 1)]) });
      equal([log.pageSize, log.widened, log.ranges], [0x4000n, 2, [range(0, 4), range(8, 4)]]);
      vendor.dirty(LOW + 11n * PAGE);
      equal(drained(log), [2]);
    });
  });

  it("reports a failed read as incomplete, every page of it", () => {
    const kernel = new ModelKernel(LAB_SCENES.own_vendor);
    using container = Container.open({ kernel });
    using group = container.attach(LOGS);
    using vendor = new VendorDevice(group);
    using log = vendor.device.logDma({ ranges: [range(0, 8)] });
    vendor.dirty(LOW);
    const host = { kernel, fd: vendor.device.fd, name: LOGS };
    equal(requestStop(host), 0); //  as another user of the device may do
    throws(() => drained(log), VfioError, /another user of the device stopped its log/);
    equal(requestStart(host, log.ranges, PAGE).result, 0);
    const [window] = log.tracker.drain();
    equal([window?.label, window?.count], ["incomplete", 8]);
  });

  it("works on as time passes, and in rounds", async () => {
    const logs: Scene["mdevs"] = {
      name: "model_mdev",
      api: "vfio-pci",
      limit: 1,
      types: [{ name: "pin", title: "", canPin: true, logs: true }],
    };
    const kernel = new ModelKernel({ mdevs: logs });
    using container = Container.open({ kernel });
    using group = container.attach(DEFAULT_MDEV);
    using device = group.device();
    using memory = container.allocate(64n * PAGE);
    using mapping = container.map(memory, { iova: LOW });
    using log = device.logDma({ ranges: [mapping] });
    const rounds: string[] = [];
    for await (const round of log.tracker.rounds({ interval: 0, count: 3 })) {
      rounds.push(
        [...round.dirty.runs()].map((run) => `${Number(run.iova / PAGE) - FIRST}+${run.pages}`)
          .join(),
      );
    }
    equal(rounds, ["32+2", "35+2", "38+2"]);
  });

  it("names what cannot log", () => {
    withDevice(PLAIN, ({ device }) => {
      const error = throws(() => device.logDma({ ranges: [range(0, 1)] }), VfioError, "no log of");
      equal(error.code, "ENOTTY");
    });
    const debian = { ...LAB_SCENES.own_vendor, iommufd: undefined };
    withDevice(LOGS, ({ device }) => {
      const error = throws(() => device.logDma({ ranges: [range(0, 1)] }), VfioError);
      equal(error.code, "EOPNOTSUPP");
      ok(/CONFIG_IOMMUFD/.test(error.message), error.message);
    }, debian);
    withDevice(LOGS, ({ device }) => equal(device.dmaLogSupport(), { works: true }), {
      ...debian,
      profile: "6.1",
    });
  });

  it("names a log that somebody else keeps, and its own", () => {
    withDevice(LOGS, (one, container) => {
      using log = one.device.logDma({ ranges: [range(0, 8)] });
      const again = (): DmaLog => one.device.logDma({ ranges: [range(0, 8)] });
      throws(again, ReferenceError, "keeps a log already");
      equal(container.mappings, []);
      equal(log.isOn, true);
    });
    const kernel = new ModelKernel(LAB_SCENES.own_vendor);
    using container = Container.open({ kernel });
    using group = container.attach(LOGS);
    using one = group.device();
    using two = group.device();
    using _log = one.logDma({ ranges: [range(0, 8)] });
    throws(() => two.logDma({ ranges: [range(0, 8)] }), NoDmaLogError, "somebody else");
  });

  it("names wrong arguments before the kernel sees them", () => {
    withDevice(LOGS, ({ device }) => {
      const wrong = (options: object): unknown => device.logDma(options as never);
      throws(() => wrong({}), TypeError, "ranges must be an object");
      throws(() => wrong({ ranges: {} }), TypeError, "ranges must be an array, or a set");
      throws(
        () => wrong({ ranges: [{ iova: 0, size: PAGE }] }),
        TypeError,
        "iova must be a bigint",
      );
      throws(() => wrong({ ranges: [{ iova: 0n, size: 0n }] }), RangeError, "a size above 0");
      throws(() => wrong({ ranges: [range(0, 1)], pageSize: 0n }), RuleError, "power of two");
      throws(() => wrong({ ranges: [range(0, 1)], page: 1n }), TypeError, /did you mean|known/);
      const error = throws(() => wrong({ ranges: [] }), RuleError);
      equal([error.rule, error.code], ["log.none", "EINVAL"]);
    });
  });
});
