import { listPins } from "../../mod.ts";
import { ModelKernel } from "../../lib/model/mod.ts";
import { equal, match } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { records, run, tooWide } from "./capture.ts";
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
    }]);
  });
});
