import { parseMemlock, parseStatus } from "../../../lib/pins/parse.ts";
import { equal, ok, throws } from "../../std/assert.ts";
import { describe, it, skip } from "../../std/testing.ts";
import { KTHREAD, limits, STATUS } from "./text.ts";

describe("parseStatus", () => {
  it("reads VmLck and VmPin in bytes", () => {
    equal(parseStatus(STATUS), {
      locked: 4194560n * 1024n,
      pinned: 68n * 1024n,
      ipcLock: false,
      command: "qemu-system-x86",
    });
  });

  it("takes a kernel thread, which has no memory", () => {
    equal(parseStatus(KTHREAD), {
      locked: 0n,
      pinned: 0n,
      ipcLock: true,
      command: "kworker/0:1-events",
    });
  });

  it("finds CAP_IPC_LOCK among the effective capabilities, by its bit alone", () => {
    const ipcLock = (effective: string): boolean =>
      parseStatus(STATUS.replace(/^CapEff:.*$/m, `CapEff:\t${effective}`)).ipcLock;
    equal(
      ["0000000000004000", "ffffffffffffbfff", "0000000000000000", "00000000a80425fb"].map(ipcLock),
      [
        true,
        false,
        false,
        false,
      ],
    );
    equal([ipcLock("0000000000002000"), ipcLock("0000000000008000")], [false, false]);
  });

  it("is not misled by a program that calls itself like a line", () => {
    const text = STATUS.replace(/^Name:.*$/m, "Name:\tVmLck: 1 kB\\nVmPin:");
    const { locked, pinned, command } = parseStatus(text);
    equal([locked, pinned, command], [4194560n * 1024n, 68n * 1024n, "VmLck: 1 kB\\nVmPin:"]);
  });

  it("keeps more than 2^53 bytes exact", () => {
    const text = STATUS.replace(/^VmLck:.*$/m, "VmLck:\t9007199254740993 kB");
    equal(parseStatus(text).locked, 9007199254740993n * 1024n);
  });

  it("refuses a text that is none", () => {
    throws(() => parseStatus(""), SyntaxError, "no line CapEff");
    throws(() => parseStatus("CapEff:\txyz\n"), SyntaxError, "no line CapEff");
    throws(() => parseStatus(" CapEff:\t00\n"), SyntaxError, "no line CapEff");
  });
});

describe("parseMemlock", () => {
  it("reads bytes and unlimited, soft and hard apart", () => {
    equal(parseMemlock(limits("65536", "8388608")), { soft: 65536n, hard: 8388608n });
    equal(parseMemlock(limits("65536", "unlimited")), { soft: 65536n, hard: undefined });
    equal(parseMemlock(limits("unlimited", "unlimited")), { soft: undefined, hard: undefined });
    equal(parseMemlock(limits("0", "0")), { soft: 0n, hard: 0n });
    equal(parseMemlock(limits("18446744073709547520", "unlimited")).soft, 18446744073709547520n);
  });

  it("refuses a text without that line", () => {
    throws(() => parseMemlock(""), SyntaxError, "Max locked memory");
    throws(() => parseMemlock(limits("many", "more")), SyntaxError, "Max locked memory");
  });
});

describe("the texts of this kernel", () => {
  const name = "are understood";
  if (Deno.build.os !== "linux") skip(name, "there is no /proc; run this on Linux");
  else {
    it(name, () => {
      const text = Deno.readTextFileSync("/proc/self/status");
      equal(parseStatus(text).command, /^Name:\t(.*)$/m.exec(text)?.[1]);
      const { soft, hard } = parseMemlock(Deno.readTextFileSync("/proc/self/limits"));
      ok(hard === undefined || (soft !== undefined && soft <= hard));
    });
  }
});
