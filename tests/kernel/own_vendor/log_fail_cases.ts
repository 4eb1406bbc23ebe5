/** What must become of a log whose device fails to report, on any kernel with a device that logs. */

import { Container, type DirtyTracker, type Extent, type Kernel, VfioError } from "../../../mod.ts";
import { equal, match, throws } from "../../std/assert.ts";
import { LOW, PAGE } from "../support/machine.ts";
import { VendorDevice } from "../vendor/vendor_device.ts";
import { LOGS, range } from "./scene.ts";

const PAGES = 64;

/** What mlx5 answers, and what is to be said of it. */
const ANSWERS = [
  ["ENOTCONN", 107, /has lost its log.*as dirty, dispose the log and start another/],
  ["EIO", 5, /has lost its log.*as dirty, dispose the log and start another/],
  ["ENOMEM", 12, /no memory.*the next drain reports every page/],
] as const;

/** Each window of a drain: its label and how many of its pages are dirty. */
function seen(tracker: DirtyTracker): unknown[] {
  const found: unknown[] = [];
  for (const { label, count } of tracker.drain()) found.push([label, count]);
  return found;
}

function drainFails(tracker: DirtyTracker, code: string, text: RegExp): void {
  const error = throws(() => [...tracker.drain()], VfioError);
  equal([error.code, error.operation], [code, "VFIO_DEVICE_FEATURE"]);
  match(error.message, text);
}

/** Runs all of it. */
export function failingLog(kernel: Kernel): void {
  using container = Container.open({ kernel });
  using group = container.attach(LOGS);
  using vendor = new VendorDevice(group);
  for (const [code, errno, text] of ANSWERS) {
    using log = vendor.device.logDma({ ranges: [range(0, PAGES)] });
    const { tracker } = log;
    vendor.dirty(LOW + 5n * PAGE, 2);
    equal(seen(tracker), [["written", 2]]);
    vendor.dirty(LOW + 9n * PAGE);
    vendor.failReports(errno);
    drainFails(tracker, code, text);
    equal(vendor.log().dirty, 0, "the device has forgotten what it did not tell");
    drainFails(tracker, code, text); // it lasts
    vendor.failReports(0);
    // Nobody knows what is lost: every page counts as dirty, once.
    equal(seen(tracker), [["incomplete", PAGES]], code);
    equal(seen(tracker), [["written", 0]]);
    vendor.dirty(LOW + PAGE);
    equal(seen(tracker), [["written", 1]], "the log is whole again");
  }
  // A log that is started anew is a log without a fault.
  {
    using log = vendor.device.logDma({ ranges: [range(0, PAGES)] });
    vendor.failReports(107);
    drainFails(log.tracker, "ENOTCONN", /start another/);
  }
  using log = vendor.device.logDma({ ranges: [range(0, PAGES)] });
  equal(seen(log.tracker), [["written", 0]]);
}

/** A device that has no room for so many addresses, as mlx5's has not, says so at START. */
export function noRoom(kernel: Kernel): void {
  using container = Container.open({ kernel });
  using group = container.attach(LOGS);
  using vendor = new VendorDevice(group);
  vendor.logSpace(8n * PAGE, 64n * PAGE);
  const start = (...ranges: Extent[]): void => vendor.device.logDma({ ranges })[Symbol.dispose]();
  for (const pages of [7, 65]) {
    const error = throws(() => start(range(0, pages)), VfioError);
    equal([error.code, error.operation], ["EOPNOTSUPP", "VFIO_DEVICE_FEATURE"]);
    match(error.message, new RegExp(`have ${pages * 4} KiB together: more than .* or less`));
    equal(vendor.log().ranges, 0, "no log is kept");
  }
  start(range(0, 8));
  start(range(0, 64));
  start(range(0, 32), range(1000, 32)); // what lies between them does not count
  throws(() => start(range(0, 32), range(1000, 33)), VfioError, "EOPNOTSUPP");
}

/** Only what failed is incomplete: what was read before it stays as it was told. */
export function failsHalfWay(kernel: Kernel): void {
  using container = Container.open({ kernel });
  using group = container.attach(LOGS);
  using vendor = new VendorDevice(group);
  using log = vendor.device.logDma({ ranges: [range(0, PAGES), range(2 * PAGES, PAGES)] });
  vendor.dirty(LOW, 1);
  const windows = log.tracker.drain({ maxBitmapBytes: 8 });
  const first = windows.next().value;
  equal([first?.label, first?.count], ["written", 1]);
  vendor.failReports(5);
  throws(() => windows.next(), VfioError, "EIO");
  vendor.failReports(0);
  equal(seen(log.tracker), [["written", 0], ["incomplete", PAGES]]);
}
