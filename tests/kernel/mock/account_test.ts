/** Whom iommufd charges for pinned pages, and when: its three accounts. */
import { equal } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { runChild } from "../support/child.ts";
import { it } from "../support/guard.ts";

/** A limit of 64 pages. */
const memlock = 64n * 4096n;
const CHILD = "../mock/child/account.ts";
const LEDGER = "../mock/child/ledger.ts";

/** What the steps show where VmLck moves with VmPin, or not at all. */
const steps = (counted: boolean, overLimit: string): Record<string, string> => {
  const show = (pages: number): string => `VmLck ${counted ? pages : 0}, VmPin ${pages} pages`;
  return {
    mapped: show(0), //       nothing before there is a page table
    attached: show(8),
    mappedTwice: show(16), // the same memory counts again
    copied: show(8), //       a copy does not
    overLimit,
    atLimit: show(64),
    unmapped: show(0),
  };
};

describe("the account of an iommufd", () => {
  it("without CAP_IPC_LOCK: the user's, invisible in VmLck, or the process's", async () => {
    equal(await runChild(CHILD, { memlock, withoutIpcLock: true }), {
      user: steps(false, "ENOMEM: true"),
      process: steps(true, "ENOMEM: true"),
    });
  });

  it("with CAP_IPC_LOCK: nobody's, whatever was chosen, and no limit", async () => {
    const free = steps(false, "VmLck 0, VmPin 65 pages");
    equal(await runChild(CHILD, { memlock }), { user: free, process: free });
  });
});

/** The ledger's lines: pages of VmPin, and the same of VmLck where the process is charged. */
const ledger = (counted: boolean): unknown => ({
  lines: [
    ["map", 0],
    ["page-table", 8],
    ["map", 8],
    ["copy", 0],
    ["copy", 0],
    ["page-table", 0],
    ["unmap", -3],
    ["unmap", -3],
    ["page-table-gone", -8],
    ["page-table-gone", -2],
    ["unmap", 0],
    ["unmap", 0],
  ].map(([kind, pages]) => `${kind} ${pages} ${counted ? pages : 0}`),
  differences: [],
  reckoned: ["0", "0", "0"],
});

describe("the ledger and the forecast of an iommufd", () => {
  it("agree with VmPin, VmLck and the limit, without CAP_IPC_LOCK", async () => {
    const limit = { mappings: 4, code: "ENOMEM", made: 4, answered: "ENOMEM" };
    equal(await runChild(LEDGER, { memlock, withoutIpcLock: true }), {
      user: ledger(false),
      process: ledger(true),
      fits: { user: limit, process: limit },
    });
  });

  it("agree with VmPin where nobody is charged", async () => {
    const all = { mappings: 5, made: 5 };
    equal(await runChild(LEDGER, { memlock }), {
      user: ledger(false),
      process: ledger(false),
      fits: { user: all, process: all },
    });
  });
});
