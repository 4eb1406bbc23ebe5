import { Interrupted } from "../../cli/interrupt.ts";
import { commandNamed } from "../../cli/commands.ts";
import { optionsOf } from "../../cli/option.ts";
import { dirty } from "../../cli/dirty.ts";
import { Output } from "../../cli/output.ts";
import { trySources } from "../../cli/source.ts";
import { loadParser } from "../../cli/parse.ts";
import { DEFAULT_MDEV, ModelKernel } from "../../lib/model/mod.ts";
import { pinsOf, unbindDevice } from "../../mod.ts";
import { equal, match, ok, rejects } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { Kept, records, run, tooWide, unwrapped } from "./capture.ts";

const PCI = "0000:00:10.0";
const now = ["--interval", "0", "--count", "1", "--model"];

const TYPE1 = ["--source", "type1"];

describe("pinscope dirty --source", () => {
  const map = ["--map", "1M:1M"];

  it("is the device's log where it has one, with the pages that it wrote", async () => {
    const { code, out, err } = await run(["dirty", DEFAULT_MDEV, ...map, ...now]);
    equal([code, tooWide(err)], [0, []]);
    match(err.replace(/\n {2}/g, " "), /source log: DMA log of \S+ 1 MiB in 4 KiB pages$/m);
    match(err, /^pinscope: written: pages that the device wrote$/m);
    match(out, /^round 1: 2 pages dirty .*\n.*\n {2}0x120000 +8 KiB +2 +written\n$/);
    equal((await run(["dirty", DEFAULT_MDEV, ...map, ...now, "--source", "log"])).out, out);
  });

  it("is the IOMMU's dirty bits else, and says why the log is not", async () => {
    const { code, out, err } = await run(["dirty", PCI, ...map, ...now]);
    equal([code, tooWide(err)], [0, []]);
    const flat = unwrapped(err);
    match(flat, /^pinscope: source hwpt: the dirty bits of the IOMMU, in pages of 4 KiB$/m);
    match(flat, /--source log would not do: the driver of 0000:00:10\.0 keeps no log/);
    match(out, /^ {2}0x100000 +8 KiB +2 +written\n {2}0x120000 +8 KiB +2 +written\n$/m);
    const asked = await run(["dirty", "group:3", ...map, ...now, "--source", "hwpt"]);
    equal([asked.out, asked.err.includes("source")], [out, false]);
  });

  it("is type1 at last, and says why neither of the others is", async () => {
    const none = await run(["dirty", PCI, ...map, ...now.slice(0, -1), "--model=6.12"]);
    const flat = unwrapped(none.err);
    match(flat, /^pinscope: source type1: /m);
    match(flat, /--source log would not do: the driver of .*\n.*--source hwpt .* no \/dev\/iommu/);
    match(none.out, /256 +all-mapped\n$/);
    const two = unwrapped((await run(["dirty", PCI, DEFAULT_MDEV, ...map, ...now])).err);
    match(two, /log would not do: a log is that of one device/);
    match(two, /hwpt would not do: 83b8f4f2-\S+ is a mediated device: no IOMMU sees/);
    ok(!(await run(["dirty", PCI, ...map, ...now, ...TYPE1])).err.includes("source"));
  });

  it("says to programs what it took, and why not the others", async () => {
    const sourceOf = async (...args: string[]) =>
      records((await run(["dirty", ...args, ...map, ...now, "--json"])).out)
        .find(({ type }) => type === "source");
    const { others, ...rest } = await sourceOf(PCI, DEFAULT_MDEV) ?? {};
    equal(rest, { type: "source", source: "type1", pageSize: "0x1000" });
    const list = others as { source: string; reason: string }[];
    equal(list.map(({ source }) => source), ["log", "hwpt"]);
    ok(list.every(({ reason }) => reason.length > 20));
    equal((await sourceOf(DEFAULT_MDEV))?.["others"], []);
    equal(Object.keys(await sourceOf(PCI, ...TYPE1) ?? {}), ["type", "source", "pageSize"]);
  });

  it("leaves nothing open of the sources that it tried", () => {
    const kernel = new ModelKernel();
    equal(trySources(kernel, [PCI]).map(({ reason }) => reason === undefined), [
      false,
      true,
      true,
    ]);
    equal(trySources(kernel, [DEFAULT_MDEV]).map(({ reason }) => reason === undefined), [
      true,
      false,
      true,
    ]);
    equal([kernel.openFiles, pinsOf("self", kernel).locked], [0, 0n]);
  });

  it("is refused where it was asked for and does not work", async () => {
    const log = [...now, "--source", "log"];
    const none = await run(["dirty", PCI, ...log]);
    equal([none.code, none.out], [1, ""]);
    match(none.err, /ENOTTY \(25\): the driver of/);
    const two = await run(["dirty", PCI, DEFAULT_MDEV, ...log]);
    equal(two.code, 2);
    match(unwrapped(two.err), /--source log takes one device/);
    const emulated = await run(["dirty", DEFAULT_MDEV, ...now, "--source", "hwpt"]);
    equal([emulated.code, emulated.out], [1, ""]);
    match(unwrapped(emulated.err), /EOPNOTSUPP \(95\): 83b8f4f2-\S+ is a mediated device/);
    const odd = await run(["dirty", PCI, ...now, "--source", "hwpf"]);
    equal(odd.code, 2);
    match(odd.err, /--source takes log, hwpt or type1; got "hwpf"/);
  });
});

