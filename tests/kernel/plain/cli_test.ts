/** The sources of dirty pages by the command line, where the kernel has no iommufd, or no dirty bits. */
import { records, run, unwrapped } from "../../cli/capture.ts";
import { equal, match, ok } from "../../std/assert.ts";
// dirty reads on a thread, whose event loop has files of its own for a second: nothing counts them.
import { describe, it } from "../../std/testing.ts";
import { EDU, EDU2 } from "../support/machine.ts";

const NOW = ["--interval", "0", "--count", "1", "--map", "16M:1M"];

describe("pinscope on a device of vfio-pci", () => {
  it("dirty: type1, with the reasons against the others", async () => {
    const { code, out, err } = await run(["dirty", EDU, ...NOW]);
    equal(code, 0, err);
    match(out, /^ {2}0x1000000 +1 MiB +256 +all-mapped$/m);
    const flat = unwrapped(err);
    match(flat, /source type1: .*\n.*--source log would not do: the driver of 0000:00:10\.0 keeps/);
    match(
      flat,
      /--source hwpt would not do: (there is no \/dev\/iommu|the IOMMU of .* does not track)/,
    );
    const two = await run(["dirty", EDU, EDU2, ...NOW, "--json"]);
    equal(two.code, 0, two.err);
    const source = records(two.out).find(({ type }) => type === "source");
    equal(source?.["source"], "type1");
    const others = source?.["others"] as { source: string; reason: string }[];
    equal(others.map(({ source }) => source), ["log", "hwpt"]);
    match(others[0]!.reason, /a log is that of one device/);
  });

  it("info: what there is of iommufd, and that type1 would work", async () => {
    const { code, out, err } = await run(["info", EDU, "--json"]);
    equal(code, 0, err);
    const all = records(out);
    const iommufd = all.find(({ type }) => type === "iommufd");
    const { node, hardware, reason } = iommufd ?? {};
    if (hardware === null) {
      equal(node, null, "device nodes come with CONFIG_VFIO_DEVICE_CDEV");
      match(`${reason}`, /no \/dev\/iommu/);
    } else ok(`${node}`.startsWith("/dev/vfio/devices/vfio"));
    equal(all.filter(({ type }) => type === "source").map((one) => one["works"]), [
      false,
      false,
      true,
    ]);
  });
});
