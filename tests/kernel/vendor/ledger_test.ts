/** What operations should cost by the rules, against what the kernel charges. */

import { Container, type Ledger, rawLinux as linux } from "../../../mod.ts";
import { MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ } from "../../../lib/sys/constant.ts";
import { equal, match, ok } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { LOW } from "../support/machine.ts";
import { at, pages, PINS, VENDOR_PCI, VFIO_PCI } from "./scene.ts";
import { VendorDevice } from "./vendor_device.ts";

const KiB = 1024n;

const MAP_LOCKED = 0x2000;

/** Locks memory of the process as mlock does, until it is disposed. */
function lockPages(count: number): Disposable {
  const size = pages(count);
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED;
  const address = linux.mmap(size, PROT_READ, flags, -1, 0n);
  if (typeof address === "number") throw new Error(`mmap: ${address}`);
  return { [Symbol.dispose]: () => void linux.munmap(address, size) };
}

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
    // Untouched memory that is only read is the page of zeros, which some kernels do not count.
    readOnly.bytes.fill(1);
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
    equal(ledger.mappings, [
      { subject: "1 MiB at iova 0x1000000", charged: 0n, returned: pages(10) },
      { subject: "64 KiB at iova 0x1400000", charged: 0n, returned: 0n },
    ]);
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

  it("names the page of zeros where a kernel does not count it", () => {
    using container = Container.open();
    using untouched = container.allocate(pages(16));
    const ledger = container.keepLedger();
    const group = container.attach(VFIO_PCI);
    const mapping = container.map(untouched, { iova: LOW, access: "r" });
    mapping[Symbol.dispose]();
    group[Symbol.dispose]();
    const [, map] = ledger.entries;
    ok(map !== undefined);
    const isCounted = map.charged.locked === pages(16);
    equal(map.difference, isCounted ? 0n : -pages(16));
    equal(/less than the rules say: .* the page of zeros/.test(map.notes.join()), !isCounted);
    equal([ledger.total.locked, ledger.differences.includes(map)], [0n, !isCounted]);
  });

  it("shows what the process locks itself: as such, or as what a driver may have done", () => {
    using container = Container.open();
    using memory = container.allocate(pages(8));
    memory.bytes.fill(1);
    const ledger = container.keepLedger();
    const group = container.attach(VFIO_PCI);
    const first = lockPages(3);
    const mapping = container.map(memory, { iova: LOW });
    first[Symbol.dispose]();
    mapping[Symbol.dispose]();
    group[Symbol.dispose]();
    const mediated = container.attach(PINS);
    const second = lockPages(3);
    const again = container.map(memory, { iova: LOW });
    const joined = container.attach(VFIO_PCI);
    equal(lines(ledger), [
      "attach 0 0",
      "other 12 12",
      "map 32 0",
      "other -12 -12",
      "unmap -32 0",
      "detach 0 0",
      "attach 0 0",
      "other 12 0", // a driver may have pinned: nothing tells
      "map 0 0",
      "attach 32 12", // more than if a driver had pinned 12 KiB of it
    ]);
    const [own, , , maybe] = ledger.entries.filter(({ notes }) => notes.length > 0);
    match(own?.notes.join() ?? "", /^mlock, another container, or another library/);
    equal(own?.subject, "the rest of the process");
    const last = ledger.entries.at(-1)?.notes.join() ?? "";
    match(last, /^12 KiB more than the rules say: the process locked memory elsewhere/);
    equal(ledger.entries[7]?.subject, "drivers, or the process");
    match(ledger.entries[7]?.notes.join() ?? "", /mlock and other containers count here too/);
    ok(maybe !== undefined);
    for (const part of [joined, again, second, mediated]) part[Symbol.dispose]();
    equal(ledger.total.locked, 0n);
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
