/** What operations should cost by the rules, against what the kernel charges. */

import { Container, type Ledger } from "../../../mod.ts";
import { equal, match, ok } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { LOW } from "../support/machine.ts";
import { at, pages, PINS, VENDOR_PCI, VFIO_PCI } from "./scene.ts";
import { VendorDevice } from "./vendor_device.ts";

const KiB = 1024n;

/** Kind, KiB charged and KiB beyond the rules, a line each. */
const lines = (ledger: Ledger): string[] =>
  ledger.entries.map(({ kind, charged, difference }) =>
    `${kind} ${charged.locked / KiB} ${difference / KiB}`
  );

describe("the ledger", () => {
  it("agrees with the kernel in a mixed container, and ends at zero", () => {
    using container = Container.open();
    using memory = container.allocate(pages(256));
    using readOnly = container.allocate(pages(16));
    const ledger = container.keepLedger();
    const group = container.attach(PINS);
    const vendor = new VendorDevice(group);
    const first = container.map(memory, { iova: LOW });
    const second = container.map(readOnly, { iova: LOW + pages(1024), access: "r" });
    container.recordDriver("pins 5 pages", 5, () => vendor.pin(at(0), 5));
    container.recordDriver("pins one of them again", 0, () => vendor.pin(at(0)));
    vendor.pin(at(9), 2); // unseen: a change of its own
    const joined = container.attach(VFIO_PCI);
    container.recordDriver("pins 3 more, which the mapping pays", 3, () => vendor.pin(at(20), 3));
    joined[Symbol.dispose]();
    second[Symbol.dispose]();
    first[Symbol.dispose]();
    vendor[Symbol.dispose]();
    group[Symbol.dispose]();
    equal(lines(ledger), [
      "attach 0 0",
      "map 0 0",
      "map 0 0",
      "driver 20 0",
      "driver 0 0",
      "other 8 0",
      "attach 1060 0",
      "driver 0 0",
      "detach -1048 12", // 3 pages that the driver pinned meanwhile stay charged
      "unmap 0 0",
      "unmap -40 0",
      "detach 0 0",
    ]);
    const [difference] = ledger.differences;
    match(difference?.notes.join() ?? "", /12 KiB more than the rules say: .* or a driver pinned/);
    equal([ledger.total.locked, ledger.total.pinned, ledger.driverLocked], [0n, 0n, 0n]);
    ok(ledger.entries.every(({ charged }) => charged.pinned === 0n), "VmPin moved");
  });

  it("counts the same memory at two addresses twice, and pins of one page once", () => {
    using container = Container.open();
    using memory = container.allocate(pages(4));
    const ledger = container.keepLedger();
    {
      using group = container.attach(PINS);
      using vendor = new VendorDevice(group);
      using _first = container.map(memory, { iova: at(0) });
      using _second = container.map(memory, { iova: at(64) });
      container.recordDriver("one page, twice", 1, () => {
        vendor.pin(at(0));
        vendor.pin(at(0));
      });
      container.recordDriver("the same page at another address", 1, () => vendor.pin(at(64)));
    }
    equal(lines(ledger).slice(3, 5), ["driver 4 0", "driver 4 0"]);
    equal([ledger.total.locked, ledger.differences.length], [0n, 0]);
  });

  it("goes to zero when the last group takes everything with it", () => {
    using container = Container.open();
    using memory = container.allocate(pages(64));
    const ledger = container.keepLedger();
    const group = container.attach(VENDOR_PCI);
    const vendor = new VendorDevice(group);
    container.map(memory, { iova: LOW });
    container.recordDriver("pins 8 pages", 8, () => vendor.pin(at(0), 8));
    group[Symbol.dispose]();
    equal(lines(ledger), ["attach 0 0", "map 256 0", "driver 0 0", "detach -256 0"]);
    equal(ledger.total.locked, 0n);
  });
});
