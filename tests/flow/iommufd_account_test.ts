/** The accounts of a container over iommufd on the model: what tests/kernel/own has seen on a kernel. */
import { LAB_SCENES, ModelKernel } from "../../lib/model/mod.ts";
import { ledgerLines, LIMIT, OVER, seenBy } from "../kernel/own/account_cases.ts";
import { equal } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";

describe("the accounts of an IommufdContainer", () => {
  for (const account of ["user", "process"] as const) {
    for (const ipcLock of [false, true]) {
      it(`${account}, ${ipcLock ? "with" : "without"} CAP_IPC_LOCK`, () => {
        const kernel = new ModelKernel({ ...LAB_SCENES.own, ipcLock, memlock: LIMIT * 4096n });
        equal(seenBy(kernel, account), {
          lines: ledgerLines(account === "process" && !ipcLock),
          differences: [],
          fits: ipcLock ? [5, 5] : [4, "ENOMEM", 4, "ENOMEM"],
          over: OVER[ipcLock ? "free" : "limited"],
        });
        equal([kernel.openFiles, kernel.openMappings], [0, 0]);
      });
    }
  }
});
