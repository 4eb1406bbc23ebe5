import { listPins } from "../../mod.ts";
import { ModelKernel } from "../../lib/model/mod.ts";
import { equal, match } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { main } from "../../cli/main.ts";
import { Kept, records, run, tooWide } from "./capture.ts";
import { FakeSysfs } from "./fake_sysfs.ts";

describe("listPins", () => {
  it("lists who locks memory, by number", () => {
    const found = listPins({ kernel: new ModelKernel() });
    equal(found.map(({ pid, pins }) => [pid, pins.command]), [[1301, "qemu-system-x86"]]);
  });

  it("passes over processes that have ended", () => {
    const { kernel } = new FakeSysfs({ "/proc/7/comm": "gone\n", "/proc/self": { link: "7" } });
    equal(listPins({ kernel }), []);
  });
});

describe("pinscope pins", () => {
  it("shows a table", async () => {
    const { code, out, err } = await run(["pins", "--model"]);
    equal([code, err, tooWide(out)], [0, "", []]);
    equal(
      out,
      [
        " PID  COMMAND          VmLck    VmPin  LIMIT  CAP_IPC_LOCK",
        "1301  qemu-system-x86  4 GiB  0 bytes  8 MiB  yes",
        "1301 holds container 1 (fd 21)",
        "",
      ].join("\n"),
    );
  });

  it("shows the processes that are asked for, also without pins", async () => {
    const { code, out } = await run(["pins", "--pid", "1", "--pid", "1301", "--model"]);
    equal(code, 0);
    match(out, /^ {3}1 {2}systemd .*\n1301 {2}qemu/m);
  });

  it("shows the others when one does not exist, and gives 1", async () => {
    const { code, out, err } = await run(["pins", "--pid", "999", "--pid", "1301", "--model"]);
    equal(code, 1);
    match(out, /^1301 {2}qemu/m);
    match(err, /Cannot read \/proc\/999\/status: .* ENOENT/);
  });

  it("gives bytes as numbers", async () => {
    equal(records((await run(["pins", "--model", "--json"])).out), [{
      type: "process",
      pid: 1301,
      command: "qemu-system-x86",
      locked: 4 * 2 ** 30,
      pinned: 0,
      soft: 8 << 20,
      hard: 8 << 20,
      ipcLock: true,
    }, {
      type: "holder",
      pid: 1301,
      command: "qemu-system-x86",
      containers: [{ id: 1, fds: [21] }],
      groups: [],
      devices: [],
      iommufds: [],
    }, { type: "unseen", forbidden: [], vanished: [1] }]);
  });
});

describe("pinscope pins DEVICE", () => {
  const MDEV = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";

  it("shows what was expected and charged, and follows pins", async () => {
    const { code, out } = await run(["pins", "--model", MDEV, "--count", "2", "--interval", "0"]);
    equal([code, tooWide(out)], [0, []]);
    match(out, /^ {2}attach +group 5 +\+0 bytes +\+0 bytes$/m);
    match(out, /^ {2}map +64 MiB at iova 0x40000 +\+0 bytes +\+0 bytes +-1$/m);
    match(out, /^round 2: VmLck 16 KiB \(\+0 bytes\); 4 pages pinned, 0 new, 0 released, 2 once$/m);
  });

  it("says why pins cannot be told apart, and goes on with the accounts", async () => {
    const { code, out, err } = await run(["pins", "--model", "0000:00:10.0", "--json"]);
    equal(code, 0);
    match(err, /pinned pages cannot be told apart: group 3 keeps it/);
    const ledger = records(out).find((line) => line["kind"] === "map");
    equal([ledger?.["least"], ledger?.["locked"], ledger?.["entries"]], [64 << 20, 64 << 20, -1]);
    const last = records(out).at(-1);
    equal([last?.["type"], last?.["locked"], last?.["pinned"]], ["round", 64 << 20, null]);
  });
});

describe("pinscope pins --watch", () => {
  const THREE = ["pins", "--model", "--watch", "--count", "3", "--interval", "0"];

  it("shows a table, an empty line, a table, where nobody reads along", async () => {
    const { code, out } = await run(THREE);
    const table = (await run(["pins", "--model"])).out;
    equal([code, out], [0, [table, table, table].join("\n")]);
  });

  it("paints a terminal anew each round, and hides nothing", async () => {
    const [stdout, stderr] = [new Kept(true), new Kept(true)];
    const { signal } = new AbortController();
    const code = await main(THREE, { stdout, stderr, signal });
    const table = (await run(["pins", "--model"])).out;
    const painted = `\x1b[H\x1b[J${table}`;
    equal([code, stdout.text, stderr.text], [0, painted.repeat(3), ""]);
  });

  it("gives one JSON object a round, also on a terminal", async () => {
    const stdout = new Kept(true);
    const { signal } = new AbortController();
    await main([...THREE, "--json"], { stdout, stderr: new Kept(), signal });
    const rounds = records(stdout.text);
    equal(rounds.map(({ type, round }) => [type, round]), [["watch", 1], ["watch", 2], [
      "watch",
      3,
    ]]);
    const [process] = rounds[0]?.["processes"] as Record<string, unknown>[];
    const [holder] = rounds[0]?.["holders"] as Record<string, unknown>[];
    equal([process?.["locked"], holder?.["pid"]], [4 * 2 ** 30, 1301]);
    equal(rounds[0]?.["unseen"], { forbidden: [], vanished: [1] });
  });

  it("goes without a DEVICE, which is followed anyway", async () => {
    const { code, out, err } = await run(["pins", "--model", "--watch", "0000:00:10.0"]);
    equal([code, out], [2, ""]);
    match(err, /--watch goes without a DEVICE/);
  });

  it("says what an interval may be", async () => {
    for (const args of [["--interval", "-1"], ["--interval=-1"]]) {
      const { code, err } = await run(["pins", "--model", "--watch", ...args]);
      equal(code, 2);
      match(err, /--interval takes a number from 0 to 604800; got "-1"/);
    }
  });
});
