/** The memory limit in a container of mediated devices: it counts at the pin. */

import { equal, match } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { runChild } from "../support/child.ts";
import { it } from "../support/guard.ts";

describe("a limit of 4 pages without CAP_IPC_LOCK", () => {
  it("lets 64 pages be mapped and 4 be pinned; the fifth, and an IOMMU, meet it", async () => {
    const change = { memlock: 4n * 4096n, withoutIpcLock: true };
    const seen = await runChild("../vendor/memlock_child.ts", change);
    equal([seen["fits"], seen["afterMap"]], [true, 0]);
    equal(seen["pins"], ["OK", "OK", "OK", "OK", "ENOMEM"]);
    equal(seen["afterPins"], 4 * 4096);
    match(String(seen["later"]), /at each page that a driver pins \(ENOMEM there\), with 16 KiB/);
    match(String(seen["later"]), /when a group behind an IOMMU joins, .* which will not: VmLck/);
    match(String(seen["message"]), /ENOMEM \(12\): the 256 KiB mapped so far are pinned when the/);
    equal(seen["groups"], 1);
  });
});
