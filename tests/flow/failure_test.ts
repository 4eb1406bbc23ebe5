import { Container, ERRNO, type Kernel, VfioError } from "../../mod.ts";
import { DEFAULT_MDEV, ModelKernel } from "../../lib/model/mod.ts";
import { equal, ok, throws } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { failAt } from "../support/failing_kernel.ts";

const PCI = "0000:00:10.0";

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

describe("a failure of any system call", () => {
  it("leaves nothing open or mapped", () => {
    const clean = failAt(new ModelKernel(), 0);
    everything(clean.kernel);
    const total = clean.calls();
    ok(total > 50, `only ${total} calls were made`);
    let refused = 0;
    for (let n = 1; n <= total; n += 1) {
      const model = new ModelKernel();
      try {
        everything(failAt(model, n).kernel);
      } catch (error) {
        ok(error instanceof Error, `call ${n}: ${error}`);
        refused += 1;
      }
      equal([n, model.openFiles, model.openMappings], [n, 0, 0]);
      using container = Container.open({ kernel: model });
      equal(container.pins().locked, 0n, `call ${n} left memory locked`);
    }
    // A few calls only look for a hint, and may fail unnoticed.
    ok(refused > total * 0.8, `${refused} of ${total} failures were noticed`);
  });
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
