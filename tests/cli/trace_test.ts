/** `--trace`, `replay` and `decode`. */
import { main } from "../../cli/main.ts";
import type { Source } from "../../cli/input.ts";
import { Output } from "../../cli/output.ts";
import { replayCommand } from "../../cli/replay.ts";
import { ModelKernel } from "../../lib/model/mod.ts";
import { ERRNO } from "../../mod.ts";
import { equal, match, ok } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { instead } from "../unit/trace/support.ts";
import { Kept, type Ran, records, run, spawn, tooWide, unwrapped } from "./capture.ts";

const DEVICE = "0000:00:10.0";

/** Gives a text a few bytes at a time. */
function source(text: string): Source {
  let rest = new TextEncoder().encode(text);
  return {
    readSync: (into) => {
      if (rest.length === 0) return null;
      const part = rest.subarray(0, Math.min(7, into.length));
      into.set(part);
      rest = rest.subarray(part.length);
      return part.length;
    },
  };
}

async function reading(text: string, ...args: string[]): Promise<Ran> {
  const [stdout, stderr] = [new Kept(), new Kept()];
  const { signal } = new AbortController();
  const code = await main(args, { stdout, stderr, stdin: source(text), signal });
  return { code, out: stdout.text, err: stderr.text };
}

/** The trace that a command line writes. */
async function traceOf(args: string[], use: (path: string) => Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync();
  try {
    const path = `${folder}/t.jsonl`;
    const { err, code } = await run([...args, "--model", "--trace", path]);
    equal(code, 0, err);
    await use(path);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

const HEADER = '{"pinscope":"trace","version":1,"kernel":"linux"}';
const type1 = ["--source", "type1"];
const dirty = ["dirty", DEVICE, "--map", "0:64K", "--interval", "0", "--count", "2", ...type1];

describe("--trace", () => {
  it("writes what replay finds no difference in, from a file and from stdin", async () => {
    await traceOf(dirty, async (path) => {
      const { code, out, err } = await run(["replay", path, "--model"]);
      equal([code, err], [0, ""]);
      match(out, /^trace {4}\d+ calls on model 6\.12\.0-model\nreplay {3}\d+ calls made, /);
      match(out, /: no difference\n$/);
      const text = Deno.readTextFileSync(path);
      const piped = await reading(text, "replay", "-", "--model", "--json");
      equal(piped.code, 0);
      const [last] = records(piped.out);
      equal([last?.["type"], last?.["different"], last?.["cut"]], ["replay", 0, false]);
      const cut = await reading(text.slice(0, -10), "replay", "-", "--model");
      equal(cut.code, 0);
      match(cut.err, /the last line of the trace is cut off/);
    });
  });

  it("shows the first record that differs, and names its fields", async () => {
    await traceOf(dirty, async (path) => {
      const text = Deno.readTextFileSync(path).split("\n").map((line) =>
        line.includes("VFIO_IOMMU_MAP_DMA")
          ? line.replace('"result":0', '"result":-17,"error":"EEXIST"')
          : line
      ).join("\n");
      const { code, out } = await reading(text, "replay", "-", "--model");
      equal(code, 1);
      match(out, /^record \d+ {2}VFIO_IOMMU_MAP_DMA on container 3\n {2}argsz 32\n/m);
      match(out, /^ {2}flags READ\|WRITE\n {2}vaddr 0x\w+, memory 1\n {2}iova 0x0\n/m);
      match(out, /^ {2}result: recorded: EEXIST \(17\); here: 0\nreplay .* 1 differs\n$/m);
      const [difference] = records((await reading(text, "replay", "-", "--model", "--json")).out);
      equal(difference?.["differences"], [{ what: "result", wanted: "EEXIST", got: "0" }]);
      equal([difference?.["type"], difference?.["kind"]], ["difference", "container"]);
    });
  });

  it("is read by decode, a call on a line", async () => {
    await traceOf(dirty, async (path) => {
      const text = Deno.readTextFileSync(path);
      const { code, out } = await reading(text, "decode");
      equal(code, 0);
      equal(out.trimEnd().split("\n").length, text.trimEnd().split("\n").length - 1);
      match(out, /^\d+ {2}open \/dev\/vfio\/vfio = 3$/m);
      match(
        out,
        /VFIO_IOMMU_DIRTY_PAGES on container 3: argsz 48; flags GET_BITMAP; .*ffff000000000000 = 0$/m,
      );
      match(out, /^\d+ {2}mmap 0x\w+ bytes = 0$/m);
      match(out, /^\d+ {2}munmap 0x\w+ bytes at 0x\w+ = 0$/m);
      const json = records((await reading(text, "decode", "--json")).out);
      ok(json.some(({ type, name }) => type === "call" && name === "VFIO_IOMMU_MAP_DMA"));
    });
  });

  it("says that a file cannot be written, with the permission that is missing", async () => {
    const { code, err } = await run(["info", "--model", "--trace", "/nowhere/t.jsonl"]);
    equal(code, 1);
    match(unwrapped(err), /Cannot write \/nowhere\/t\.jsonl: No such file/);
    const denied = await spawn(["info", "--model", "--trace", "t.jsonl"]);
    equal(denied.code, 1);
    match(
      unwrapped(denied.err),
      /Cannot write t\.jsonl: .* without --allow-write\. .* deno run .* --allow-write=t\.jsonl \S+\/cli\/main/,
    );
  });

  it("says after the work that a line could not be written", async () => {
    const { code, out, err } = await run(["info", "--model", "--trace", "/dev/full"]);
    equal(code, 1);
    match(out, /groups/);
    match(unwrapped(err), /Cannot write \/dev\/full: No space left/);
  });

  it("keeps what was done before Ctrl-C", async () => {
    const folder = Deno.makeTempDirSync();
    try {
      const path = `${folder}/t.jsonl`;
      const stop = new AbortController();
      const watched = run([...dirty.slice(0, 2), "--model", "--trace", path], stop.signal);
      stop.abort(new Error("stopped"));
      await watched;
      const { code, out } = await run(["replay", path, "--model"]);
      equal(code, 0);
      match(out, /no difference/);
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  });
});

describe("replay", () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ["", /^pinscope: -: Line 1 of the trace: the trace is empty/],
    ["# A\n", /^pinscope: -: this is no trace \(line 1 is not JSON\); --trace FILE writes one$/m],
    [`${HEADER}\n{"call":"x"}\n`, /-: Line 2 of the trace: "call" is one of .*got "x"/],
  ];
  for (const [text, message] of wrong) {
    it(`refuses ${JSON.stringify(text)}`, async () => {
      const { code, out, err } = await reading(text, "replay", "-", "--model");
      equal([code, out], [1, ""]);
      match(unwrapped(err), message);
    });
  }

  it("says what it cannot read", async () => {
    const { code, err } = await run(["replay", "/nowhere", "--model"]);
    equal(code, 1);
    match(unwrapped(err), /Cannot read \/nowhere: No such file/);
    const denied = await spawn(["replay", "README.md", "--model"]);
    match(
      unwrapped(denied.err),
      /started without --allow-read\. .* pinscope \.\.\. - < README\.md deno run .* --allow-read=README\.md /,
    );
  });

  it("refuses a device that the trace does not have", async () => {
    await traceOf(dirty, async (path) => {
      const { code, out, err } = await run(["replay", path, "--model", "--device", "foo=bar"]);
      equal([code, out], [2, ""]);
      match(unwrapped(err), /the trace has no device foo; it has 0000:00:10\.0$/m);
      const same = `${DEVICE}=${DEVICE}`;
      equal((await run(["replay", path, "--model", "--device", same])).code, 0);
    });
    const none = await reading(`${HEADER}\n`, "replay", "-", "--model", "--device", "foo=bar");
    equal(none.code, 2);
    match(unwrapped(none.err), /no device foo; it has none$/m);
  });

  it("says that VFIO is not loaded, where the container cannot be opened", async () => {
    await traceOf(dirty, async (path) => {
      const lines = Deno.readTextFileSync(path).split("\n");
      const open = lines.find((line) => line.includes('"path":"/dev/vfio/vfio"')) ?? "";
      const kernel = instead(new ModelKernel(), { open: () => -ERRNO.ENOENT });
      const [stdout, stderr, { signal }] = [new Kept(), new Kept(), new AbortController()];
      using output = new Output({ stdout, stderr }, false);
      const none = { flags: new Set<string>(), lists: new Map(), values: new Map() };
      const parsed = { ...none, positional: ["-"] };
      const stdin = source(`${HEADER}\n${open}\n`);
      equal(await replayCommand({ out: output, kernel, parsed, signal, stdin }), 1);
      output.flush();
      match(
        stdout.text,
        /^ {2}result: recorded: success; here: ENOENT \(2\)\n {2}VFIO is not loa/m,
      );
      match(stdout.text, /^replay {3}1 call made, 0 left out: 1 differs$/m);
    });
  });

  it("takes another device", async () => {
    const { code, err } = await reading(HEADER, "replay", "-", "--model", "--device", "a");
    equal(code, 2);
    match(err, /--device takes OLD=NEW; got "a"/);
    await traceOf(["bind", "0000:00:11.0"], async (path) => {
      const { out } = await run(["replay", path, "--model"]);
      match(out, /no difference/);
    });
  });
});

describe("decode", () => {
  it("names a request by its number, and its fields", async () => {
    const { code, out } = await run(["decode", "container", "0x3b75", "0800000001000000"]);
    equal([code, out], [
      0,
      "VFIO_IOMMU_DIRTY_PAGES  container  0x3b75\n  argsz  8\n  flags  START\n",
    ]);
    const short = await run(["decode", "container", "VFIO_IOMMU_MAP_DMA", "20", "00*3", "--json"]);
    const [record] = records(short.out);
    equal(record?.["fields"], { argsz: "32" });
    equal(record?.["missing"], "flags, vaddr, iova, size: there are 4 bytes");
    match((await run(["decode", "container", "0x3b66", "0x3"])).out, /argument {2}TYPE1v2 \(3\)/);
    match((await run(["decode", "group", "0x3b6a"])).out, /^VFIO_\w+ {2}group/);
  });

  it("says how many bytes are left over, where the struct does not state them", async () => {
    const map = `20000000${"00".repeat(28)}`;
    const decode = (hex: string): Promise<Ran> =>
      run(["decode", "container", "VFIO_IOMMU_MAP_DMA", hex]);
    ok(!(await decode(map)).out.includes("left over"));
    match((await decode(`${map}00`)).out, /^ {2}left over: the last 1 byte$/m);
    match((await decode(`${map}0000`)).out, /^ {2}left over: the last 2 bytes$/m);
    ok(!(await decode(`21${map.slice(2)}00`)).out.includes("left over"), "argsz is 33");
  });

  it("does not take a text for a trace because of a brace", async () => {
    const line = "ioctl(3, VFIO_SET_IOMMU, 0x3) = 0\n";
    const { code, out, err } = await reading(
      `\n# A\n{\n  {"call":1}\n{"call":2}\n${line}`,
      "decode",
    );
    equal([code, out, err], [
      0,
      "VFIO_SET_IOMMU on container 3: argument TYPE1v2 (3) = 0\n",
      "",
    ]);
    const close = '{"seq":7,"call":"close","fd":3,"kind":"group","result":0}\n';
    equal((await reading(`\n${close}`, "decode")).out, "7  close group 3 = 0\n", "no header");
  });

  it("says that it found nothing", async () => {
    for (
      const [text, lines] of [["", "0 lines"], ["a\n", "1 line"], ["a\nb", "2 lines"]] as const
    ) {
      const { code, out, err } = await reading(text, "decode");
      equal([code, out, err], [0, "", `pinscope: no VFIO call found in ${lines}\n`]);
    }
  });

  it("is the other way too", async () => {
    const fields = ["flags=READ|WRITE", "iova=0x1000", "size=0x2000"];
    const { code, out } = await run(["decode", "--encode", "container", "0x3b71", ...fields]);
    equal(code, 0);
    const [number = "", hex = ""] = out.trim().split(" ");
    equal(hex, "2000000003000000000000000000000000100000000000000020000000000000");
    match((await run(["decode", "container", number, hex])).out, /iova {3}0x1000/);
    const value = ["decode", "--encode", "container", "VFIO_SET_IOMMU", "argument=TYPE1v2"];
    equal((await run(value)).out, "0x3b66 0x3\n");
    equal(records((await run([...value, "--json"])).out)[0]?.["value"], "0x3");
    equal((await run(["decode", "--encode", "device", "0x3b6f"])).out, "0x3b6f\n");
  });

  it("reads strace, and passes over what is no request", async () => {
    const lines = [
      'openat(AT_FDCWD, "/dev/vfio/vfio", O_RDWR) = 3',
      "ioctl(3, VFIO_CHECK_EXTENSION, 0x3) = 1",
      "ioctl(3, VFIO_DEVICE_PCI_HOT_RESET or VFIO_IOMMU_MAP_DMA, 0x7ffd) = -1 EINVAL (Inv)",
      "ioctl(9, VFIO_DEVICE_PCI_HOT_RESET or VFIO_IOMMU_MAP_DMA, 0x7ffd) = ?",
      'write(1, "{", 1) = 1',
    ].join("\n");
    const { code, out } = await reading(lines, "decode");
    equal(code, 0);
    equal(out.split("\n"), [
      "VFIO_CHECK_EXTENSION on container 3: argument TYPE1v2 (3) = 1",
      "VFIO_IOMMU_MAP_DMA on container 3: 0x7ffd = EINVAL",
      "VFIO_IOMMU_MAP_DMA or VFIO_DEVICE_PCI_HOT_RESET on descriptor 9: 0x7ffd = ?",
      "",
    ]);
    const json = records((await reading(lines, "decode", "--json")).out);
    equal(json.map(({ kind, result }) => [kind, result]), [
      ["container", "1"],
      ["container", "EINVAL"],
      [null, null],
    ]);
  });

  it("refuses a trace's line by its number", async () => {
    const { code, err } = await reading(`${HEADER}\n{"call":"close"}\n`, "decode");
    equal(code, 1);
    match(unwrapped(err), /Line 2 of the trace: close lacks "seq"/);
  });

  const wrong: readonly (readonly [string, RegExp])[] = [
    ["decode foo 1", /KIND is one of container, .*; got "foo"/],
    ["decode group", /decode group needs a REQUEST/],
    ["decode group VFIO_SET_IOMMU", /A group has no request VFIO_SET_IOMMU/],
    ["decode container 0x9999", /A container has no request 0x9999$/m],
    ["decode group 0x3b75", /A group has no request 0x3b75; the number is .*DIRTY_PAGES of cont/],
    ["decode --encode container 0x9999", /A container has no request 0x9999$/m],
    ["decode container VFIO_IOMMU_MAP_DM", /no request VFIO_IOMMU_MAP_DM; did you mean VFIO_IOM/],
    ["decode container 0x3b66 0x3 0x4", /got 0x3/],
    ["decode container 0x3b66 03000000", /VFIO_SET_IOMMU takes one value, as 0x3; got 0300/],
    ["decode container 0x3b71 0x20", /VFIO_IOMMU_MAP_DMA takes bytes, without 0x; got 0x20/],
    ["decode container VFIO_GET_API_VERSION 00", /VFIO_GET_API_VERSION takes no argument; got 00/],
    ["decode container 0x3b71 zz", /HEX: Bytes are pairs of hexadecimal digits.*got zz/],
    ["decode --encode container 0x3b71 iova", /--encode takes FIELD=VALUE; got "iova"/],
    ["decode --encode container 0x3b71 iovaa=1", /has argsz, .*; got "iovaa"/],
  ];
  for (const [line, message] of wrong) {
    it(`is refused with 2: ${line}`, async () => {
      const { code, err } = await run(line.split(" "));
      equal(code, 2);
      match(unwrapped(err), message);
      equal(tooWide(err), []);
    });
  }
});
