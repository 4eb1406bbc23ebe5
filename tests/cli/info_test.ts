import { listHost, VfioError } from "../../mod.ts";
import { DEFAULT_MDEV, ModelKernel } from "../../lib/model/mod.ts";
import { openGroup } from "../../lib/vfio/group.ts";
import { readGroup } from "../../lib/vfio/topology.ts";
import { equal, match, ok, throws } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { Kept, records, run, tooWide, unwrapped } from "./capture.ts";
import type { Context } from "../../cli/context.ts";
import { deviceInfo } from "../../cli/info_device.ts";
import { Output } from "../../cli/output.ts";
import { type Entry, FakeSysfs } from "./fake_sysfs.ts";

const pci = (name: string, group: number, driver: string, code: string): Record<string, Entry> => {
  const group_ = `/sys/kernel/iommu_groups/${group}/devices/${name}`;
  return {
    [`/sys/bus/pci/devices/${name}/class`]: `${code}\n`,
    [`/sys/bus/pci/devices/${name}/vendor`]: "0x8086\n",
    [`/sys/bus/pci/devices/${name}/device`]: "0x10d3\n",
    [`${group_}/subsystem`]: { link: "../../../bus/pci" },
    [`${group_}/driver`]: { link: `../../../bus/pci/drivers/${driver}` },
  };
};

describe("listHost", () => {
  it("tells what the model has", () => {
    const { kernel, groups, advice, ...host } = listHost({ kernel: new ModelKernel() });
    equal(host, {
      hasContainer: true,
      hasIommufd: true,
      dmaEntryLimit: 65535,
      allowsUnsafeInterrupts: false,
      ungrouped: [],
    });
    match(kernel ?? "", /model/);
    equal(advice, []);
    equal(groups.map(({ number, state, isViable, toBind }) => [number, state, isViable, toBind]), [
      [1, "host", false, ["0000:00:03.0"]],
      [2, "host", false, ["0000:00:04.0"]],
      [3, "ready", true, []],
      [4, "host", true, ["0000:00:11.0"]],
      [5, "ready", true, []],
    ]);
    equal(groups[0]?.devices[0]?.kind, "network");
    equal(groups[1]?.devices[0]?.id, "1b36:0010");
    equal(groups[0]?.devices[0]?.uses.map(({ text }) => text), ["interface eth0 is up"]);
  });

  it("says what to do where nothing is set up", () => {
    const { kernel } = new FakeSysfs({ "/dev/null": "" });
    const { advice, groups, hasContainer, dmaEntryLimit } = listHost({ kernel });
    equal([groups.length, hasContainer, dmaEntryLimit], [0, false, undefined]);
    equal(advice.length, 2);
    match(advice[0] ?? "", /intel_iommu=on or amd_iommu=on$/);
    match(advice[1] ?? "", /modprobe vfio-pci$/);
  });

  it("lists devices without a group", () => {
    const { kernel } = new FakeSysfs({
      "/sys/bus/pci/devices/0000:00:1f.2/class": "0x010601\n",
      "/sys/bus/pci/devices/0000:00:1f.2/driver": { link: "../../drivers/ahci" },
    });
    const [device] = listHost({ kernel }).ungrouped;
    equal([device?.name, device?.driver, device?.kind, device?.id], [
      "0000:00:1f.2",
      "ahci",
      "SATA",
      undefined,
    ]);
  });

  it("tells which devices keep a group from VFIO", () => {
    const { kernel } = new FakeSysfs({
      "/dev/vfio/vfio": "",
      "/dev/vfio/7": "",
      ...pci("0000:01:00.0", 7, "vfio-pci", "0x030000"),
      ...pci("0000:01:00.1", 7, "snd_hda_intel", "0x040300"),
      ...pci("0000:00:01.0", 7, "pcieport", "0x060400"),
    });
    const [group] = listHost({ kernel }).groups;
    equal([group?.state, group?.isViable, group?.toBind], ["blocked", false, ["0000:01:00.1"]]);
  });

  it("does not ask to bind a bridge", () => {
    const { kernel } = new FakeSysfs(pci("0000:00:01.0", 1, "pcieport", "0x060400"));
    const [group] = listHost({ kernel }).groups;
    equal([group?.state, group?.isViable, group?.toBind], ["host", true, []]);
  });

  it("asks for one device of a free group, and no bridge if there is another", () => {
    const free = (name: string, code: string): Record<string, Entry> => {
      const { [`/sys/kernel/iommu_groups/7/devices/${name}/driver`]: _, ...rest } = pci(
        name,
        7,
        "none",
        code,
      );
      return rest;
    };
    const { kernel } = new FakeSysfs({
      ...free("0000:00:1f.0", "0x060100"),
      ...free("0000:00:1f.2", "0x010601"),
      ...free("0000:00:1f.3", "0x0c0500"),
    });
    equal(listHost({ kernel }).groups[0]?.toBind, ["0000:00:1f.2"]);
    // The refusal of attach names the same one.
    const text = /bind with: pinscope bind 0000:00:1f.2$/;
    throws(() => openGroup(kernel, readGroup(kernel, 7)), VfioError, text);
  });

  it("leaves no-IOMMU groups alone", () => {
    const { kernel } = new FakeSysfs({
      ...pci("0000:01:00.0", 7, "vfio-pci", "0x020000"),
      "/sys/kernel/iommu_groups/7/name": "vfio-noiommu\n",
    });
    const [group] = listHost({ kernel }).groups;
    equal([group?.state, group?.toBind], ["no-iommu", []]);
  });
});