describe("pinscope dirty", () => {
  it("maps 64 MiB where there is room, and says so", async () => {
    const { code, out, err } = await run(["dirty", PCI, ...now, ...TYPE1]);
    equal([code, tooWide(out), tooWide(err)], [0, [], []]);
    match(err, /^pinscope: mapped 64 MiB at iova 0x40000; --map takes another$/m);
    match(err, /^pinscope: all-mapped: every mapped page, by rule/m);
    equal(
      out,
      [
        "round 1: 16,384 pages dirty (64 MiB) in 1 run; 1 window read",
        "  IOVA       SIZE  PAGES  LABEL",
        "  0x40000  64 MiB  16384  all-mapped",
        "",
      ].join("\n"),
    );
  });

  it("maps what it is told to", async () => {
    const args = ["--map", "4G:8K", "--map", "0x10000:4K", ...now, ...TYPE1];
    const { out, err } = await run(["dirty", PCI, ...args]);
    match(out, /0x10000 +4 KiB +1 +all-mapped\n +0x100000000 +8 KiB +2 +all-mapped\n$/);
    ok(!err.includes("mapped 64 MiB"));
  });

  it("shows what a mediated device pins and writes, round by round", async () => {
    const args = ["--interval", "0", "--count", "3", "--map", "1M:1M", "--model", ...TYPE1];
    const { code, out } = await run(["dirty", DEFAULT_MDEV, ...args]);
    equal(code, 0);
    const rounds = out.split(/^round /m).slice(1);
    equal(rounds.length, 3);
    for (const text of rounds) {
      match(text, /6 pages dirty \(24 KiB\) in 2 runs; 1 window read$/m);
      match(text, /^ {2}0x110000 +16 KiB +4 +pinned-scope$/m);
    }
  });

  it("attaches devices of one group once, and several groups together", async () => {
    const args = ["dirty", PCI, "group:3", PCI.toUpperCase(), DEFAULT_MDEV, ...now];
    const { code, out } = await run(args);
    equal(code, 0);
    match(out, /all-mapped/);
  });

  it("shows the first runs and counts the others", async () => {
    const maps = [1, 3, 5, 7].flatMap((i) => ["--map", `${i}M:4K`]);
    const args = ["dirty", PCI, ...maps, ...now, ...TYPE1];
    match((await run([...args, "--max-runs", "2"])).out, /\n {2}… 2 more runs\n$/);
    match((await run([...args, "--max-runs", "3"])).out, /\n {2}… 1 more run\n$/);
    match((await run([...args, "--max-runs", "0"])).out, /^round 1: .*\n {2}… 4 more runs\n$/);
    ok(!(await run([...args, "--max-runs", "4"])).out.includes("…"));
    equal(records((await run([...args, "--max-runs", "1", "--json"])).out).length, 4 + 1 + 4 + 1);
  });

  it("reads in windows of the budget", async () => {
    const maps = [0, 1, 2, 3].flatMap((i) => ["--map", `${4 + i}M:1M`]);
    const whole = await run(["dirty", PCI, ...maps, ...now, ...TYPE1]);
    match(whole.out, /1,024 pages dirty \(4 MiB\) in 1 run; 1 window read$/m);
    const parts = await run([
      "dirty",
      PCI,
      ...maps,
      ...now,
      ...TYPE1,
      "--budget",
      "64",
    ]);
    match(parts.out, /1,024 pages dirty \(4 MiB\) in 1 run; 2 windows read$/m);
  });

  it("says when nothing is dirty", async () => {
    // The mapping is too small for the ring of the model's mediated device.
    const { out } = await run(["dirty", DEFAULT_MDEV, "--map", "1M:4K", ...now, ...TYPE1]);
    equal(out, "round 1: clean; 1 window read\n");
  });

  it("gives runs and rounds as JSON, addresses as hexadecimal text", async () => {
    const args = ["--map", "1M:1M", ...now, "--json", ...TYPE1];
    const { out, err } = await run(["dirty", DEFAULT_MDEV, ...args]);
    equal(err, "");
    equal(records(out), [
      { type: "mapping", iova: "0x100000", size: "0x100000" },
      { type: "source", source: "type1", pageSize: "0x1000" },
      { type: "run", round: 1, iova: "0x110000", size: "0x4000", pages: 4, label: "pinned-scope" },
      { type: "run", round: 1, iova: "0x120000", size: "0x2000", pages: 2, label: "pinned-scope" },
      {
        type: "round",
        round: 1,
        windows: 1,
        runs: 2,
        pages: 6,
        size: "0x6000",
        labels: ["pinned-scope"],
      },
    ]);
  });

  it("refuses with 1 what cannot be attached", async () => {
    const { code, out, err } = await run(["dirty", "0000:00:03.0", ...now]);
    equal([code, out], [1, ""]);
    match(err, /^pinscope: Cannot open IOMMU group 1/);
  });

  it("goes on until it is interrupted, and gives 130", async () => {
    const controller = new AbortController();
    const ran = run(["dirty", PCI, "--interval", "0.01", "--model"], controller.signal);
    setTimeout(() => controller.abort(new Interrupted()), 120);
    const { code, out } = await ran;
    equal(code, 130);
    match(out, /^round 2: /m);
  });

  it("releases everything when it is interrupted", async () => {
    const kernel = new ModelKernel();
    const controller = new AbortController();
    const io = { stdout: new Kept(), stderr: new Kept() };
    using out = new Output(io, false);
    const parsed = (await loadParser())(
      optionsOf(commandNamed("dirty")!),
      [PCI, DEFAULT_MDEV, "--interval", "0.01"],
    );
    const stdin = { readSync: () => null };
    const ran = dirty({ out, kernel, stdin, parsed, signal: controller.signal });
    setTimeout(() => controller.abort(new Interrupted()), 50);
    await rejects(() => Promise.resolve(ran), Interrupted);
    equal([kernel.openFiles, pinsOf("self", kernel).locked], [0, 0n]);
    equal(unbindDevice(PCI, { kernel }).to, undefined); // the group is free
  });

  it("does not begin when it is interrupted before", async () => {
    const signal = AbortSignal.abort(new Interrupted(143));
    const { code, out } = await run(["dirty", PCI, ...now], signal);
    equal([code, out], [143, ""]);
  });
});
