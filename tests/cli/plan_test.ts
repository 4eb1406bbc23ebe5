import { Output } from "../../cli/output.ts";
import { plan } from "../../cli/plan.ts";
import { ModelKernel } from "../../lib/model/mod.ts";
import { equal, match, ok } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { instead } from "../unit/trace/support.ts";
import { Kept, records, run, tooWide, unwrapped } from "./capture.ts";

const PCI = "0000:00:10.0";
const MDEV = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";

describe("pinscope plan", () => {
  it("cannot do without --map, and usage says so", async () => {
    const { code, err } = await run(["plan", "--model"]);
    equal(code, 2);
    match(err, /plan needs at least one --map IOVA:SIZE\[,COUNT\]/);
    const help = await run(["plan", "--help"]);
    match(help.out, /^usage: pinscope plan --map IOVA:SIZE\[,N\]... \[OPTIONS\] \[DEVICE...\]$/m);
  });

  it("says that mappings fit, and what they lock", async () => {
    const { code, out } = await run(["plan", "--model", "--map", "any:64G", PCI]);
    equal(code, 0);
    equal(out, "fits: 1 mapping, 64 GiB\n  VmLck would be 64 GiB, 65,534 mappings left\n");
  });

  it("says which limit stops them first, and gives 1", async () => {
    const { code, out, err } = await run(["plan", "--model", "--map", "0:2M,65536"]);
    equal([code, tooWide(out), tooWide(err)], [1, [], []]);
    const text = out.replaceAll(/\s+/g, " ");
    match(text, /does not fit: 65,535 mappings of it would, 128 GiB/);
    match(text, /mapping 65536 \(2 MiB at iova 0x1fffe00000\) is refused with ENOSPC/);
    match(err, /no device given: IOVA ranges are not known/);
  });

  it("knows the ranges of a device", async () => {
    const { code, out } = await run(["plan", "--model", "--map", "0xfee00000:1M", PCI]);
    equal(code, 1);
    match(out, /EINVAL/);
  });

  it("says what is checked only later, without an IOMMU", async () => {
    const { code, out } = await run(["plan", "--model", "--map", "0:64M", MDEV]);
    equal([code, tooWide(out)], [0, []]);
    match(out, /^ {2}later: the memory limit counts at each page that a driver pins/m);
  });

  it("says nothing of later where no mapping fits", async () => {
    const { code, out } = await run(["plan", "--model", "--map", "0xfffffffffffff000:8K", MDEV]);
    equal(code, 1);
    match(out, /^does not fit\n {2}VmLck would be 0 bytes, 65,535 mappings left\n {2}mapping 1 /);
    ok(!out.includes("later:"), out);
  });

  it("says what it assumes without type1", () => {
    const without = "/sys/module/vfio_iommu_type1/parameters/dma_entry_limit";
    const model = new ModelKernel();
    const open = (path: string): number => path === without ? -2 : model.open(path);
    const stderr = new Kept();
    using out = new Output({ stdout: new Kept(), stderr }, false);
    const lists = new Map([["map", ["4G:1G"]]]);
    const parsed = { flags: new Set<string>(), values: new Map(), lists, positional: [] };
    const { signal } = new AbortController();
    const kernel = instead(model, { open });
    equal(plan({ out, parsed, signal, kernel, stdin: { readSync: () => null } }), 0);
    match(unwrapped(stderr.text), /type1 is not loaded: a dma_entry_limit of 65535 is assumed/);
  });

  it("gives one object as JSON", async () => {
    const args = ["plan", "--model", "--json", "--map", "0:1M", "--map", "0x80000:1M", PCI];
    const { code, out } = await run(args);
    equal(code, 1);
    const [line, ...more] = records(out);
    equal(more, []);
    equal([line?.["fits"], line?.["mappings"], line?.["mapped"]], [false, 1, "0x100000"]);
    const stop = line?.["stop"] as Record<string, unknown>;
    equal([stop["code"], stop["limit"], stop["iova"]], ["EEXIST", "overlap", "0x80000"]);
  });
});
