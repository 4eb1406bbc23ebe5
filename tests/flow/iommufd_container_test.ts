/** The front of iommufd that reads as a container, on the model. */
import {
  Container,
  crossCheck,
  deviceOf,
  DirtyMap,
  type DirtyTracker,
  type HostMemory,
  Iommufd,
  IommufdContainer,
  VfioError,
} from "../../mod.ts";
import { DEFAULT_MDEV, ModelKernel, type Scene } from "../../lib/model/mod.ts";
import { equal, ok, throws } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";

const EDU = "0000:00:10.0";
const LOW = 0x1000_0000n;
const MiB = 1n << 20n;

/** Runs a body, and holds that nothing is left open. */
function on(body: (kernel: ModelKernel) => void, scene: Partial<Scene> = {}): void {
  const kernel = new ModelKernel(scene);
  body(kernel);
  equal([kernel.openFiles, kernel.openMappings], [0, 0]);
}

/** What a script does with either: only the line that opens it differs. */
function script(
  container: {
    attach(target: string): Disposable & { device(): Disposable & { info(): { isPci: boolean } } };
    allocate(size: bigint): HostMemory;
    map(memory: HostMemory, options: { iova: bigint }): Disposable;
    trackDirty(): DirtyTracker;
  },
  work: () => void,
): { pages: DirtyMap; labels: Set<string>; isPci: boolean } {
  using group = container.attach(EDU);
  using device = group.device();
  using memory = container.allocate(MiB);
  using _mapping = container.map(memory, { iova: LOW });
  using tracker = container.trackDirty();
  work();
  const pages = new DirtyMap(4096n);
  const labels = new Set<string>();
  for (const window of tracker.drain({ maxBitmapBytes: 64 << 10 })) {
    pages.add(window);
    labels.add(window.label);
  }
  return { pages, labels, isPci: device.info().isPci };
}

describe("IommufdContainer", () => {
  it("runs the script of a Container, with the pages that were written", () => {
    on((kernel) => {
      const work = (): void => void kernel.dma(EDU).write(LOW + 0x9000n, Uint8Array.of(1));
      using type1 = Container.open({ kernel });
      const coarse = script(type1, work);
      type1[Symbol.dispose]();
      using container = IommufdContainer.open({ kernel });
      const fine = script(container, work);
      equal([[...coarse.labels], coarse.pages.count], [["all-mapped"], 256]);
      equal([...fine.labels], ["written"]);
      ok(fine.pages.has(LOW + 0x9000n) && fine.pages.count < 256);
      equal(fine.pages.difference(coarse.pages).count, 0);
      equal([coarse.isPci, fine.isPci], [true, true]);
    });
  });

  it("releases in the order that the kernel wants, also what the script forgot", () => {
    on((kernel) => {
      using container = IommufdContainer.open({ kernel, account: "process", hugePages: false });
      equal([container.iommufd.account, container.space.hugePages], ["process", false]);
      const member = container.attach(EDU);
      const device = member.device();
      const region = device.region(0);
      region.map();
      using memory = container.allocate(MiB);
      container.map(memory, { iova: LOW });
      const tracker = container.trackDirty();
      equal(container.tracker, tracker);
      equal([container.devices.length, container.mappings.length, container.pageSize], [
        1,
        1,
        4096n,
      ]);
      equal(`${container}`, `iommufd container of [${EDU}], 1 MiB mapped`);
      container[Symbol.dispose]();
      container[Symbol.dispose]();
      equal(tracker.isOn, false);
      throws(() => device.info(), ReferenceError, "closed");
    });
  });

  it("ends tracking with its last device, and keeps the mappings", () => {
    on((kernel) => {
      using container = IommufdContainer.open({ kernel });
      throws(() => container.trackDirty(), ReferenceError, "attach one first");
      using memory = container.allocate(MiB);
      using _mapping = container.map(memory, { iova: LOW }); // before there is a device
      const before = container.pins();
      const member = container.attach(EDU);
      equal(container.pins().since(before).pinned, MiB, "pinned at the attach");
      const tracker = container.trackDirty();
      throws(() => container.trackDirty(), ReferenceError, "tracked already");
      member[Symbol.dispose]();
      member[Symbol.dispose]();
      equal([tracker.isOn, container.tracker, container.mappings.length], [false, undefined, 1]);
      equal(container.pins().since(before).pinned, 0n);
      using again = container.attach(EDU);
      using _tracker = container.trackDirty();
      equal(again.tracksDirty, true);
      equal(container.unmapAll(), MiB);
    });
  });

  it("says whose writes nothing would tell of", () => {
    on((kernel) => {
      using container = IommufdContainer.open({ kernel });
      using _pci = container.attach(EDU);
      {
        using _tracker = container.trackDirty();
        throws(() => container.attach(DEFAULT_MDEV), ReferenceError, "would not be seen");
      }
      using mdev = container.attach(DEFAULT_MDEV);
      equal(mdev.tracksDirty, false);
      const error = throws(() => container.trackDirty(), VfioError, DEFAULT_MDEV);
      equal(error instanceof VfioError && error.code, "EOPNOTSUPP");
    });
    on((kernel) => {
      using container = IommufdContainer.open({ kernel });
      using member = container.attach(EDU);
      equal(member.tracksDirty, false);
      throws(() => container.trackDirty(), VfioError, `what ${EDU} writes`);
    }, { iommufd: { dirtyTracking: false } });
  });

  it("can be checked against a log or another read", () => {
    on((kernel) => {
      using container = IommufdContainer.open({ kernel });
      using _member = container.attach(EDU);
      using memory = container.allocate(MiB);
      using _mapping = container.map(memory, { iova: LOW });
      using tracker = container.trackDirty();
      kernel.dma(EDU).write(LOW, Uint8Array.of(1));
      const looked = [...tracker.peek()].map((window) => window.copy());
      const taken = { source: tracker.source, windows: tracker.drain() };
      const found = crossCheck({ source: "a look", windows: looked }, taken);
      equal([found.sources, found.pages], [["a look", "hwpt"], 256]);
      equal(found.differences.filter(({ only }) => only === "a"), [], "a look takes nothing");
    });
  });
});

describe("deviceOf", () => {
  it("gives the regions of a bound device, and goes with it or before it", () => {
    on((kernel) => {
      using iommufd = Iommufd.open({ kernel });
      const bound = iommufd.bind(EDU);
      const device = deviceOf(bound);
      equal(device.regions().length > 0, true);
      device[Symbol.dispose]();
      throws(() => device.info(), ReferenceError, "is closed");
      equal(bound.fd > 0, true, "its file is still open");
      const again = deviceOf(bound);
      const memory = again.region(0).map();
      bound[Symbol.dispose]();
      throws(() => again.info(), ReferenceError, "is closed");
      throws(() => memory.read32(0), ReferenceError, "unmapped");
      throws(() => deviceOf(bound), ReferenceError, "closed");
    });
  });
});
