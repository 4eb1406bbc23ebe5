/** The device's log and type1, of the same device at the same time. */
import { crossCheck, type CrossSide, DirtyMap, type DirtyTracker } from "../../../mod.ts";
import { equal } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { PAGE } from "../support/machine.ts";
import { at, Scene } from "../vendor/scene.ts";
import { numbers, show } from "../vendor/scene.ts";
import { LOGS, LOGS_PCI } from "./scene.ts";

/** Reads all of a tracker into a set. */
function set(tracker: DirtyTracker): DirtyMap {
  const found = new DirtyMap(PAGE);
  for (const window of tracker.drain()) found.add(window);
  return found;
}

/** What only one of two sources tells, counted from LOW. */
function compare(log: DirtyTracker, type1: DirtyTracker): { log: string; type1: string } {
  const side = (tracker: DirtyTracker): CrossSide => ({
    source: tracker.source,
    windows: tracker.drain(),
  });
  const { sources, differences, unread } = crossCheck(side(log), side(type1));
  equal([sources, unread], [["log", "type1"], { a: 0, b: 0 }]);
  const only = (which: "a" | "b"): string => {
    const map = new DirtyMap(PAGE);
    for (const run of differences) if (run.only === which) map.addRange(run.iova, run.pages);
    return show(numbers(map));
  };
  return { log: only("a"), type1: only("b") };
}

describe("the device's log beside type1", () => {
  it("is the same for what a mediated device writes", () => {
    using scene = new Scene({ device: LOGS });
    const { vendor, container } = scene;
    using tracker = container.trackDirty();
    using log = vendor.device.logDma({ ranges: container.mappings });
    for (const page of [0, 1, 7, 40, 63]) vendor.write(at(page), new Uint8Array(8));
    equal(compare(log.tracker, tracker), { log: "none", type1: "none" });
    equal(compare(log.tracker, tracker), { log: "none", type1: "none" });
  });

  it("tells what is written into pinned pages, of which type1 knows that they are pinned", () => {
    using scene = new Scene({ device: LOGS });
    const { vendor, container } = scene;
    using tracker = container.trackDirty();
    using log = vendor.device.logDma({ ranges: container.mappings });
    vendor.pin(at(10), 4);
    vendor.writeThroughPin(at(12), new Uint8Array(8));
    equal(compare(log.tracker, tracker), { log: "none", type1: "10-11,13" });
    equal(compare(log.tracker, tracker), { log: "none", type1: "10-13" });
    vendor.dirty(at(20));
    equal(compare(log.tracker, tracker), { log: "20", type1: "10-13" }, "type1 misses it");
  });

  it("is exact for a device behind the IOMMU, of which type1 tells all that is mapped", () => {
    using scene = new Scene({ device: LOGS_PCI });
    const { vendor, container } = scene;
    using tracker = container.trackDirty();
    using log = vendor.device.logDma({ ranges: container.mappings });
    vendor.write(at(5), new Uint8Array(1));
    const [window] = tracker.drain();
    equal([window?.label, window?.count], ["unknown", 64], "its driver might have pinned");
    equal(show(numbers(set(log.tracker))), "5");
    vendor.dirty(at(62), 2);
    equal(compare(log.tracker, tracker), { log: "none", type1: "0-61" });
  });
});
