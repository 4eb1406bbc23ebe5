/** Whom the container over iommufd charges, in the three modes, beside its ledger and its forecast. */
import { equal } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { runChild } from "../support/child.ts";
import { it } from "../support/guard.ts";
import { PAGE } from "../support/machine.ts";
import { ledgerLines, LIMIT, OVER } from "./account_cases.ts";

const CHILD = "../own/child/account.ts";
const memlock = LIMIT * PAGE;
const seen = (counted: boolean, fits: readonly unknown[]): unknown => ({
  lines: ledgerLines(counted),
  differences: [],
  fits,
  over: OVER[fits.length === 4 ? "limited" : "free"],
});

describe("the account of an iommufd", () => {
  it("is chosen with CAP_SYS_RESOURCE; without, it can only be read", async () => {
    const child = "../own/child/choose.ts";
    equal(await runChild(child, {}), { chosen: { account: "process" } });
    equal(await runChild(child, { withoutSysResource: true }), {
      chosen: { code: "EPERM", operation: "IOMMU_OPTION", named: true, account: "user" },
    });
  });
});

describe("the accounts of an IommufdContainer", () => {
  it("without CAP_IPC_LOCK: the user's, or the process's, up to the limit", async () => {
    const stops = [4, "ENOMEM", 4, "ENOMEM"];
    equal(await runChild(CHILD, { memlock, withoutIpcLock: true }), {
      user: seen(false, stops),
      process: seen(true, stops),
    });
  });

  it("with CAP_IPC_LOCK: nobody's, whatever was chosen", async () => {
    equal(await runChild(CHILD, { memlock }), {
      user: seen(false, [5, 5]),
      process: seen(false, [5, 5]),
    });
  });
});
