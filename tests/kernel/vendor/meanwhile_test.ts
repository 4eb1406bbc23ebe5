/** A driver that pins and releases while we read. */
import { Container, type Kernel, rawLinux as linux } from "../../../mod.ts";
import { VFIO_IOMMU_DIRTY_PAGES } from "../../../lib/uapi/mod.ts";
import { equal, ok } from "../../std/assert.ts";
import { describe, it as unguarded } from "../../std/testing.ts";
import type { PinnerOrder } from "./child/pinner.ts";
import { it } from "../support/guard.ts";
import { LOW } from "../support/machine.ts";
import { at, numbers, pages, pinnedNow, PINS, Scene, show } from "./scene.ts";
import { VendorDevice } from "./vendor_device.ts";

const GET_BITMAP = 4;

/** Linux, where something happens right before each read of the dirty bitmap. */
function beforeRead(happen: (read: number) => void): Kernel {
  let reads = 0;
  const watched = (fd: number, request: number, bytes: Uint8Array): number => {
    const flags = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (request === VFIO_IOMMU_DIRTY_PAGES && flags.getUint32(4, true) === GET_BITMAP) {
      happen(reads += 1);
    }
    return linux.ioctlBuffer(fd, request, bytes);
  };
  return new Proxy(linux, {
    get: (target, name) => {
      if (name === "ioctlBuffer") return watched;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** A container whose driver acts before the reads that `happen` is called for. */
function acting(
  happen: (read: number, vendor: VendorDevice) => void,
  body: (container: Container, vendor: VendorDevice) => void,
): void {
  let vendor: VendorDevice | undefined = undefined as VendorDevice | undefined;
  using container = Container.open({ kernel: beforeRead((read) => happen(read, vendor!)) });
  using memory = container.allocate(pages(64));
  using group = container.attach(PINS);
  using _mapping = container.map(memory, { iova: LOW });
  using device = new VendorDevice(group);
  vendor = device;
  body(container, device);
}

describe("a driver that acts between two reads", () => {
  it("is seen as the caveat says: what it released then is in it once", () => {
    acting((read, vendor) => read === 2 && vendor.unpin(at(3)), (container, vendor) => {
      using _tracker = container.trackDirty();
      vendor.pin(at(2), 2);
      const pinned = container.pinned();
      ok(pinned.known);
      equal([pinned.how, show(numbers(pinned.pages))], ["two-reads", "2-3"]);
      equal(
        pinned.caveat,
        "a page that a driver released or wrote between the two reads is in it too",
      );
      equal(pinnedNow(container), "2");
    });
  });

  it("is seen after START too", () => {
    acting((read, vendor) => read === 1 && vendor.unpin(at(3)), (container, vendor) => {
      vendor.pin(at(2), 2);
      const pinned = container.pinned();
      ok(pinned.known);
      equal([pinned.how, show(numbers(pinned.pages))], ["start-get-stop", "2-3"]);
      equal(
        pinned.caveat,
        "a page that a driver released or wrote between START and the read is in it too",
      );
      equal(pinnedNow(container), "2");
    });
  });

  it("loses nothing in the history: pinned between the reads of a round counts as new", () => {
    // Each look takes two reads: 1 and 2 begin the history, 3 to 6 are its rounds.
    acting((read, vendor) => read === 4 && vendor.pin(at(9)), (container) => {
      using history = container.pinHistory();
      const rounds = [history.next(), history.next()];
      equal(rounds.map(({ fresh, released }) => [show(numbers(fresh)), released.count]), [
        ["9", 0],
        ["none", 0],
      ]);
    });
  });
});

describe("a driver that acts on another processor, all the time", () => {
  // Without the guard: Deno closes the files of a worker some time after its end.
  unguarded("makes no page appear that it never had, and none of its pages is lost", async () => {
    using scene = new Scene({ size: 1024 });
    const { container, vendor } = scene;
    vendor.pin(at(0), 8);
    const state = new Int32Array(new SharedArrayBuffer(4));
    const iovas = Array.from({ length: 500 }, (_, i) => at(100 + i));
    const worker = new Worker(new URL("child/pinner.ts", import.meta.url), { type: "module" });
    try {
      const ready = Promise.withResolvers<void>();
      worker.onmessage = () => ready.resolve();
      worker.onerror = (event) => ready.reject(new Error(event.message));
      const order: PinnerOrder = { fd: vendor.device.fd, iovas, state };
      worker.postMessage(order);
      await ready.promise;
      using tracker = container.trackDirty();
      const seen = new Set<number>();
      Atomics.store(state, 0, 1);
      Atomics.notify(state, 0);
      for (let last = false; !last;) {
        last = Atomics.load(state, 0) !== 1;
        for (const page of numbers(pinnedPages(container))) seen.add(page);
        const dirty = [...tracker.runs()].flatMap(({ iova, pages: count }) =>
          Array.from({ length: count }, (_, i) => Number((iova - LOW) / 4096n) + i)
        );
        equal(show(dirty.filter((page) => page < 100)), "0-7");
        for (const page of dirty) seen.add(page);
      }
      equal(Atomics.load(state, 0), 2, "the driver's thread");
      equal(show(seen), "0-7,100-599");
      equal(pinnedNow(container), "0-7");
    } finally {
      Atomics.store(state, 0, -1);
      worker.terminate();
    }
  });
});

function pinnedPages(container: Container): Parameters<typeof numbers>[0] {
  const pinned = container.pinned();
  if (!pinned.known) throw new Error(pinned.reason);
  return pinned.pages;
}
