import { findQuirks } from "../../../lib/conform/mod.ts";
import { GuardedArea, ones } from "../../../lib/conform/quirk/area.ts";
import { LAB_SCENES, ModelKernel, type Scene } from "../../../lib/model/mod.ts";
import { equal, match, ok } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";

const { own, plain, mock } = LAB_SCENES;
const BOTH: Partial<Scene> = { ...own, iommufd: { dirtyTracking: false, mock: true } };

/** Names of the quirks by what was found; nothing is left open or locked. */
function found(scene: Partial<Scene>): Record<"yes" | "no" | "unknown", string[]> {
  const kernel = new ModelKernel(scene);
  const result: Record<"yes" | "no" | "unknown", string[]> = { yes: [], no: [], unknown: [] };
  for (const { name, present, evidence } of findQuirks(kernel)) {
    result[present === undefined ? "unknown" : present ? "yes" : "no"].push(name);
    ok(evidence.length > 5, name);
  }
  equal(kernel.openFiles, 0);
  return result;
}

describe("findQuirks", () => {
  it("finds all of them where everything can be probed", () => {
    const { yes, no, unknown } = found(BOTH);
    equal([yes.length, no, unknown], [14, [], []]);
  });

  it("tells what cannot be probed, and why", () => {
    equal(found(plain).unknown.every((name) => name.startsWith("hwpt.")), true);
    equal(found(mock).yes.length, 7);
    const why = (scene: Partial<Scene>, name: string): string =>
      findQuirks(new ModelKernel(scene)).find((one) => one.name === name)!.evidence;
    match(why(plain, "hwpt.off-ok"), /no iommufd/);
    match(why(own, "hwpt.off-ok"), /a page table with dirty tracking: EOPNOTSUPP/);
    match(why(mock, "type1.stale"), /no PCI device is bound to vfio-pci/);
  });

  it("asks a device's own page table where there is no mock: the answers, not the bits", () => {
    const { yes, unknown } = found({ ...own, iommufd: { dirtyTracking: true } });
    equal(yes.filter((name) => name.startsWith("hwpt.")).length, 5);
    equal(unknown, ["hwpt.past-bitmap", "hwpt.lost-start"]);
  });

  it("tells kernels apart: since v6.18 a range that wraps is EOVERFLOW", () => {
    equal(found({ ...plain, profile: "6.12" }).no, []);
    equal(found({ ...plain, profile: "7" }).no, ["type1.wrap-einval"]);
  });

  it("keeps to the devices that it is told", () => {
    const results = findQuirks(new ModelKernel(BOTH), { devices: ["0000:00:1f.0"] });
    equal(results.filter(({ present }) => present === undefined).map(({ name }) => name).length, 7);
  });
});

describe("GuardedArea", () => {
  it("counts bits on both sides of a bitmap, and not in it", () => {
    const kernel = new ModelKernel();
    using area = new GuardedArea(kernel, 4096n);
    const bytes = new Uint8Array(kernel.viewOf(area.address - 4096n, 5 * 4096));
    bytes[4095] = 0b101;
    bytes[4096] = 0xff;
    bytes[4097] = 1;
    bytes[8192] = 0x80;
    equal([area.outside(1), area.outside(2), area.outside(4097)], [4, 3, 2]);
    equal(area.words(1), [0x1ffn]);
    area.fill(0);
    equal([area.outside(1), ones(0b1011n)], [0, 3]);
    area.fill(0xff);
    equal(area.words(2), [(1n << 64n) - 1n, (1n << 64n) - 1n]);
  });
});
