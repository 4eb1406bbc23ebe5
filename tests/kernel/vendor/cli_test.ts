/** The command line against the real kernel and a driver that pins. */
import { equal, match, ok } from "../../std/assert.ts";
// Some commands read on a thread, whose event loop has files of its own for a second.
import { describe, it as uncounted } from "../../std/testing.ts";
import { records, run } from "../../cli/capture.ts";
import { it } from "../support/guard.ts";
import { at, PINS, Scene, VENDOR_PCI, VFIO_PCI } from "./scene.ts";

const json = async (...args: string[]): Promise<Record<string, unknown>[]> => {
  const { code, out, err } = await run([...args, "--json"]);
  equal(code, 0, err);
  return records(out);
};

describe("pinscope", () => {
  uncounted("scope: by rule, and by a probe where the groups do not tell", async () => {
    const scopes: unknown[] = [];
    for (const device of [PINS, VFIO_PCI, VENDOR_PCI]) {
      const { code, out } = await run(["scope", device, "--json"]);
      const [scope] = records(out);
      scopes.push([code, scope?.["label"], scope?.["basis"]]);
    }
    equal(scopes, [
      [0, "pinned-scope", "rule"],
      [0, "all-mapped", "rule"],
      [0, "all-mapped", "evidence"],
    ]);
    const { out } = await run(["scope", VENDOR_PCI, "--no-probe"]);
    match(out, /^dirty scope: unknown, open\n.*group \d+ makes every mapped page dirty until/);
  });

  uncounted("pins DEVICE: what a mapping should cost and does", async () => {
    const lines = await json(
      "pins",
      VENDOR_PCI,
      "--map",
      "16M:1M",
      "--interval",
      "0",
      "--count",
      "2",
    );
    const ledger = lines.filter(({ type }) => type === "ledger");
    equal(ledger.map(({ kind, locked, difference }) => [kind, locked, difference]), [
      ["attach", 0, 0],
      ["map", 1 << 20, 0],
    ]);
    const rounds = lines.filter(({ type }) => type === "round");
    equal(rounds.map(({ round, locked, pinned }) => [round, locked, pinned]), [
      [1, 1 << 20, null],
      [2, 1 << 20, null],
    ]);
  });

  it("pins: who holds VFIO, while it does", async () => {
    using scene = new Scene();
    scene.vendor.pin(at(0), 4);
    const lines = await json("pins", "--pid", `${Deno.pid}`);
    const process = lines.find(({ type }) => type === "process");
    const holder = lines.find(({ type }) => type === "holder");
    ok(process !== undefined && holder !== undefined);
    equal([process["locked"], process["pinned"]], [4 * 4096, 0]);
    const groups = holder["groups"] as Record<string, unknown>[];
    equal(groups.map(({ group, devices }) => [group, devices]), [[scene.group.number, [PINS]]]);
  });

  it("plan: what fits a device, and what is checked later without an IOMMU", async () => {
    const [fits] = await json("plan", "--map", "16M:1M,4", VFIO_PCI);
    equal([fits?.["fits"], fits?.["mappings"], fits?.["later"]], [true, 4, []]);
    const [later] = await json("plan", "--map", "0xfee00000:4K", PINS);
    equal([later?.["fits"], (later?.["later"] as unknown[]).length], [true, 4]);
    const { code, out } = await run(["plan", "--map", "0xfee00000:4K", VFIO_PCI]);
    equal(code, 1);
    match(out, /is refused with EINVAL/);
  });
});
