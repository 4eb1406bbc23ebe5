import { Container, type Ledger } from "../../mod.ts";
import {
  DEFAULT_MDEV,
  ModelKernel,
  type SceneMdev,
  type ScenePciDevice,
} from "../../lib/model/mod.ts";
import { equal, match, throws } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";

const KiB = 1024n;
const MiB = 1n << 20n;
const PCI = "0000:00:10.0";
const DEVICES: readonly (ScenePciDevice | SceneMdev)[] = [
  { kind: "mdev", name: DEFAULT_MDEV, group: 1 },
  {
    kind: "pci",
    name: PCI,
    group: 2,
    id: [0x1234, 0x11e8],
    class: 0x00ff00,
    driver: "vfio-pci",
    model: "edu",
  },
];

/** Kind, bytes charged and bytes beyond the rules of each line. */
const lines = (ledger: Ledger): [string, bigint, bigint][] =>
  ledger.entries.map(({ kind, charged, difference }) => [kind, charged.locked, difference]);

describe("the ledger", () => {
  it("agrees with the kernel from the first attach to the last detach, mixed container", () => {
    const kernel = new ModelKernel({ devices: DEVICES });
    using container = Container.open({ kernel });
    const ledger = container.keepLedger();
    equal(container.keepLedger(), ledger);
    const group = container.attach(DEFAULT_MDEV);
    const device = group.device();
    using memory = container.allocate(MiB);
    using readOnly = container.allocate(64n * KiB);
    const first = container.map(memory, { iova: 0n });
    const second = container.map(readOnly, { iova: 1n << 30n, access: "r" });
    const driver = kernel.vendor(DEFAULT_MDEV);
    container.recordDriver("pins 5 pages", 5, () => driver.pin(0n, 5));
    driver.pin(0x8000n, 2); // unseen: noted as a change of its own
    const joined = container.attach(PCI);
    joined[Symbol.dispose]();
    second[Symbol.dispose]();
    first[Symbol.dispose]();
    device[Symbol.dispose]();
    group[Symbol.dispose]();
    equal(lines(ledger), [
      ["attach", 0n, 0n],
      ["map", 0n, 0n],
      ["map", 0n, 0n],
      ["driver", 20n * KiB, 0n],
      ["other", 8n * KiB, 0n],
      ["attach", 1088n * KiB - 28n * KiB, 0n],
      ["detach", 28n * KiB - 1088n * KiB, 0n],
      ["unmap", 0n, 0n],
      ["unmap", -28n * KiB, 0n],
      ["detach", 0n, 0n],
    ]);
    equal([ledger.total.locked, ledger.total.pinned, ledger.driverLocked], [0n, 0n, 0n]);
    equal(ledger.differences, []);
    equal(ledger.mappings, [
      { subject: "1 MiB at iova 0x0", charged: 0n, returned: 28n * KiB },
      { subject: "64 KiB at iova 0x40000000", charged: 0n, returned: 0n },
    ]);
    equal(ledger.entries[1]?.charged.dmaAvailable, -1);
    equal(ledger.entries[1]?.subject, "1 MiB at iova 0x0");
  });

  it("counts memory that is mapped twice each time, and says so", () => {
    using container = Container.open({ kernel: new ModelKernel({ devices: DEVICES }) });
    const ledger = container.keepLedger();
    const group = container.attach(PCI);
    using memory = container.allocate(MiB);
    container.map(memory, { iova: 0n });
    container.map(memory, { iova: MiB });
    match(ledger.entries[2]?.notes.join() ?? "", /mapped more than once, and counted each time/);
    equal(ledger.total.locked, 2n * MiB);
    container.unmapAll();
    group[Symbol.dispose]();
    equal([ledger.total.locked, ledger.differences.length], [0n, 0]);
  });

  it("goes to zero when the last group takes everything with it", () => {
    using container = Container.open({ kernel: new ModelKernel({ devices: DEVICES }) });
    const ledger = container.keepLedger();
    using memory = container.allocate(MiB);
    const group = container.attach(PCI);
    container.map(memory);
    group[Symbol.dispose]();
    equal(lines(ledger).at(-1), ["detach", -MiB, 0n]);
    equal(ledger.total.locked, 0n);
  });

  it("flags and explains what somebody else locks", () => {
    const kernel = new ModelKernel({ devices: DEVICES, memlock: MiB });
    using container = Container.open({ kernel });
    using _group = container.attach(PCI);
    const ledger = container.keepLedger();
    using other = Container.open({ kernel });
    using _second = other.attach(DEFAULT_MDEV);
    using memory = container.allocate(2n * MiB);
    kernel.lock(64n * KiB);
    using _mapping = container.map(memory);
    equal(lines(ledger), [["other", 64n * KiB, 64n * KiB], ["map", 2n * MiB, 0n]]);
    match(ledger.entries[0]?.notes.join() ?? "", /mlock, another container/);
    match(ledger.entries[1]?.notes.join() ?? "", /CAP_IPC_LOCK lifts the limit/);
    kernel.lock(-64n * KiB);
  });

  it("is wanted before a driver can be recorded", () => {
    using container = Container.open({ kernel: new ModelKernel({ devices: DEVICES }) });
    throws(() => container.recordDriver("pin", 1, () => {}), ReferenceError, "keepLedger");
  });
});
