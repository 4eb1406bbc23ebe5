/** The ledger and the forecast of an iommufd on the model: they agree with what the kernel counts. */
import { Iommufd, type IommufdLedger, type PinAccount } from "../../mod.ts";
import { LAB_SCENES, ModelKernel } from "../../lib/model/mod.ts";
import { equal, match, ok, throws } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";

const PAGE = 4096n;
const EDU = "0000:00:10.0";
const EDU2 = "0000:00:11.0";
const AT = 0x100_0000n;

const host = (ipcLock: boolean): ModelKernel =>
  new ModelKernel({
    ...LAB_SCENES.own,
    ipcLock,
    memlock: 64n * PAGE,
    iommufd: { dirtyTracking: true },
  });

/** Kind, pages of VmPin and VmLck for each line; nothing may differ from the rules. */
function lines(ledger: IommufdLedger): string[] {
  equal(ledger.differences, []);
  return ledger.entries.map(({ kind, charged }) =>
    `${kind} ${charged.pinned / PAGE} ${charged.locked / PAGE}`
  );
}

/** All that an iommufd does, with two devices and two address spaces. */
function life(kernel: ModelKernel, account: PinAccount): IommufdLedger {
  using iommufd = Iommufd.open({ kernel });
  iommufd.account = account;
  const ledger = iommufd.keepLedger();
  equal(iommufd.keepLedger(), ledger);
  using device = iommufd.bind(EDU);
  using second = iommufd.bind(EDU2);
  const space = iommufd.addressSpace();
  using memory = iommufd.allocate(64n * PAGE);
  const mapping = space.map(memory, { iova: AT, size: 8n * PAGE });
  const attachment = device.attach(space);
  space.map(memory, { size: 8n * PAGE });
  const copy = space.copy(space, mapping, { offset: PAGE, size: 4n * PAGE });
  const other = iommufd.addressSpace();
  other.copy(space, mapping, { size: 2n * PAGE });
  const table = other.pageTable(second, { dirtyTracking: true });
  second.attach(table);
  mapping[Symbol.dispose]();
  copy[Symbol.dispose]();
  table[Symbol.dispose]();
  attachment[Symbol.dispose]();
  space.pageTable(device);
  space[Symbol.dispose]();
  const { pinned, locked } = ledger.total;
  equal([pinned, locked, ledger.reckoned], [0n, 0n, { pinned: 0n, locked: 0n, user: 0n }]);
  return ledger;
}

describe("the ledger of an iommufd", () => {
  const wanted = (charged: boolean): string[] => {
    const line = (kind: string, pages: number): string => `${kind} ${pages} ${charged ? pages : 0}`;
    return [
      line("map", 0),
      line("page-table", 8),
      line("map", 8),
      line("copy", 0), //            pages of the first mapping
      line("copy", 0), //            no page table there yet
      line("page-table", 0), //      pages 0 and 1, pinned already
      line("unmap", -3), //          0 and 1 stay in the other space, 1 to 4 in the copy
      line("unmap", -3), //          1 stays
      line("page-table-gone", -2),
      line("page-table-gone", -8),
      line("page-table", 8),
      line("page-table-gone", -8),
      line("unmap", 0), //           the address space itself, and at the end the other one
      line("unmap", 0),
    ];
  };

  it("of the process: VmLck moves with VmPin", () => {
    equal(lines(life(host(false), "process")), wanted(true));
  });

  it("of the user: VmLck stays, and the ledger reckons what is not shown", () => {
    const ledger = life(host(false), "user");
    equal(lines(ledger), wanted(false));
    const table = ledger.entries[1];
    equal(table?.expected?.user, 8n * PAGE);
    match(table?.notes.join() ?? "", /the user is charged 32 KiB, which \/proc does not show/);
  });

  it("of nobody, with CAP_IPC_LOCK", () => {
    const ledger = life(host(true), "process");
    equal(lines(ledger), wanted(false));
    match(ledger.entries[1]?.notes.join() ?? "", /with CAP_IPC_LOCK at the map nobody is charged/);
  });

  it("begins with what is there, and tells what something else did", () => {
    const kernel = host(false);
    using iommufd = Iommufd.open({ kernel });
    iommufd.account = "process";
    using device = iommufd.bind(EDU);
    using space = iommufd.addressSpace();
    using memory = iommufd.allocate(8n * PAGE);
    const mapping = space.map(memory);
    using _attachment = device.attach(space);
    const ledger = iommufd.keepLedger();
    equal(ledger.reckoned.locked, 8n * PAGE);
    kernel.lock(2n * PAGE);
    mapping[Symbol.dispose]();
    equal(ledger.entries.map(({ kind, lockedDifference }) => [kind, lockedDifference]), [
      ["other", 2n * PAGE],
      ["unmap", 0n],
    ]);
    equal(ledger.differences.length, 1);
  });

  it("has no line for what was refused", () => {
    using iommufd = Iommufd.open({ kernel: host(false) });
    const ledger = iommufd.keepLedger();
    using device = iommufd.bind(EDU);
    using space = iommufd.addressSpace();
    using memory = iommufd.allocate(65n * PAGE);
    using _table = space.pageTable(device);
    throws(() => space.map(memory), Error, "ENOMEM");
    equal(lines(ledger), ["page-table 0 0"]);
  });
});

describe("the forecast of an address space", () => {
  for (const account of ["process", "user"] as const) {
    it(`of the ${account} is what happens`, () => {
      using iommufd = Iommufd.open({ kernel: host(false) });
      iommufd.account = account;
      using device = iommufd.bind(EDU);
      using space = iommufd.addressSpace();
      using memory = iommufd.allocate(64n * PAGE);
      const plan = [{ size: 16n * PAGE, count: 5 }];
      const before = space.forecast(plan);
      ok(before.fits && before.later.some((text) => text.includes("will not (ENOMEM there)")));
      using _attachment = device.attach(space);
      const { mappings, stop, pinned } = space.forecast(plan);
      equal([mappings, stop?.code, pinned], [4, "ENOMEM", 64n * PAGE]);
      for (let i = 0n; i < 4n; i += 1n) space.map(memory, { size: 16n * PAGE });
      throws(() => space.map(memory, { size: 16n * PAGE }), Error, "ENOMEM");
      equal(space.forecast([{ size: PAGE }]).fits, false);
    });
  }
});