describe("pinscope info", () => {
  it("shows the host", async () => {
    const { code, out, err } = await run(["info", "--model"]);
    equal([code, err, tooWide(out)], [0, "", []]);
    match(out, /^kernel +6/);
    match(out, /^group 3: ready\n {2}0000:00:10\.0 {2}1234:11e8 {2}other +vfio-pci +vfio0$/m);
    match(out, /eth0 is up: ip link set eth0 down\n {2}for VFIO: pinscope bind 0000:00:03\.0$/m);
    ok(!out.includes("bind 0000:00:04.0"), "the root disk is not offered");
  });

  it("shows the host as JSON", async () => {
    const all = records((await run(["info", "--model", "--json"])).out);
    equal(all.map(({ type }) => type).filter((type) => type === "group").length, 5);
    equal(all[0]?.["dmaEntryLimit"], 65535);
    equal(all.find(({ name }) => name === "0000:00:04.0"), {
      type: "device",
      group: 2,
      name: "0000:00:04.0",
      bus: "pci",
      id: "1b36:0010",
      kind: "NVMe",
      driver: "nvme",
      node: null,
      uses: ["nvme0n1p1 is mounted on /"],
    });
  });

  it("shows a PCI device", async () => {
    const { code, out, err } = await run(["info", "0000:00:10.0", "--model"]);
    equal([code, err, tooWide(out)], [0, "", []]);
    match(out, /^group 3, viable$/m);
    match(out, /page sizes +4 KiB, 2 MiB, 1 GiB$/m);
    match(out, /0x0\.\.0xfedfffff\n +0xfef00000\.\.0xffffffffffff$/m);
    match(out, /dirty tracking +all-mapped; at most 256 MiB of bitmap a read$/m);
    match(out, /^ {2}0 +BAR0 +1 MiB +read write/m);
    match(out, /^ {2}1 +MSI +1 +eventfd$/m);
  });

  it("shows a mediated device, and a group by its number", async () => {
    const { code, out } = await run(["info", DEFAULT_MDEV, "--model"]);
    equal([code, tooWide(out)], [0, []]);
    match(out, /dirty tracking +pinned-scope/);
    match(out, /page sizes +4 KiB and above$/m);
    match(out, /IOVA ranges +any address$/m);
    match(out, /^ {2}DMA log: works$/m);
    match(
      out.replace(/\n {4}/g, " "),
      /^ {2}migration: stop, running, .*pre-copy-p2p; now running$/m,
    );
    equal((await run(["info", "group:5", "--model"])).out, out);
  });

  it("shows what iommufd has of a device, and which sources would work", async () => {
    const pci = (await run(["info", "0000:00:10.0", "--model"])).out;
    match(pci, /^0000:00:10\.0 in iommufd\n {2}device node +\/dev\/vfio\/devices\/vfio0$/m);
    match(pci, /^ {2}IOMMU +intel-vtd\n {2}capabilities +0x1: dirty tracking$/m);
    match(pci, /^ {2}log +no: the driver [^]*\n {2}hwpt +works\n {2}type1 +works\n$/m);
    const mdev = (await run(["info", "group:5", "--model"])).out;
    match(mdev, /^ {2}IOMMU: not known: a mediated device, which has no IOMMU of its own$/m);
    match(mdev, /^ {2}log +works\n {2}hwpt +no: .* no\n +IOMMU sees .*\n {2}type1 +works\n$/m);
    const without = await run(["info", "0000:00:10.0", "--model=6.12", "--json"]);
    const [iommufd, ...sources] = records(without.out).slice(-4);
    equal([iommufd?.["type"], iommufd?.["node"], iommufd?.["hardware"]], ["iommufd", null, null]);
    match(`${iommufd?.["reason"]}`, /no \/dev\/iommu/);
    equal(sources.map(({ source, works }) => [source, works]), [
      ["log", false],
      ["hwpt", false],
      ["type1", true],
    ]);
  });

  it("says that an IOMMU does not track dirty pages", () => {
    const kernel = new ModelKernel({ iommufd: { dirtyTracking: false } });
    const out = new Kept();
    {
      using output = new Output({ stdout: out, stderr: out }, false);
      const parsed = { positional: ["0000:00:10.0"], flags: new Set(), values: new Map() };
      const context = { out: output, kernel, parsed: { ...parsed, lists: new Map() } };
      deviceInfo(context as unknown as Context, "0000:00:10.0");
    }
    match(out.text, /capabilities +0x0: no dirty tracking$/m);
    match(out.text, /hwpt +no: the IOMMU of 0000:00:10\.0 does not track dirty pages$/m);
    equal(kernel.openFiles, 0);
  });

  it("takes names in capitals", async () => {
    const lower = await run(["info", DEFAULT_MDEV, "--model"]);
    equal(await run(["info", DEFAULT_MDEV.toUpperCase(), "--model"]), lower);
  });

  it("shows what sysfs tells of a device that cannot be attached, and the reason", async () => {
    const { code, out, err } = await run(["info", "0000:00:03.0", "--model"]);
    equal(code, 1);
    equal(out, "group 1, not viable\n  0000:00:03.0  8086:10d3  network  e1000e\n");
    match(unwrapped(err), /^pinscope: Cannot open IOMMU group 1: .*pinscope bind 0000:00:03\.0\n$/);
  });

  it("refuses a device that there is not", async () => {
    for (const device of ["0000:00:1f.0", "group:99"]) {
      const { code, out, err } = await run(["info", device, "--model"]);
      equal([code, out], [1, ""]);
      match(unwrapped(err), /there is no such (device|group); pinscope info lists/);
    }
  });

  it("gives addresses as hexadecimal text and counts as numbers", async () => {
    const all = records((await run(["info", "0000:00:10.0", "--model", "--json"])).out);
    const container = all.find(({ type }) => type === "container");
    equal(container?.["pageSizes"], "0x40201000");
    equal(container?.["iovaRanges"], [
      { start: "0x0", end: "0xfedfffff" },
      { start: "0xfef00000", end: "0xffffffffffff" },
    ]);
    equal(container?.["dmaAvailable"], 65535);
    equal((container?.["scope"] as { label: string }).label, "all-mapped");
    const bar = all.find(({ type }) => type === "region");
    equal([bar?.["index"], bar?.["size"]], [0, "0x100000"]);
  });
});
