/** --quiet, --verbose and "did you mean" for what a host has. */
import { Interrupted } from "../../cli/interrupt.ts";
import { main } from "../../cli/main.ts";
import { DEFAULT_MDEV } from "../../lib/model/mod.ts";
import { equal, match, ok } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { Kept, run, tooWide, unwrapped } from "./capture.ts";

const ROUND = ["dirty", "0000:00:10.0", "--model", "--interval", "0", "--count", "1"];
const ON_TYPE1 = [...ROUND, "--source", "type1"];

describe("--quiet", () => {
  it("leaves out hints, and nothing else", async () => {
    const [usual, quiet] = [await run(ROUND), await run([...ROUND, "--quiet"])];
    match(
      usual.err,
      /mapped 64 MiB at iova .*source hwpt.*log would not do.*written: pages that the/s,
    );
    equal(quiet, { ...usual, err: "" });
    equal(await run([...ROUND, "-q"]), quiet);
  });

  it("leaves out no error", async () => {
    const { code, err } = await run(["dirty", "group:99", "--model", "--quiet"]);
    equal(code, 1);
    match(err, /^pinscope: Cannot read IOMMU group 99/);
    const asked = await run(["dirty", "group:99", "--model", "--quiet", "--source", "hwpt"]);
    equal(asked.code, 1);
    match(unwrapped(asked.err), /^pinscope: group:99 has no device that is bound to VFIO; /);
  });
});

describe("--verbose", () => {
  it("shows each request with its fields on stderr, and the output as without", async () => {
    const [usual, verbose] = [
      await run([...ON_TYPE1, "-q"]),
      await run([...ON_TYPE1, "-q", "-v"]),
    ];
    equal([verbose.code, verbose.out], [0, usual.out]);
    const lines = unwrapped(verbose.err.replaceAll("\n      ", " ")).trimEnd().split("\n");
    const calls = lines.map((line) => /^\d+ {2}(\w+)/.exec(line)?.[1]);
    for (
      const name of [
        "VFIO_GROUP_SET_CONTAINER",
        "VFIO_SET_IOMMU",
        "VFIO_IOMMU_MAP_DMA",
        "VFIO_IOMMU_DIRTY_PAGES",
        "VFIO_IOMMU_UNMAP_DMA",
      ]
    ) ok(calls.includes(name), name);
    const find = (text: string): string => lines.find((line) => line.includes(text)) ?? "";
    match(find("MAP_DMA"), /flags READ\|WRITE; .*iova 0x40000; size 0x4000000 = 0$/);
    match(find("GET_BITMAP"), /behind bitmap.data: ff\*2048 = 0$/);
    ok(!verbose.err.includes("/sys/"), "texts of the host are no requests");
    equal(tooWide(verbose.err), []);
  });

  it("shows a request that is refused with its error", async () => {
    const { code, err } = await run(["dirty", "0000:00:11.0", "--model", "-v"]);
    equal(code, 1);
    match(err, /open \/dev\/vfio\/4 = ENOENT\n/);
  });

  it("stands in order with what is printed", async () => {
    const { err } = await run([...ON_TYPE1, "-v"]);
    const [mapped, call] = [err.indexOf("pinscope: mapped"), err.indexOf("VFIO_IOMMU_MAP_DMA")];
    ok(call >= 0 && mapped > call);
  });
});

describe("progress", () => {
  /** What stderr gets until it has a text, which ends the command; all of it if it never comes. */
  async function until(
    text: string,
    isTerminal: boolean,
    more: readonly string[],
  ): Promise<string> {
    const controller = new AbortController();
    const stderr = new Kept(isTerminal);
    const write = stderr.writeSync.bind(stderr);
    stderr.writeSync = (bytes) => {
      const written = write(bytes);
      if (stderr.text.includes(text)) controller.abort(new Interrupted());
      return written;
    };
    const args = ["heat", "group:5", "--model", "--interval", "3600", ...more];
    const io = { stdout: new Kept(), stderr, signal: controller.signal };
    equal(await main(args, io), 130);
    return stderr.text;
  }
  const ROUNDS = "round 1 of 16, each after 3600 s";

  it("is painted on a terminal, and taken away at the end", async () => {
    const err = await until(ROUNDS, true, []);
    ok(err.endsWith(`\r\x1b[K${ROUNDS}\r\x1b[K`), JSON.stringify(err));
  });

  it("is a line elsewhere", async () => {
    const err = await until(ROUNDS, false, []);
    ok(err.endsWith(`\npinscope: ${ROUNDS}\n`) && !err.includes("\x1b"), JSON.stringify(err));
  });

  it("is not there with --quiet", async () => {
    // The request is the last before the rounds begin.
    const err = await until("SET DMA_LOGGING_START;", true, ["--quiet", "--verbose"]);
    ok(!err.includes("round 1"), err);
  });
});

describe("did you mean", () => {
  const cases: readonly (readonly [string, number, RegExp])[] = [
    [
      "info 0000:00:10.1",
      1,
      /there is no such device.*\npinscope: did you mean 0000:00:10\.0\?\n$/s,
    ],
    ["dirty 0000:01:10.0", 1, /did you mean 0000:00:10\.0\?\n$/],
    ["bind 0000:00:12.0", 1, /did you mean 0000:00:11\.0\?\n$/],
    ["unbind 0000:00:12.0", 1, /did you mean 0000:00:10\.0\?\n$/],
    [`scope ${DEFAULT_MDEV.slice(0, -1)}2`, 1, new RegExp(`did you mean ${DEFAULT_MDEV}\\?\\n$`)],
    ["pins group:33", 1, /did you mean group:3\?\n$/],
    ["mdev tpyes", 2, /got "tpyes"; did you mean types\?/],
    ["dirty group:5 --source lgo", 2, /got "lgo"; did you mean log\?/],
    ["decode contaner 0x3b75", 2, /did you mean container\?/],
  ];
  for (const [line, status, expected] of cases) {
    it(`answers: ${line}`, async () => {
      const { code, out, err } = await run([...line.split(" "), "--model"]);
      equal([code, out], [status, ""]);
      match(unwrapped(err), expected);
    });
  }

  it("is not asked where nothing is near, nor where the device is there", async () => {
    // What is near 0000:00:04.1 is the disk of the host.
    for (const device of ["ffff:ff:1f.7", "0000:00:11.0", "0000:00:04.1"]) {
      const { code, err } = await run(["dirty", device, "--model"]);
      equal([code, err.includes("did you mean")], [1, false]);
    }
  });
});
