/** What is odd about the dirty bits of iommufd, on the mock IOMMU. */
import { rawLinux as linux } from "../../../mod.ts";
import { findQuirks } from "../../../lib/conform/mod.ts";
import { LAB_SCENES, ModelKernel } from "../../../lib/model/mod.ts";
import { equal, ok } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { hugePages } from "../support/huge_pages.ts";

describe("findQuirks", () => {
  it("finds those of iommufd, and the model has the same", () => {
    using _huge = hugePages(1);
    const found = findQuirks(linux).filter(({ name }) => name.startsWith("hwpt."));
    equal(found.map(({ present }) => present), Array(7).fill(true));
    const model = findQuirks(new ModelKernel(LAB_SCENES.mock));
    equal(found, model.filter(({ name }) => name.startsWith("hwpt.")));
    const past = found.find(({ name }) => name === "hwpt.past-bitmap")!;
    ok(/OK, 504 bits outside its byte$/.test(past.evidence), past.evidence);
  });

  it("says that there is no huge page for a probe", () => {
    using _none = hugePages(0);
    const past = findQuirks(linux).find(({ name }) => name === "hwpt.past-bitmap")!;
    equal(past.present, undefined);
    ok(/mmap.*ENOMEM/.test(past.evidence), past.evidence);
  });
});
