import { Container, type DirtyMap, VfioError } from "../../mod.ts";
import { DEFAULT_MDEV, ModelKernel, type VendorDriver } from "../../lib/model/mod.ts";
import { equal, match, ok, throws } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { DEVICES, PCI, PINNER } from "../support/pin_devices.ts";
import { Random } from "../unit/random.ts";

const PAGE = 4096n;

interface Setting {
  readonly container: Container;
  readonly driver: VendorDriver;
}

/** A container with one device, 16 MiB at iova 0, and the driver of the device. */
function setting(name: string, body: (setting: Setting) => void): void {
  const kernel = new ModelKernel({ devices: DEVICES });
  using container = Container.open({ kernel });
  using group = container.attach(name);
  using _device = group.device();
  using memory = container.allocate(1n << 24n);
  using _mapping = container.map(memory, { iova: 0n });
  body({ container, driver: kernel.vendor(name) });
}

const pages = (map: DirtyMap | undefined): number[] =>
  [...map?.runs() ?? []].flatMap((run) =>
    Array.from({ length: run.pages }, (_, i) => Number(run.iova / PAGE) + i)
  );

function pinnedPages(container: Container): number[] {
  const pinned = container.pinned();
  ok(pinned.known, pinned.known ? "" : pinned.reason);
  return pages(pinned.pages);
}

describe("pinned pages", () => {
  it("come back exactly, with and without a tracker, and a tracker loses nothing", () =>
    setting(DEFAULT_MDEV, ({ container, driver }) => {
      const random = new Random(7);
      const expected = new Set<number>();
      while (expected.size < 1024) {
        const first = random.below(4096 - 512);
        const count = 1 + random.below(64);
        equal(driver.pin(BigInt(first) * PAGE, count), count);
        for (let i = 0; i < count; i += 1) expected.add(first + i);
      }
      const sorted = [...expected].sort((a, b) => a - b);
      equal(pinnedPages(container), sorted);
      equal(container.tracker, undefined);

      using tracker = container.trackDirty();
      [...tracker.drain()];
      equal(driver.write(4095n * PAGE, new Uint8Array(1)), 0);
      const pinned = container.pinned();
      ok(pinned.known);
      equal([pinned.how, pages(pinned.pages)], ["two-reads", sorted]);
      equal(pinned.cost, { reads: 2, bitmapBytes: 2 * 512 });
      // The page that was written once is still delivered, and once only.
      const last = (): boolean => [...tracker.drain()].some((w) => w.has(4095n * PAGE));
      equal([last(), last()], [true, false]);
    }));

  it("cannot be told where a group makes everything dirty, and it says which", () =>
    setting(DEFAULT_MDEV, ({ container }) => {
      using _plain = container.attach(PCI);
      const pinned = container.pinned();
      ok(!pinned.known);
      match(pinned.reason, /group 2 keeps it from being pinned pages only/);
      throws(() => container.pinHistory(), VfioError, "group 2 keeps it");
      equal(container.tracker, undefined);
    }));

  it("are dropped with their mapping before they are delivered", () =>
    setting(DEFAULT_MDEV, ({ container, driver }) => {
      using memory = container.allocate(PAGE);
      const iova = 1n << 30n;
      const mapping = container.map(memory, { iova });
      using tracker = container.trackDirty();
      equal(driver.pin(iova, 1), 1);
      tracker.readTwice();
      mapping[Symbol.dispose]();
      using _again = container.map(memory, { iova });
      equal([...tracker.runs()], []);
    }));

  it("keep what an unmap reads once for the unmap", () =>
    setting(DEFAULT_MDEV, ({ container, driver }) => {
      using memory = container.allocate(PAGE);
      const mapping = container.map(memory, { iova: 1n << 30n });
      using tracker = container.trackDirty();
      driver.write(1n << 30n, new Uint8Array(1));
      tracker.readTwice();
      equal(mapping.unmapWithBitmap().count, 1);
    }));
});

describe("pin history", () => {
  it("tells pages newly pinned, released and touched once apart", () =>
    setting(DEFAULT_MDEV, ({ container, driver }) => {
      driver.pin(0n, 2);
      using history = container.pinHistory();
      driver.pin(8n * PAGE, 2);
      driver.unpin(0n, 1);
      driver.write(20n * PAGE, new Uint8Array(1));
      driver.pin(30n * PAGE, 1);
      driver.unpin(30n * PAGE, 1);
      const first = history.next();
      equal(pages(first.pinned), [1, 8, 9]);
      equal(pages(first.fresh), [8, 9]);
      equal(pages(first.released), [0]);
      equal(pages(first.once), [20, 30]);
      const second = history.next();
      equal([second.round, pages(second.pinned)], [2, [1, 8, 9]]);
      equal([second.fresh, second.released, second.once].map((map) => map.count), [0, 0, 0]);
      ok(container.tracker !== undefined);
      history[Symbol.dispose]();
      equal(container.tracker, undefined);
    }));

  it("ends with a reason when a group makes everything dirty", () =>
    setting(DEFAULT_MDEV, ({ container }) => {
      using history = container.pinHistory();
      using _plain = container.attach(PCI);
      throws(() => history.next(), VfioError, "group 2 keeps it");
    }));
});

describe("scope", () => {
  it("of a driver behind an IOMMU turns at its first pin, and a probe finds out", () =>
    setting(PINNER, ({ container, driver }) => {
      equal(container.scope().label, "unknown");
      equal(container.scope().groups[0]?.effect, "until-pin");
      const before = container.probeScope();
      equal([before.label, before.basis], ["all-mapped", "evidence"]);
      equal(container.scope().label, "unknown"); // it may turn at any moment
      using tracker = container.trackDirty();
      equal([...tracker.drain()].map((w) => [w.label, w.count]), [["unknown", 4096]]);
      equal(driver.pin(0n, 1), 1);
      equal([...tracker.drain()].map((w) => [w.label, w.count]), [["pinned-scope", 1]]);
      const after = container.scope();
      equal([after.label, after.basis], ["pinned-scope", "evidence"]);
      driver.unpin(0n, 1);
      equal([...tracker.drain()].map((w) => [w.label, w.count]), [["pinned-scope", 1]]);
      equal([...tracker.drain()].map((w) => [w.label, w.count]), [["pinned-scope", 0]]);
    }));

  it("remembers what groups that came and went did", () =>
    setting(DEFAULT_MDEV, ({ container }) => {
      container.attach(PCI)[Symbol.dispose]();
      equal(container.scope().events.map(({ group, event }) => `${group} ${event}`), [
        "1 attached",
        "2 attached",
        "2 left",
      ]);
      equal(container.scope().label, "pinned-scope");
      equal(container.mappings.length, 1);
    }));

  it("needs no full read after a driver has left that had pinned", () =>
    setting(DEFAULT_MDEV, ({ container }) => {
      using tracker = container.trackDirty();
      const read = () => [...tracker.drain()].map((w) => [w.label, w.count]);
      const pinner = container.attach(PINNER);
      const device = pinner.device();
      const kernel = container.rawKernel as ModelKernel;
      equal(read(), [["unknown", 4096]]);
      kernel.vendor(PINNER).pin(0n, 1);
      equal(read(), [["pinned-scope", 1]]);
      device[Symbol.dispose]();
      pinner[Symbol.dispose]();
      equal(read(), [["pinned-scope", 1]]);
      // Before its first pin, everything is reported once when it leaves.
      container.attach(PINNER)[Symbol.dispose]();
      equal(read(), [["unknown", 4096]]);
      equal(read(), [["pinned-scope", 0]]);
    }));
});
