/** A device's own log, read by another thread. */
import { equal } from "../../std/assert.ts";
// The thread's event loop has files of its own for a second, so nothing counts them here.
import { describe, it } from "../../std/testing.ts";
import { LOW, PAGE } from "../support/machine.ts";
import { Scene } from "../vendor/scene.ts";
import { LOGS, range } from "./scene.ts";

describe("the tracker of a device's log", () => {
  it("reads rounds, and with another thread", async () => {
    using scene = new Scene({ device: LOGS });
    using log = scene.vendor.device.logDma({ ranges: [range(0, 4096)] });
    scene.vendor.dirty(LOW, 2);
    scene.vendor.dirty(LOW + 4095n * PAGE);
    const seen: string[] = [];
    for await (const window of log.tracker.drainAsync({ maxBitmapBytes: 64 })) {
      for (const run of window.runs()) seen.push(`${(run.iova - LOW) / PAGE}+${run.pages}`);
    }
    equal(seen, ["0+2", "4095+1"]);
    scene.vendor.dirty(LOW + 9n * PAGE);
    const rounds = [];
    for await (const round of log.tracker.rounds({ interval: 0, count: 2 })) rounds.push(round);
    equal(rounds.map(({ pages, labels }) => [pages, labels]), [[1, ["written"]], [0, ["written"]]]);
  });
});
