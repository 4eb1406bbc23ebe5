/** The command line on devices that log, and on one that does not. */
import { records, run } from "../../cli/capture.ts";
import { equal, match } from "../../std/assert.ts";
// dirty reads on a thread, whose event loop has files of its own for a second: nothing counts them.
import { describe, it } from "../../std/testing.ts";
import { LOGS, LOGS_PCI, MIGRATES, VFIO_PCI } from "./scene.ts";

/** Of a command: its text, with lines that were broken put together. */
async function text(...args: string[]): Promise<string> {
  const { code, out, err } = await run(args);
  equal(code, 0, err);
  return `${out}${err}`.replace(/\n {2,}(?=\S)/g, " ");
}

describe("pinscope on devices that log", () => {
  it("info: whether a device logs, and its migration states", async () => {
    match(
      await text("info", LOGS),
      /DMA log: works migration: stop, .*, pre-copy-p2p; now running/,
    );
    match(
      await text("info", MIGRATES),
      /migration: stop, running, stop-copy, resuming; now running/,
    );
    const shown = await run(["info", LOGS_PCI, "--json"]);
    const found = records(shown.out).filter(({ type }) =>
      type === "dmaLog" || type === "migration"
    );
    equal(found, [{ type: "dmaLog", works: true, reason: null }]);
  });

  it("dirty: the log by itself, type1 where it is asked for or all there is", async () => {
    const now = ["--interval", "0", "--count", "1", "--map", "16M:1M"];
    const log = await text("dirty", LOGS_PCI, ...now);
    match(log, /source log: DMA log of 0000:00:11\.0: 1 MiB in 4 KiB pages/);
    match(log, /^round 1: clean; 1 window read/m);
    match(await text("dirty", LOGS_PCI, ...now, "--source", "type1"), /256 pages dirty .*unknown/s);
    match(
      await text("dirty", VFIO_PCI, ...now),
      /source type1: .*keeps no log.*does not track.*all-mapped/s,
    );
  });
});
