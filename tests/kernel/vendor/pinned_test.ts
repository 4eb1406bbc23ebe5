/** Which pages are pinned, as the library finds it, against what the driver was told to pin. */

import { VfioError } from "../../../mod.ts";
import { equal, match, ok, throws } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { at, dirty, numbers, pinnedNow, Scene, show, VENDOR_PCI, VFIO_PCI } from "./scene.ts";

describe("pinned pages", () => {
  it("are told with a tracker on, which loses nothing by it", () => {
    using scene = new Scene();
    using tracker = scene.container.trackDirty();
    scene.vendor.pin(at(3), 2);
    scene.vendor.write(at(9), new Uint8Array(1));
    equal(pinnedNow(scene.container), "3-4");
    scene.vendor.unpin(at(4));
    equal(pinnedNow(scene.container), "3");
    equal(dirty(tracker), "3-4,9");
    equal(dirty(tracker), "3");
  });

  it("cannot be told beside vfio-pci, and the reason names its group", () => {
    using scene = new Scene();
    scene.vendor.pin(at(0));
    using plain = scene.join(VFIO_PCI);
    const pinned = scene.container.pinned();
    ok(!pinned.known);
    match(pinned.reason, new RegExp(`group ${plain.number} keeps it from being pinned pages only`));
  });
});

describe("the history of pins", () => {
  it("tells newly pinned, released and touched once apart", () => {
    using scene = new Scene();
    scene.vendor.pin(at(0), 2);
    using history = scene.container.pinHistory();
    scene.vendor.pin(at(8), 2);
    scene.vendor.unpin(at(0));
    scene.vendor.write(at(20), new Uint8Array(1));
    scene.vendor.pin(at(30));
    scene.vendor.unpin(at(30));
    const { pinned, fresh, released, once } = history.next();
    const all = [pinned, fresh, released, once].map((map) => show(numbers(map)));
    equal(all, ["1,8-9", "8-9", "0", "20,30"]);
    const next = history.next();
    equal([next.fresh, next.released, next.once].map((map) => map.count), [0, 0, 0]);
  });
});

describe("the dirty scope", () => {
  it("of the vendor's PCI driver: a probe sees it turn at the first pin", () => {
    using scene = new Scene({ device: VENDOR_PCI });
    const { container, vendor } = scene;
    equal([container.scope().label, container.scope().basis], ["unknown", "none"]);
    const before = container.probeScope();
    equal([before.label, before.basis], ["all-mapped", "evidence"]);
    const why = `every mapped page was: the driver of group ${scene.group.number} had not pinned`;
    equal(before.reason.includes(why), true, before.reason);
    ok(!container.pinned().known);
    vendor.pin(at(5));
    const after = container.probeScope();
    equal([after.label, after.basis], ["pinned-scope", "evidence"]);
    equal(pinnedNow(container), "5");
    vendor.unpin(at(5));
    equal(container.scope().label, "pinned-scope");
    equal(pinnedNow(container), "none");
  });

  it("starts over when its group comes again", () => {
    using scene = new Scene();
    const { container } = scene;
    using tracker = container.trackDirty();
    const first = container.attach(VENDOR_PCI);
    equal(container.scope().label, "unknown");
    first[Symbol.dispose]();
    equal([container.scope().label, dirty(tracker)], ["pinned-scope", "0-63"]);
    equal(dirty(tracker), "none");
    using _again = container.attach(VENDOR_PCI);
    equal(container.probeScope().label, "all-mapped");
  });

  it("and its history end with a reason when vfio-pci joins", () => {
    using scene = new Scene();
    using history = scene.container.pinHistory();
    using _plain = scene.join(VFIO_PCI);
    throws(() => history.next(), VfioError, "keeps it from being pinned pages only");
  });
});
