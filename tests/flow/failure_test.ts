import { Container, ERRNO, IommufdContainer, type Kernel, pinsOf, VfioError } from "../../mod.ts";
import { DEFAULT_MDEV, LAB_SCENES, ModelKernel, type Scene } from "../../lib/model/mod.ts";
import { edu } from "../support/edu.ts";
import { equal, ok, throws } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { failAt } from "../support/failing_kernel.ts";

const PCI = "0000:00:10.0";
const OTHER = "0000:00:11.0";
const LOGS = "50696e73-0000-4000-8000-000000000001";

/** Everything that takes something from the kernel, once. */
function everything(kernel: Kernel): void {
  using container = Container.open({ kernel });
  using group = container.attach(PCI);
  using _second = container.attach(DEFAULT_MDEV);
  using device = group.device();
  using event = container.event();
  device.enableIrq(0, [event]);
  device.triggerIrq(0);
  equal(event.wait(0), 1n);
  container.pins();
  using memory = container.allocate(1n << 20n);
  using shared = container.allocate(1n << 20n, { backing: "memfd" });
  using _first = container.map(memory, { pieceSize: 1n << 18n });
  using _other = container.map(shared);
  using tracker = container.trackDirty();
  equal([...tracker.drain({ maxBitmapBytes: 8 })].length, 5);
}

/** The same through iommufd: address spaces, page tables, their dirty bits, and the front of both. */
function everythingOfIommufd(kernel: Kernel): void {
  using container = IommufdContainer.open({ kernel, hugePages: false, account: "process" });
  container.keepLedger();
  using memory = container.allocate(1n << 20n);
  using first = container.map(memory, { iova: 0x1000_0000n });
  using member = container.attach(PCI);
  using device = member.device();
  using _bar = device.region(0).map();
  using _second = container.map(memory, { iova: 0x2000_0000n });
  using tracker = container.trackDirty();
  equal([...tracker.drain({ maxBitmapBytes: 8 })].length, 8);
  equal([...tracker.peek()].length, 2);
  first[Symbol.dispose]();
  using other = container.iommufd.addressSpace({ allow: [{ start: 0n, end: 0xffffn }] });
  using _copy = other.copy(container.space, container.mappings[0]!, { size: 4096n });
  using bound = container.iommufd.bind(OTHER);
  using attachment = bound.attach(other);
  ok(attachment.pageTableId > 0);
}

/** The same for a device's log, and its migration. */
function everythingOfLog(kernel: Kernel): void {
  using container = Container.open({ kernel });
  using group = container.attach(LOGS);
  using device = group.device();
  {
    using log = device.logDma({ ranges: [{ iova: 0n, size: 1n << 20n }], pageSize: 8192n });
    equal([...log.tracker.drain({ maxBitmapBytes: 8 })].length, 2);
  }
  const migration = device.migration();
  const saved = migration.setState("stop-copy")!.readAll();
  migration.setState("resuming")!.write(saved);
  migration.setState("running");
}

/** An IOMMU that tracks, and two devices behind it. */
const TWO: Partial<Scene> = { devices: [edu(PCI, 3), edu(OTHER, 4)] };

/** What is done, on which machine, and in how many of its calls a failure must be noticed. */
const ALL: readonly [string, (kernel: Kernel) => void, Partial<Scene>, number][] = [
  ["type1", everything, {}, 50],
  ["iommufd", everythingOfIommufd, TWO, 60],
  ["a log, and a migration", everythingOfLog, LAB_SCENES.own_vendor, 25],
];

describe("a failure of any system call", () => {
  for (const [what, body, scene, least] of ALL) {
    it(`leaves nothing open or mapped: ${what}`, () => {
      const clean = failAt(new ModelKernel(scene), 0);
      body(clean.kernel);
      const total = clean.calls();
      ok(total > least, `only ${total} calls were made`);
      let refused = 0;
      for (let n = 1; n <= total; n += 1) {
        const model = new ModelKernel(scene);
        try {
          body(failAt(model, n).kernel);
        } catch (error) {
          ok(error instanceof Error, `call ${n}: ${error}`);
          refused += 1;
        }
        equal([n, model.openFiles, model.openMappings], [n, 0, 0]);
        const { locked, pinned } = pinsOf("self", model);
        equal([locked, pinned], [0n, 0n], `call ${n} left memory locked or pinned`);
      }
      // A few calls only look for a hint, and may fail unnoticed.
      ok(refused > total * 0.8, `${refused} of ${total} failures were noticed`);
    });
  }
});

describe("a read of dirty pages that fails", () => {
  it("says that all is dirty, and reports it all once as incomplete", () => {
    const model = new ModelKernel({ devices: [{ kind: "mdev", name: DEFAULT_MDEV, group: 1 }] });
    let fail = false;
    const kernel = new Proxy<Kernel>(model, {
      get(target, name): unknown {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== "function") return member;
        return (...args: unknown[]): unknown => {
          const argument = args[2];
          const isGet = args[1] === 0x3b75 && argument instanceof Uint8Array && argument[4] === 4;
          return fail && isGet ? -ERRNO.EFAULT : Reflect.apply(member, target, args);
        };
      },
    });
    using container = Container.open({ kernel });
    using group = container.attach(DEFAULT_MDEV);
    using _device = group.device();
    using memory = container.allocate(1n << 20n);
    using _mapping = container.map(memory, { iova: 0n });
    using tracker = container.trackDirty();
    const counts = (): [string, number][] =>
      [...tracker.drain()].map((window) => [window.label, window.count]);
    equal(counts(), [["pinned-scope", 0]]);
    fail = true;
    const error = throws(counts, VfioError, "take every mapped page of it as dirty");
    equal([error.operation, error.code], ["VFIO_IOMMU_DIRTY_PAGES", "EFAULT"]);
    fail = false;
    equal(counts(), [["incomplete", 256]]);
    equal(counts(), [["pinned-scope", 0]]);
  });
});
