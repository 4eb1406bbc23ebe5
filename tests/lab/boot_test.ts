import { equal, match } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { consoleEnd, type End, explainEnd } from "./boot.ts";

const quiet: End = { late: undefined, told: undefined, console: "", signal: null, qemu: "" };

describe("the end of a guest", () => {
  it("is told in the guest's own words first", () => {
    const told = "there is no device 0000:00:10.0";
    match(explainEnd({ ...quiet, told }), /no lab: there is no device/);
    match(explainEnd({ ...quiet, console: `x\nlab-problem: ${told}\ny` }), /no lab: there is no/);
  });

  it("may be a panic or a crash", () => {
    const console = "[ 1.0] Kernel panic - not syncing: Fatal exception\n";
    equal(explainEnd({ ...quiet, console }), "the guest's kernel panicked: Fatal exception");
    match(explainEnd({ ...quiet, console: "[ 1.0] kernel BUG at a.c:1!" }), /crashed: kernel BUG/);
  });

  it("may be a timeout, in the boot or in the command", () => {
    match(explainEnd({ ...quiet, late: 5.1 }), /after 5 s.*had not booted/);
    match(explainEnd({ ...quiet, late: 5, console: "lab-start" }), /command still ran/);
  });

  it("may be a signal, which is named also where the guest printed nothing", () => {
    const signal = "SIGKILL";
    match(explainEnd({ ...quiet, signal }), /^QEMU was killed by SIGKILL: .*memory ran out/);
    match(explainEnd({ ...quiet, signal: "SIGTERM", console: "a" }), /killed by SIGTERM: from out/);
    match(explainEnd({ ...quiet, signal, late: 5 }), /was stopped after 5 s \(--timeout\)/);
    match(
      explainEnd({ ...quiet, signal, console: "Kernel panic - not syncing: x" }),
      /panicked: x/,
    );
  });

  it("may be QEMU's own, or silent", () => {
    match(explainEnd({ ...quiet, qemu: "no such device\n" }), /QEMU ended: no such device$/);
    match(explainEnd(quiet), /printed nothing/);
    match(explainEnd({ ...quiet, console: "a" }), /before its command did/);
  });

  it("shows a crash from its first line, otherwise the last lines", () => {
    const lines = Array.from({ length: 30 }, (_, i) => `line ${i}`);
    equal(consoleEnd(lines.join("\n")), lines.slice(15).join("\n"));
    equal(consoleEnd(["a", "BUG: x", "", "b\x1b[6n"].join("\n")), "BUG: x\nb");
  });
});
