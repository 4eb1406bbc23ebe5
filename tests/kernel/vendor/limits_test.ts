/** A process whose limit changes while it works. */
import { equal, match } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { runChild } from "../support/child.ts";
import { it } from "../support/guard.ts";
import { pages } from "./scene.ts";

describe("a limit that is lowered after the forecast", () => {
  it("is what the refusal and the next forecast tell; what is locked stays", async () => {
    const change = { memlock: pages(64), withoutIpcLock: true, mayRun: true };
    const seen = await runChild("../vendor/child/limits.ts", change);
    equal(seen["before"], true);
    match(
      String(seen["message"]),
      /ENOMEM \(12\): VmLck 0 bytes \+ 128 KiB is above RLIMIT_MEMLOCK 64 KiB \(hard: 256 KiB\)/,
    );
    equal(seen["after"], [false, "ENOMEM"]);
    equal(seen["above"], [128 << 10, 64 << 10, 0]);
  });
});
