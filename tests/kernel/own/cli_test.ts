/** The sources of dirty pages on an emulated VT-d, by the command line, and what is odd about them. */
import { createMdev, removeMdev } from "../../../mod.ts";
import { records, run, unwrapped } from "../../cli/capture.ts";
import { equal, match } from "../../std/assert.ts";
import { describe, it as plain } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { EDU } from "../support/machine.ts";
import { sinceSeven } from "../support/release.ts";

const MTTY = "50696e73-0000-4000-8000-0000000000fe";
const NOW = ["--interval", "0", "--count", "1", "--map", "16M:1M"];

describe("pinscope on the lab's own kernel", () => {
  it("info: the node of a device, its IOMMU, and which sources would work", async () => {
    const { code, out, err } = await run(["info", EDU, "--json"]);
    equal([code, err], [0, ""]);
    const all = records(out);
    const iommufd = all.find(({ type }) => type === "iommufd");
    match(`${iommufd?.["node"]}`, /^\/dev\/vfio\/devices\/vfio\d+$/);
    const { type, dirtyTracking, capabilities } = iommufd?.["hardware"] as Record<string, unknown>;
    // Newer kernels tell of a device without address translation services.
    const bits = sinceSeven() ? "0x8" : "0x0";
    equal([type, dirtyTracking, capabilities], ["intel-vtd", false, bits]);
    equal(all.filter(({ type }) => type === "source").map((one) => [one["source"], one["works"]]), [
      ["log", false],
      ["hwpt", false],
      ["type1", true],
    ]);
    match((await run(["info"])).out, /^ {2}0000:00:10\.0 .*vfio-pci +vfio\d+$/m);
  });

  // It reads on a thread, whose event loop has files of its own for a second: nothing counts them.
  plain("dirty: type1, and why neither of the others", async () => {
    const { code, out, err } = await run(["dirty", EDU, ...NOW, "--source", "type1"]);
    equal([code, err.includes("source")], [0, false]);
    const best = await run(["dirty", EDU, ...NOW]);
    equal([best.code, best.out], [0, out]);
    const flat = unwrapped(best.err);
    match(flat, /source type1: .*\n.*--source log would not do: the driver .* keeps no log/);
    match(
      flat,
      /--source hwpt would not do: the IOMMU of 0000:00:10\.0 does not track dirty pages/,
    );
    const hwpt = await run(["dirty", EDU, ...NOW, "--source", "hwpt"]);
    equal([hwpt.code, hwpt.out], [1, ""]);
    match(unwrapped(hwpt.err), /EOPNOTSUPP \(95\): the IOMMU of 0000:00:10\.0 does not track/);
  });

  plain("dirty: a device whose driver pretends to log, and no IOMMU sees", async () => {
    createMdev("mtty", "mtty-1", MTTY);
    try {
      const { code, out, err } = await run(["dirty", MTTY, ...NOW]);
      equal([code, out], [0, "round 1: clean; 1 window read\n"]);
      const flat = unwrapped(err);
      match(flat, /--source log would not do: .* logs nothing, as the sample driver mtty does/);
      match(flat, /--source hwpt would not do: \S+ is a mediated device: no IOMMU sees/);
      const log = await run(["dirty", MTTY, ...NOW, "--source", "log"]);
      equal([log.code, log.out], [1, ""]);
      match(unwrapped(log.err), /^pinscope: Cannot use a log: the driver of .* logs nothing/);
    } finally {
      removeMdev(MTTY);
    }
  });

  it("quirks: those of type1, and of the mock IOMMU where it works beside VT-d", async () => {
    const { code, out, err } = await run(["quirks"]);
    equal(code, 0);
    if (sinceSeven()) {
      match(out, /: 12 quirks probed, 11 of them here; 2 could not be\n/);
      return;
    }
    match(out, /: 7 quirks probed, 7 of them here; 7 could not be\n/);
    match(
      unwrapped(err),
      /hwpt\.off-ok, .*: not probed: a page table with dirty tracking: EOPNOTSUPP/,
    );
  });
});
