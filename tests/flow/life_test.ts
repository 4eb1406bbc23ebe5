import { Container, type DirtyWindow } from "../../mod.ts";
import { DEFAULT_MDEV, ModelKernel } from "../../lib/model/mod.ts";
import { equal, ok, throws } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";

const PCI = "0000:00:10.0";
const MiB = 1n << 20n;

describe("the life of a container", () => {
  it("goes from open to dirty runs and leaves nothing", () => {
    const kernel = new ModelKernel();
    {
      using container = Container.open({ kernel });
      using group = container.attach(PCI);
      using device = group.device();
      equal(device.region(0).read32(0), 0x0100_00ed);
      const before = container.pins();
      using memory = container.allocate(MiB);
      using mapping = container.map(memory, { iova: 0x100_0000n });
      const cost = container.pins().since(before);
      equal(cost, { locked: MiB, pinned: 0n, dmaAvailable: -1 });
      using tracker = container.trackDirty();
      for (let round = 0; round < 2; round += 1) {
        equal([...tracker.runs()], [
          { iova: 0x100_0000n, size: MiB, pages: 256, label: "all-mapped" },
        ]);
      }
      ok(mapping.isMapped);
    }
    equal(kernel.openFiles, 0);
    equal(kernel.openMappings, 0);
  });

  it("is released by the container alone, in the kernel's order", () => {
    const kernel = new ModelKernel();
    const container = Container.open({ kernel });
    const group = container.attach(PCI);
    group.device();
    const memory = container.allocate(MiB);
    const mapping = container.map(memory);
    const tracker = container.trackDirty();
    container[Symbol.dispose]();
    equal([tracker.isOn, mapping.isMapped, group.isAttached], [false, false, false]);
    equal(kernel.openFiles, 0);
    memory[Symbol.dispose]();
    equal(kernel.openMappings, 0);
    container[Symbol.dispose](); // a second time does nothing
    throws(() => container.attach(PCI), ReferenceError, "closed");
  });

  it("forgets mappings and tracking when the last group leaves", () => {
    const kernel = new ModelKernel();
    using container = Container.open({ kernel });
    const group = container.attach(PCI);
    using memory = container.allocate(MiB);
    const mapping = container.map(memory, { iova: 0x1000_0000n });
    const tracker = container.trackDirty();
    group[Symbol.dispose]();
    equal([mapping.isMapped, tracker.isOn, container.mappings.length], [false, false, 0]);
    throws(() => [...tracker.drain()], ReferenceError, "ended");
    throws(() => container.map(memory), ReferenceError, "went with the last one");
    using _again = container.attach(PCI);
    using _mapping = container.map(memory, { iova: 0x1000_0000n });
  });
});

describe("a group that comes and goes", () => {
  it("turns a container from pinned pages to all, and once to all when it leaves", () => {
    const kernel = new ModelKernel();
    using container = Container.open({ kernel });
    using group = container.attach(DEFAULT_MDEV);
    using _device = group.device();
    using memory = container.allocate(MiB);
    using mapping = container.map(memory);
    using tracker = container.trackDirty();
    const read = (): [string, number] => {
      const [window] = [...tracker.drain()].map((w: DirtyWindow) => [w.label, w.count] as const);
      return [window?.[0] ?? "", window?.[1] ?? 0];
    };
    equal(read(), ["pinned-scope", 6]);
    equal(container.pins().locked, 4n * 4096n);

    const joined = container.attach(PCI);
    equal(read(), ["all-mapped", 256]);
    equal(container.pins().locked, MiB);

    joined[Symbol.dispose]();
    equal(read(), ["all-mapped", 256]);
    equal(read(), ["pinned-scope", 4]);
    equal(container.pins().locked, 4n * 4096n);

    equal(mapping.unmapWithBitmap().count, 4);
    equal(container.pins().locked, 0n);
  });
});

describe("a mediated device", () => {
  it("reports what its driver pins on each read, and what it released or wrote once", () => {
    const kernel = new ModelKernel({
      devices: [{ kind: "mdev", name: DEFAULT_MDEV, group: 1 }],
    });
    const driver = kernel.vendor(DEFAULT_MDEV);
    using container = Container.open({ kernel });
    using group = container.attach(DEFAULT_MDEV);
    using _device = group.device();
    using memory = container.allocate(MiB);
    const iova = 0x10_0000n;
    using _mapping = container.map(memory, { iova });
    using tracker = container.trackDirty();
    const pages = (): number[] =>
      [...tracker.runs()].flatMap((run) =>
        Array.from({ length: run.pages }, (_, i) => Number((run.iova - iova) / 4096n) + i)
      );
    equal(pages(), []);
    equal(driver.pin(iova, 2), 2);
    equal(pages(), [0, 1]);
    equal(pages(), [0, 1]);
    driver.unpin(iova, 1);
    equal(pages(), [0, 1]);
    equal(pages(), [1]);
    equal(driver.write(iova + 0x5ff8n, new Uint8Array(16).fill(7)), 0);
    equal(pages(), [1, 5, 6]);
    equal(memory.bytes[0x6000], 7);
    equal(pages(), [1]);
    equal(driver.pin(iova + MiB, 1), -22);
    equal(driver.pin(iova, 513), -7);
  });
});
