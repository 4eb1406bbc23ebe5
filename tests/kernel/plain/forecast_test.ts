/** The forecast at its edges: the last mapping that fits, fits, and one page more does not. */

import { equal, match } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { runChild } from "../support/child.ts";
import { it } from "../support/guard.ts";

const LIMIT = 64n * 4096n;

describe("a forecast", () => {
  it("is right at the edge of the memory limit, without CAP_IPC_LOCK", async () => {
    const change = { memlock: LIMIT, withoutIpcLock: true };
    const seen = await runChild("forecast_child.ts", change, "0000:00:10.0");
    equal([seen["fits"], seen["predicted"], seen["locked"]], [64, "ENOMEM", Number(LIMIT)]);
    equal([seen["lockedThen"], seen["code"]], [Number(LIMIT), "ENOMEM"]);
    const text = /VmLck 256 KiB \+ 4 KiB is above RLIMIT_MEMLOCK 256 KiB \(hard: 256 KiB\)/;
    match(String(seen["reason"]), text);
    match(String(seen["message"]), text);
  });
});
