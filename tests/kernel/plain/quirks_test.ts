/** What is odd about the dirty pages of type1, on a distribution's kernel. */
import { rawLinux as linux } from "../../../mod.ts";
import { findQuirks } from "../../../lib/conform/mod.ts";
import { records, run } from "../../cli/capture.ts";
import { equal, match } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";

describe("findQuirks", () => {
  it("finds those of type1, with a device of vfio-pci", () => {
    const found = findQuirks(linux);
    const seen = (name: string): unknown => {
      const { present, evidence } = found.find((one) => one.name === `type1.${name}`)!;
      return [present, evidence.match(/0x\w+|E[A-Z]+/g)?.at(-1)];
    };
    const ones = "0xffffffffffffffff";
    equal(["all-dirty", "kept-bytes", "stale", "poisoned", "shifted", "one-stop"].map(seen), [
      [true, ones],
      [true, ones],
      [true, "0x1f"],
      [true, ones],
      [true, "0x7ff"],
      [true, "EINVAL"],
    ]);
    const [wraps] = [seen("wrap-einval")];
    match(JSON.stringify(wraps), /^\[true,"EINVAL"\]$|^\[false,"EOVERFLOW"\]$/);
    for (const { name, present, evidence } of found) {
      if (!name.startsWith("hwpt.")) continue;
      equal(present, undefined, name);
      match(evidence, /no iommufd|dirty tracking: EOPNOTSUPP|no mock devices/);
    }
  });

  it("is what the command line says", async () => {
    const { code, out } = await run(["quirks", "0000:00:10.0", "--json"]);
    equal(code, 0);
    const names = records(out).filter(({ present }) => present === true).map(({ name }) => name);
    equal(names.includes("type1.stale"), true);
  });
});
